"""Event ids: one per event, judged where they are read; only the unusual ones are looked at one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldin.data.identifiers import LONGEST_ID, refusal
from foldin.data.readers.columns import Column
from foldin.data.readers.session import literal

__all__ = ["CONFLICT", "EventIds", "conflicting", "event_sql", "judged_events"]

PLAIN, UNUSUAL, NO_TEXT = range(3)
PLAIN_FORM = rf"[!-~]([ -~]{{0,{LONGEST_ID - 2}}}[!-~])?"

SPACES = "".join(filter(str.isspace, map(chr, range(0x3001))))
"""All letters that `str.strip` takes off; the last is U+3000."""

CONFLICT = "the event id stands further up with another event"
NO_TEXT_REASON = "the id is neither a text nor a whole number"


@dataclass(frozen=True, eq=False)
class EventIds:
    """The event ids of all rows.

    `texts`: as they were read, without the spaces around them; unlike ids of users and items in no normal form, since
        two spellings are two events.
    `hashes`: equal where the texts are. `reasons`: why an id is refused, by row.
    """

    texts: NDArray[np.object_]
    hashes: NDArray[np.uint64]
    reasons: Mapping[int, str]


def event_sql(column: Column) -> dict[str, str]:
    """The expressions of a column's event ids: the text, its hash and its form."""
    whole = f"({column.sql} ->> '$')" if column.type == "JSON" else f"CAST({column.sql} AS VARCHAR)"
    text = f"trim({whole}, {literal(SPACES)})"
    form = f"if(regexp_full_match({text}, '{PLAIN_FORM}'), {PLAIN}, {UNUSUAL})"
    if column.type == "JSON":
        is_text = f"CAST({column.sql} AS VARCHAR)[1] = '\"' OR regexp_full_match({text}, '-?[0-9]+')"
        form = f"if(coalesce({text} <> '' AND NOT ({is_text}), false), {NO_TEXT}, {form})"
    return {
        "event": f"coalesce({text}, '')",
        "event_hash": f"hash({text})",
        "event_form": f"coalesce({form}, {UNUSUAL})::UTINYINT",
    }


def judged_events(texts: NDArray[np.object_], hashes: NDArray[np.uint64], forms: NDArray[np.uint8]) -> EventIds:
    """Event ids with the reasons against those that are none: the rules are those for users and items."""
    reasons = {int(row): NO_TEXT_REASON for row in np.flatnonzero(forms == NO_TEXT)}
    for row in np.flatnonzero(forms == UNUSUAL).tolist():
        if reason := refusal(texts[row]):
            reasons[row] = reason
    return EventIds(texts, hashes, reasons)


def conflicting(events: EventIds, bodies: Sequence[NDArray[np.generic]], good: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The good rows whose id a good row before them has with another body (given column by column)."""
    in_order = np.sort(events.hashes)
    twice = np.unique(in_order[1:][in_order[1:] == in_order[:-1]])
    if not len(twice):
        return np.empty(0, dtype=np.intp)
    rows = np.flatnonzero(good & np.isin(events.hashes, twice))
    rows = rows[np.argsort(events.hashes[rows], kind="stable")]
    _, starts, groups = np.unique(events.hashes[rows], return_index=True, return_inverse=True)
    firsts = rows[starts][groups]
    differs = np.logical_or.reduce([column[rows] != column[firsts] for column in bodies])
    return np.sort(rows[differs & (events.texts[rows] == events.texts[firsts])])
