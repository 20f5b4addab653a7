"""How the PostgreSQL store takes in a batch: what is forgotten or known is left out, the rest is written in bulk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldin.data.interactions import Ids, Interactions
from foldin.store.citations import citations_of
from foldin.store.coded_events import (
    BLOCK,
    Body,
    CodedEvents,
    by_user_kept,
    check_kinds,
    citation_column,
    coded,
    filled_column,
    id_column,
    overtaken,
    span,
    unknown_rows,
)
from foldin.store.contract import Batch, Ingested
from foldin.store.dictionary import ITEMS, KINDS, SOURCES, USERS, Dictionary, check_text
from foldin.store.postgres.dictionary import check_key, codes_of
from foldin.store.postgres.events import stored_of
from foldin.store.postgres.forgetting import forgotten_among
from foldin.store.postgres.impressions import count_clicks
from foldin.store.postgres.schema import EVENT_ID_INDEX
from foldin.store.postgres.session import Connection
from foldin.store.repeats import NO_REPEATS, Held, Repeats, repeats_among

__all__ = ["take_batch"]

_COPY = """
COPY events (user_code, item, kind, value, time, seq, event_id, source) FROM STDIN (FORMAT binary)
"""
_TYPES = ("int4", "int4", "int2", "float4", "int8", "int8", "text", "int4")
_BODIES = "SELECT event_id, user_code, item, kind, value, time FROM events WHERE event_id = ANY(%s)"
# greatest and least leave NULL out
_ARRIVE = """
WITH counted AS (UPDATE sources SET events = events + %(count)s WHERE code = %(source)s)
UPDATE arrivals SET next = next + %(count)s,
    first_time = least(first_time, %(first)s), last_time = greatest(last_time, %(last)s)
RETURNING next - %(count)s
"""
_HELD = "SELECT (SELECT coalesce(sum(events), 0)::bigint FROM sources), first_time, last_time FROM arrivals"


@dataclass(frozen=True)
class Entered:
    """Asks for codes, and counts the texts that were new, by dictionary."""

    connection: Connection
    new: Counter[Dictionary] = field(default_factory=Counter)

    def codes_of(self, dictionary: Dictionary, texts: list[str]) -> list[int]:
        """The codes of texts; those the dictionary lacks are entered, and counted."""
        found = codes_of(self.connection, dictionary, texts)
        self.new[dictionary] += found.new
        return found.codes


def take_batch(connection: Connection, batch: Batch) -> Ingested:
    """Stores a batch, inside a transaction of the caller's, who holds the arrivals.

    Raises:
        DataError: an id or name cannot be stored, or there are not as many event ids as events.
        ConflictError: an event id is stored with another event, or the source's cursor is not where the batch began.
    """
    (source,) = codes_of(connection, SOURCES, [batch.source]).codes
    follows = _advance(connection, source, batch)
    if _is_known(connection, source, batch):
        return Ingested(0, len(batch.log), 0, 0, 0)
    if not follows:
        raise overtaken(batch.source)
    columns = id_column(batch), citation_column(batch), filled_column(batch)
    log, (event_ids, cited, filled) = _remembered(connection, batch.log, columns)
    events, entered = _coded(connection, log, event_ids, filled)
    indexed = events.ids is None or _are_ids_indexed(connection)
    rows = unknown_rows(events, _check_ids, partial(_stored_bodies, connection) if indexed else _no_bodies)
    repeats = _repeats(connection, events, rows) if batch.only_new else NO_REPEATS
    rows = np.setdiff1d(rows, repeats.rows, assume_unique=True)
    _insert(connection, events, rows, source)
    count_clicks(connection, citations_of(log, cited, rows))
    if not indexed:
        connection.execute(EVENT_ID_INDEX)
    known, forgotten = len(log) - len(rows), len(batch.log) - len(log)
    return Ingested(
        len(rows), known, forgotten, entered.new[USERS], entered.new[ITEMS], len(repeats.rows), repeats.alike
    )


def _advance(connection: Connection, source: int, batch: Batch) -> bool:
    """Moves the source's cursor, and tells whether it stood where the batch began."""
    if batch.cursor is None:
        return True
    check_text([batch.cursor], "cursor")
    query = "UPDATE sources SET cursor = %s WHERE code = %s AND cursor IS NOT DISTINCT FROM %s"
    return connection.execute(query, (batch.cursor, source, batch.cursor_before)).rowcount == 1


