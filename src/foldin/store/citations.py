"""Events that say which recommendation they came from, and what of it they count as: for whichever database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldin.data.interactions import Ids, Interactions
from foldin.errors import DataError
from foldin.store.contract import Impression, Shown
from foldin.store.dictionary import UNSTORABLE, USERS, check_text

__all__ = [
    "KEPT",
    "MOST_WAITING",
    "Citation",
    "Remembered",
    "check_impressions",
    "citations_of",
    "clicks_of",
    "items_text",
    "shown_of",
]

KEPT = 90 * 86_400 * 1_000_000
"""Microseconds an impression is kept, 90 days: who has bought nothing of a list by then has forgotten the list. The
counts stay."""

MOST_WAITING = 10_000
"""Citations kept of recommendations that nothing is stored of, the latest: an impression may be stored later than the
event that cites it, by seconds, and one that was not sampled is never stored."""

LONGEST = 256
"""Characters of a recommendation's id."""

ShownRow: TypeAlias = tuple[str, str | None, str, int, str, Sequence[int]]
"""Recommendation, user, model, time, items as text, and the ranks that were clicked."""


@dataclass(frozen=True)
class Citation:
    """An event, and the recommendation it says it came from."""

    recommendation_id: str
    user_id: str
    item_id: str


@dataclass(frozen=True)
class Remembered:
    """What a store has of an impression: its code, its model's, and to whom it showed which items."""

    code: int
    model: int
    user_id: str | None
    item_ids: Sequence[str]


def citations_of(log: Interactions, cited: Ids | None, rows: NDArray[np.intp]) -> list[Citation]:
    """What the events at these rows cite; what can be no recommendation's id is none."""
    if cited is None:
        return []
    citing = [row for row in rows.tolist() if _is_id(cited[row])]
    return [
        Citation(cited[row], str(log.user_ids[log.user_codes[row]]), str(log.item_ids[log.item_codes[row]]))
        for row in citing
    ]


def clicks_of(citations: Iterable[Citation], found: Mapping[str, Remembered]) -> dict[tuple[int, int], int]:
    """What was clicked of impressions: code and rank, each with its model; other users' and other items are none."""
    clicks = {}
    for citation in citations:
        shown = found.get(citation.recommendation_id)
        rank = None if shown is None else _rank(citation, shown)
        if shown is not None and rank is not None:
            clicks[shown.code, rank] = shown.model
    return clicks


def check_impressions(impressions: Sequence[Impression]) -> None:
    """Refuses what no database can hold.

    Raises:
        DataError: an id or name contains NUL or a lone surrogate, or a recommendation's id is too long.
    """
    check_text([one.recommendation_id for one in impressions], "recommendation_id")
    check_text([one.user_id for one in impressions if one.user_id is not None], USERS.field)
    check_text([one.model for one in impressions], "model")
    check_text([item_id for one in impressions for item_id in one.item_ids], "item")
    if any(len(one.recommendation_id) > LONGEST for one in impressions):
        raise DataError(f"a recommendation's id has at most {LONGEST} characters", field="recommendation_id")


def items_text(item_ids: Sequence[str]) -> str:
    """The items of an impression as a store keeps them: in one text, since it is written often and read seldom."""
    return _as_json(item_ids)


def shown_of(row: ShownRow) -> Shown:
    """An impression as it was given, and what was clicked of it."""
    recommendation_id, user_id, model, time, items, ranks = row
    item_ids = tuple(json.loads(items))
    clicked = tuple(item_ids[rank - 1] for rank in sorted(ranks))
    return Shown(Impression(recommendation_id, user_id, model, time, item_ids), clicked)


_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _is_id(text: str | None) -> bool:
    return text is not None and len(text) <= LONGEST and not UNSTORABLE.search(text)


def _rank(citation: Citation, shown: Remembered) -> int | None:
    """Counted from 1; None where it was not shown to this user, or not shown at all."""
    if shown.user_id not in (None, citation.user_id):
        return None
    return shown.item_ids.index(citation.item_id) + 1 if citation.item_id in shown.item_ids else None
