"""The events of the SQLite store: written in bulk, read in bulk, and read as one user's history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TypeAlias, cast

import apsw
import numpy as np
from numpy.typing import NDArray

from foldin.data.interactions import NO_KIND, NO_TIME, History, Ids, Interactions
from foldin.errors import DataError, NotFoundError, StoreError
from foldin.store.dictionary import ITEMS, KINDS, SOURCES, USERS, Dictionary, check_text, codes_of, decoded
from foldin.store.fingerprint import in_order

__all__ = ["append_events", "read_history", "read_interactions"]

Body: TypeAlias = tuple[int, int, int | None, float | None, int | None]
"""User, item, kind, value and time: what an event says, apart from its id and source."""

_Columns: TypeAlias = tuple[list[int], list[int], list[int | None], list[float | None], list[int | None]]

MOST_KINDS = np.iinfo(np.int8).max
BLOCK = 100_000
"""Events turned into Python objects at once, so that a large log does not stand in memory twice."""

_INSERT = "INSERT INTO events (user, item, kind, value, time, seq, event_id, source) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_READ = "SELECT user, item, coalesce(kind, ?), value, coalesce(time, ?) FROM events"
_ROW = np.dtype([("user", "i4"), ("item", "i4"), ("kind", "i2"), ("value", "f4"), ("time", "i8")])
_HISTORY = """
SELECT items.id, kinds.name, value, time FROM events
JOIN items ON items.code = item LEFT JOIN kinds ON kinds.code = kind
WHERE user = ? ORDER BY time NULLS FIRST, items.id, kinds.name NULLS FIRST, value NULLS LAST
"""


@dataclass(frozen=True, eq=False)
class CodedEvents:
    """A log in the store's codes; columns that no event has an entry in are None."""

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    kinds: NDArray[np.object_] | None
    values: NDArray[np.float32] | None
    times: NDArray[np.int64] | None

    def columns(self, rows: NDArray[np.intp]) -> _Columns:
        """The events at these rows, column by column, None where one has no kind, value or time."""
        return (
            self.users[rows].tolist(),
            self.items[rows].tolist(),
            [None] * len(rows) if self.kinds is None else self.kinds[rows].tolist(),
            [None] * len(rows) if self.values is None else _known_values(self.values[rows]),
            [None] * len(rows) if self.times is None else _known_times(self.times[rows]),
        )


def append_events(
    connection: apsw.Connection, log: Interactions, source: str, event_ids: Sequence[str | None] | None = None
) -> int:
    """Stores events, inside a transaction of the caller's; how many were new."""
    (source_code,) = codes_of(connection, SOURCES, [source])
    events = _coded(connection, log)
    rows = np.arange(len(log)) if event_ids is None else _new_rows(connection, events, event_ids)
    _insert(connection, events, rows, event_ids, source_code)
    return len(rows)


def read_interactions(connection: apsw.Connection) -> Interactions:
    """All events, sorted by user, item, time, kind and value."""
    rows = np.fromiter(connection.execute(_READ, (NO_KIND, NO_TIME)), dtype=_ROW)
    users, user_codes = decoded(connection, USERS, rows["user"])
    items, item_codes = decoded(connection, ITEMS, rows["item"])
    kinds, kind_codes = _decoded_kinds(connection, rows["kind"])
    values, times = rows["value"], rows["time"]
    return in_order(
        Interactions(
            users,
            user_codes,
            items,
            item_codes,
            kinds,
            kind_codes,
            None if np.isnan(values).all() else values,
            None if (times == NO_TIME).all() else times,
        )
    )


def read_history(connection: apsw.Connection, user_id: str) -> History:
    """All events of one user, oldest first, then by item id.

    Raises:
        NotFoundError: the user has neither events nor a profile.
        DataError: no user can have such an id.
    """
    check_text([user_id], USERS.field)
    user = connection.execute("SELECT code, attributes FROM users WHERE id = ?", (user_id,)).fetchone()
    events = [] if user is None else connection.execute(_HISTORY, (user[0],)).fetchall()
    if not events and (user is None or user[1] is None):
        raise NotFoundError(f"no user '{user_id}' in the store")
    item_ids, kinds, values, times = zip(*events, strict=True) if events else ((), (), (), ())
    return History(
        item_ids,
        kinds if any(kind is not None for kind in kinds) else None,
        np.array(values, dtype=np.float32) if any(value is not None for value in values) else None,
        _times(times) if any(time is not None for time in times) else None,
    )