def _is_known(connection: Connection, source: int, batch: Batch) -> bool:
    if batch.digest is None or batch.event_ids is not None:
        return False
    check_key([batch.digest], "digest")
    query = "INSERT INTO digests VALUES (%s, %s) ON CONFLICT DO NOTHING"
    return connection.execute(query, (source, batch.digest)).rowcount == 0


def _remembered(
    connection: Connection, log: Interactions, columns: Sequence[NDArray[Any] | None]
) -> tuple[Interactions, Sequence[NDArray[Any] | None]]:
    check_key(log.user_ids.tolist(), USERS.field)
    return by_user_kept(log, columns, forgotten_among(connection, log.user_ids.tolist()))


def _coded(
    connection: Connection, log: Interactions, event_ids: Ids | None, filled: NDArray[np.bool_] | None
) -> tuple[CodedEvents, Entered]:
    """The events in codes, and how many texts were entered of each dictionary."""
    entered = Entered(connection)
    events = CodedEvents(
        coded(log.user_ids, log.user_codes, partial(entered.codes_of, USERS)).astype(np.int64),
        coded(log.item_ids, log.item_codes, partial(entered.codes_of, ITEMS)).astype(np.int64),
        None
        if log.kind_names is None or log.kind_codes is None
        else coded(log.kind_names, log.kind_codes, partial(entered.codes_of, KINDS)),
        log.values,
        log.times,
        event_ids,
        filled,
    )
    if entered.new[KINDS]:
        ((count,),) = connection.execute("SELECT count(*) FROM kinds").fetchall()
        check_kinds(count)
    return events, entered


def _are_ids_indexed(connection: Connection) -> bool:
    ((indexed,),) = connection.execute("SELECT to_regclass('events_by_id') IS NOT NULL").fetchall()
    return bool(indexed)


def _check_ids(event_ids: Sequence[str]) -> None:
    check_key(event_ids, "event_id")


def _no_bodies(_: Sequence[str]) -> dict[str, Body]:
    return {}


def _repeats(connection: Connection, events: CodedEvents, rows: NDArray[np.intp]) -> Repeats:
    (held,) = connection.execute(_HELD).fetchall()
    return repeats_among(events, rows, Held(*held), partial(stored_of, connection))


def _stored_bodies(connection: Connection, event_ids: Sequence[str]) -> dict[str, Body]:
    # in binary, where a float4 comes back as it was given
    return {row[0]: row[1:] for row in connection.execute(_BODIES, (event_ids,), binary=True)}


def _insert(connection: Connection, events: CodedEvents, rows: NDArray[np.intp], source: int) -> None:
    if not len(rows):
        return
    first = _arrived(connection, events, rows, source)
    # the events of a user side by side, so that a history is few pages
    order = np.argsort(events.users[rows], kind="stable")
    with connection.cursor().copy(_COPY) as copy:
        copy.set_types(_TYPES)
        for start in range(0, len(rows), BLOCK):
            arrived = order[start : start + BLOCK]
            chosen = rows[arrived]
            ids = repeat(None) if events.ids is None else events.ids[chosen].tolist()
            for row in zip(*events.columns(chosen), (arrived + first).tolist(), ids, repeat(source)):
                copy.write_row(row)


def _arrived(connection: Connection, events: CodedEvents, rows: NDArray[np.intp], source: int) -> int:
    first, last = span(events, rows)
    given = {"count": len(rows), "first": first, "last": last, "source": source}
    ((number,),) = connection.execute(_ARRIVE, given).fetchall()
    return int(number)
