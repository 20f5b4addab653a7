"""How the SQLite store takes in a batch: what is forgotten or known is left out, the rest is written in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Any, cast

import apsw
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
from foldin.store.contract import Batch
from foldin.store.dictionary import ITEMS, KINDS, SOURCES, USERS, check_text, codes_of, latest_code
from foldin.store.events import stored_of
from foldin.store.forgetting import forgotten_among
from foldin.store.impressions import count_clicks
from foldin.store.repeats import NO_REPEATS, Held, Repeats, repeats_among
from foldin.store.schema import EVENT_ID_INDEX

__all__ = ["Taken", "take_batch"]

_INSERT = "INSERT INTO events (user, item, kind, value, time, seq, event_id, source) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_ARRIVE = """
UPDATE arrivals SET
    next = next + ?1,
    first_time = coalesce(min(first_time, ?2), first_time, ?2),
    last_time = coalesce(max(last_time, ?3), last_time, ?3)
RETURNING next - ?1
"""
_HELD = "SELECT (SELECT coalesce(sum(events), 0) FROM sources), first_time, last_time FROM arrivals"


@dataclass(frozen=True)
class Taken:
    """What became of a batch's events; see `Ingested`."""

    events: int
    known: int
    forgotten: int
    repeated: int = 0
    alike: int = 0


def take_batch(connection: apsw.Connection, batch: Batch) -> Taken:
    """Stores a batch, inside a transaction of the caller's.

    Raises:
        DataError: an id or name cannot be stored, or there are not as many event ids as events.
        ConflictError: an event id is stored with another event, or the source's cursor is not where the batch began.
    """
    (source,) = codes_of(connection, SOURCES, [batch.source])
    follows = _advance(connection, source, batch)
    if _is_known(connection, source, batch):
        return Taken(0, len(batch.log), 0)
    if not follows:
        raise overtaken(batch.source)
    columns = id_column(batch), citation_column(batch), filled_column(batch)
    log, (event_ids, cited, filled) = _remembered(connection, batch.log, columns)
    events = _coded(connection, log, event_ids, filled)
    rows = _new_rows(connection, events)
    repeats = _repeats(connection, events, rows) if batch.only_new else NO_REPEATS
    rows = np.setdiff1d(rows, repeats.rows, assume_unique=True)
    _insert(connection, events, rows, source)
    count_clicks(connection, citations_of(log, cited, rows))
    known, forgotten = len(log) - len(rows), len(batch.log) - len(log)
    return Taken(len(rows), known, forgotten, len(repeats.rows), repeats.alike)


def _advance(connection: apsw.Connection, source: int, batch: Batch) -> bool:
    """Moves the source's cursor, and tells whether it stood where the batch began."""
    if batch.cursor is None:
        return True
    check_text([batch.cursor], "cursor")
    given = (batch.cursor, source, batch.cursor_before)
    connection.execute("UPDATE sources SET cursor = ? WHERE code = ? AND cursor IS ?", given)
    return connection.changes() == 1


def _is_known(connection: apsw.Connection, source: int, batch: Batch) -> bool:
    if batch.digest is None or batch.event_ids is not None:
        return False
    check_text([batch.digest], "digest")
    connection.execute("INSERT OR IGNORE INTO digests VALUES (?, ?)", (source, batch.digest))
    return connection.changes() == 0


def _remembered(
    connection: apsw.Connection, log: Interactions, columns: Sequence[NDArray[Any] | None]
) -> tuple[Interactions, Sequence[NDArray[Any] | None]]:
    check_text(log.user_ids, USERS.field)
    return by_user_kept(log, columns, forgotten_among(connection, log.user_ids.tolist()))


def _coded(
    connection: apsw.Connection, log: Interactions, event_ids: Ids | None, filled: NDArray[np.bool_] | None
) -> CodedEvents:
    return CodedEvents(
        coded(log.user_ids, log.user_codes, partial(codes_of, connection, USERS)).astype(np.int64),
        coded(log.item_ids, log.item_codes, partial(codes_of, connection, ITEMS)).astype(np.int64),
        _stored_kinds(connection, log),
        log.values,
        log.times,
        event_ids,
        filled,
    )


def _stored_kinds(connection: apsw.Connection, log: Interactions) -> NDArray[np.object_] | None:
    if log.kind_names is None or log.kind_codes is None:
        return None
    kinds = coded(log.kind_names, log.kind_codes, partial(codes_of, connection, KINDS))
    check_kinds(latest_code(connection, KINDS))
    return kinds


def _new_rows(connection: apsw.Connection, events: CodedEvents) -> NDArray[np.intp]:
    return unknown_rows(events, lambda ids: check_text(ids, "event_id"), partial(_stored_bodies, connection))


def _repeats(connection: apsw.Connection, events: CodedEvents, rows: NDArray[np.intp]) -> Repeats:
    held = Held(*cast("tuple[int, int | None, int | None]", connection.execute(_HELD).fetchone()))
    return repeats_among(events, rows, held, partial(stored_of, connection))


def _stored_bodies(connection: apsw.Connection, event_ids: Sequence[str]) -> dict[str, Body]:
    if connection.execute("SELECT 1 FROM events WHERE event_id IS NOT NULL LIMIT 1").fetchone() is None:
        return {}
    found = connection.executemany(
        "SELECT event_id, user, item, kind, value, time FROM events WHERE event_id = ?",
        ((event_id,) for event_id in event_ids),
    )
    return {row[0]: row[1:] for row in cast("Iterator[tuple[str, *Body]]", found)}


def _insert(connection: apsw.Connection, events: CodedEvents, rows: NDArray[np.intp], source: int) -> None:
    first = connection.execute(_ARRIVE, (len(rows), *span(events, rows))).get
    connection.execute("UPDATE sources SET events = events + ? WHERE code = ?", (len(rows), source))
    with _ids_indexed_after(connection, 0 if events.ids is None else len(rows)):
        _insert_in_order(connection, events, rows, source, first)


def _insert_in_order(
    connection: apsw.Connection, events: CodedEvents, rows: NDArray[np.intp], source: int, first: int
) -> None:
    # in the order of the table, so that SQLite only ever appends to a page
    order = np.argsort(events.users[rows], kind="stable")
    for start in range(0, len(rows), BLOCK):
        arrived = order[start : start + BLOCK]
        chosen = rows[arrived]
        ids = repeat(None) if events.ids is None else events.ids[chosen].tolist()
        connection.executemany(_INSERT, zip(*events.columns(chosen), (arrived + first).tolist(), ids, repeat(source)))


@contextmanager
def _ids_indexed_after(connection: apsw.Connection, count: int) -> Iterator[None]:
    """Takes the index of event ids away while many are stored: made at once it takes a fourth of the time."""
    anew = count >= BLOCK and count >= connection.execute("SELECT sum(events) FROM sources").get / 2
    if anew:
        connection.execute("DROP INDEX events_by_id")
    yield
    if anew:
        connection.execute(EVENT_ID_INDEX)