def _coded(connection: apsw.Connection, log: Interactions) -> CodedEvents:
    return CodedEvents(
        _stored_codes(connection, USERS, log.user_ids, log.user_codes).astype(np.int64),
        _stored_codes(connection, ITEMS, log.item_ids, log.item_codes).astype(np.int64),
        _stored_kinds(connection, log),
        log.values,
        log.times,
    )


def _stored_codes(
    connection: apsw.Connection, dictionary: Dictionary, texts: Ids, codes: NDArray[np.integer]
) -> NDArray[np.object_]:
    used = np.unique(codes[codes >= 0])
    # one place more than there are texts: the last is None, which is what the code -1 finds
    stored = np.full(len(texts) + 1, None, dtype=np.object_)
    stored[used] = codes_of(connection, dictionary, texts[used].tolist())
    found: NDArray[np.object_] = stored[codes]
    return found


def _stored_kinds(connection: apsw.Connection, log: Interactions) -> NDArray[np.object_] | None:
    if log.kind_names is None or log.kind_codes is None:
        return None
    kinds = _stored_codes(connection, KINDS, log.kind_names, log.kind_codes)
    count = connection.execute("SELECT count(*) FROM kinds").get
    if count > MOST_KINDS:
        raise DataError(f"{count} kinds of events, and a store takes {MOST_KINDS}", field="kind")
    return kinds


def _new_rows(connection: apsw.Connection, events: CodedEvents, event_ids: Sequence[str | None]) -> NDArray[np.intp]:
    if len(event_ids) != len(events.users):
        raise DataError(f"{len(event_ids)} event ids for {len(events.users)} events", field="event_id")
    known = _stored_bodies(connection, [event_id for event_id in event_ids if event_id is not None])
    bodies: Iterator[Body] = zip(*events.columns(np.arange(len(event_ids))), strict=True)
    new = []
    for row, (event_id, body) in enumerate(zip(event_ids, bodies, strict=True)):
        if event_id is None or event_id not in known:
            new.append(row)
        elif known[event_id] != body:
            raise StoreError(f"event id '{event_id}' belongs to another event; nothing of this log was stored")
        if event_id is not None:
            known[event_id] = body
    return np.array(new, dtype=np.intp)


def _stored_bodies(connection: apsw.Connection, event_ids: Sequence[str]) -> dict[str, Body]:
    check_text(event_ids, "event_id")
    found = connection.executemany(
        "SELECT event_id, user, item, kind, value, time FROM events WHERE event_id = ?",
        ((event_id,) for event_id in event_ids),
    )
    return {row[0]: row[1:] for row in cast("Iterator[tuple[str, *Body]]", found)}


def _insert(
    connection: apsw.Connection,
    events: CodedEvents,
    rows: NDArray[np.intp],
    event_ids: Sequence[str | None] | None,
    source: int,
) -> None:
    first = connection.execute("UPDATE arrivals SET next = next + ?1 RETURNING next - ?1", (len(rows),)).get
    # in the order of the table, so that SQLite only ever appends to a page
    order = np.argsort(events.users[rows], kind="stable")
    for start in range(0, len(rows), BLOCK):
        arrived = order[start : start + BLOCK]
        chosen = rows[arrived]
        ids = repeat(None) if event_ids is None else (event_ids[row] for row in chosen.tolist())
        columns = events.columns(chosen)
        connection.executemany(_INSERT, zip(*columns, (arrived + first).tolist(), ids, repeat(source)))


def _known_values(values: NDArray[np.float32]) -> list[float | None]:
    cells = values.astype(np.object_)
    cells[np.isnan(values)] = None
    listed: list[float | None] = cells.tolist()
    return listed


def _known_times(times: NDArray[np.int64]) -> list[int | None]:
    cells = times.astype(np.object_)
    cells[times == NO_TIME] = None
    listed: list[int | None] = cells.tolist()
    return listed


def _decoded_kinds(
    connection: apsw.Connection, codes: NDArray[np.int16]
) -> tuple[Ids, NDArray[np.int8]] | tuple[None, None]:
    known = codes != NO_KIND
    if not known.any():
        return None, None
    names, positions = decoded(connection, KINDS, codes[known])
    column = np.full(len(codes), NO_KIND, dtype=np.int8)
    column[known] = positions
    return names, column


def _times(times: Sequence[int | None]) -> NDArray[np.int64]:
    return np.array([NO_TIME if time is None else time for time in times], dtype=np.int64)
