"""How the PostgreSQL store takes in a batch: what is forgotten or known is left out, the rest is written in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldin.data.interactions import NO_TIME, Ids, Interactions
from foldin.errors import ConflictError, DataError
from foldin.store.contract import Batch, Ingested
from foldin.store.dictionary import ITEMS, KINDS, SOURCES, USERS, Dictionary, check_text
from foldin.store.postgres.dictionary import check_key, codes_of
from foldin.store.postgres.forgetting import forgotten_among
from foldin.store.postgres.session import Connection

__all__ = ["take_batch"]

Body: TypeAlias = tuple[int, int, int | None, float | None, int | None]
"""User, item, kind, value and time: what an event says, apart from its id and source."""

_Columns: TypeAlias = tuple[list[int], list[int], list[int | None], list[float | None], list[int | None]]

MOST_KINDS = np.iinfo(np.int8).max
BLOCK = 100_000
"""Events turned into Python objects at once, so that a large log does not stand in memory twice."""

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


@dataclass(frozen=True, eq=False)
class CodedEvents:
    """A log in the store's codes; columns that no event has an entry in are None."""

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    kinds: NDArray[np.object_] | None
    values: NDArray[np.float32] | None
    times: NDArray[np.int64] | None
    ids: Ids | None
    new_users: int
    new_items: int

    def columns(self, rows: NDArray[np.intp]) -> _Columns:
        """The events at these rows, column by column, None where one has no kind, value or time."""
        return (
            self.users[rows].tolist(),
            self.items[rows].tolist(),
            [None] * len(rows) if self.kinds is None else self.kinds[rows].tolist(),
            [None] * len(rows) if self.values is None else _known_values(self.values[rows]),
            [None] * len(rows) if self.times is None else _known_times(self.times[rows]),
        )


def take_batch(connection: Connection, batch: Batch) -> Ingested:
    """Stores a batch, inside a transaction of the caller's, who holds the arrivals.

    Raises:
        DataError: an id or name cannot be stored, or there are not as many event ids as events.
        ConflictError: an event id is stored with another event.
    """
    (source,) = codes_of(connection, SOURCES, [batch.source]).codes
    _advance(connection, source, batch.cursor)
    if _is_known(connection, source, batch):
        return Ingested(0, len(batch.log), 0, 0, 0)
    log, event_ids = _remembered(connection, batch.log, _id_column(batch))
    events = _coded(connection, log, event_ids)
    rows = _new_rows(connection, events)
    _insert(connection, events, rows, source)
    known, forgotten = len(log) - len(rows), len(batch.log) - len(log)
    return Ingested(len(rows), known, forgotten, events.new_users, events.new_items)


def _advance(connection: Connection, source: int, cursor: str | None) -> None:
    if cursor is not None:
        check_text([cursor], "cursor")
        connection.execute("UPDATE sources SET cursor = %s WHERE code = %s", (cursor, source))


def _is_known(connection: Connection, source: int, batch: Batch) -> bool:
    if batch.digest is None or batch.event_ids is not None:
        return False
    check_key([batch.digest], "digest")
    query = "INSERT INTO digests VALUES (%s, %s) ON CONFLICT DO NOTHING"
    return connection.execute(query, (source, batch.digest)).rowcount == 0


def _id_column(batch: Batch) -> Ids | None:
    if batch.event_ids is None:
        return None
    if len(batch.event_ids) != len(batch.log):
        raise DataError(f"{len(batch.event_ids)} event ids for {len(batch.log)} events", field="event_id")
    return np.fromiter(batch.event_ids, dtype=np.object_, count=len(batch.event_ids))


def _remembered(connection: Connection, log: Interactions, event_ids: Ids | None) -> tuple[Interactions, Ids | None]:
    """The events whose users are not forgotten."""
    check_key(log.user_ids.tolist(), USERS.field)
    forgotten = forgotten_among(connection, log.user_ids.tolist())
    if not forgotten:
        return log, event_ids
    by_user = np.array([user_id not in forgotten for user_id in log.user_ids], dtype=np.bool_)
    kept = by_user[log.user_codes]
    return log.where(kept), None if event_ids is None else event_ids[kept]


def _coded(connection: Connection, log: Interactions, event_ids: Ids | None) -> CodedEvents:
    users, new_users = _stored_codes(connection, USERS, log.user_ids, log.user_codes)
    items, new_items = _stored_codes(connection, ITEMS, log.item_ids, log.item_codes)
    kinds = _stored_kinds(connection, log)
    return CodedEvents(
        users.astype(np.int64),
        items.astype(np.int64),
        kinds,
        log.values,
        log.times,
        event_ids,
        new_users,
        new_items,
    )


def _stored_codes(
    connection: Connection, dictionary: Dictionary, texts: Ids, codes: NDArray[np.integer]
) -> tuple[NDArray[np.object_], int]:
    # one place more than there are texts: the last is None, which is what the code -1 finds
    used = np.zeros(len(texts) + 1, dtype=np.bool_)
    used[codes] = True
    used[-1] = False
    stored = np.full(len(texts) + 1, None, dtype=np.object_)
    found = codes_of(connection, dictionary, texts[used[:-1]].tolist())
    stored[used] = found.codes
    return stored[codes], found.new


def _stored_kinds(connection: Connection, log: Interactions) -> NDArray[np.object_] | None:
    if log.kind_names is None or log.kind_codes is None:
        return None
    kinds, new = _stored_codes(connection, KINDS, log.kind_names, log.kind_codes)
    if new:
        _check_kinds(connection)
    return kinds


def _check_kinds(connection: Connection) -> None:
    ((count,),) = connection.execute("SELECT count(*) FROM kinds").fetchall()
    if count > MOST_KINDS:
        raise DataError(f"{count} kinds of events, and a store takes {MOST_KINDS}", field="kind")


def _new_rows(connection: Connection, events: CodedEvents) -> NDArray[np.intp]:
    everything = np.arange(len(events.users))
    if events.ids is None:
        return everything
    given = [event_id for event_id in events.ids.tolist() if event_id is not None]
    check_key(given, "event_id")
    known = _stored_bodies(connection, given)
    if not known and len(set(given)) == len(given):
        return everything
    return np.array(list(_unknown(events, events.ids, known)), dtype=np.intp)


def _unknown(events: CodedEvents, ids: Ids, known: dict[str, Body]) -> Iterator[int]:
    bodies: Iterator[Body] = zip(*events.columns(np.arange(len(ids))), strict=True)
    for row, (event_id, body) in enumerate(zip(ids.tolist(), bodies, strict=True)):
        if event_id is None or event_id not in known:
            yield row
        elif known[event_id] != body:
            raise ConflictError(f"event id '{event_id}' belongs to another event; nothing of this batch was stored")
        if event_id is not None:
            known[event_id] = body


def _stored_bodies(connection: Connection, event_ids: Sequence[str]) -> dict[str, Body]:
    found: dict[str, Body] = {}
    for start in range(0, len(event_ids), BLOCK):
        # in binary, where a float4 comes back as it was given
        rows = connection.execute(_BODIES, (event_ids[start : start + BLOCK],), binary=True)
        found.update((row[0], row[1:]) for row in rows)
    return found


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
    times = np.empty(0, dtype=np.int64) if events.times is None else events.times[rows]
    times = times[times != NO_TIME]
    first, last = (int(times.min()), int(times.max())) if len(times) else (None, None)
    given = {"count": len(rows), "first": first, "last": last, "source": source}
    ((number,),) = connection.execute(_ARRIVE, given).fetchall()
    return int(number)


def _known_values(values: NDArray[np.float32]) -> list[float | None]:
    # + 0 makes 0 of -0, as SQLite does: the two are equal, and so must be the stores that hold them
    cells = (values + np.float32(0)).astype(np.object_)
    cells[np.isnan(values)] = None
    listed: list[float | None] = cells.tolist()
    return listed


def _known_times(times: NDArray[np.int64]) -> list[int | None]:
    cells = times.astype(np.object_)
    cells[times == NO_TIME] = None
    listed: list[int | None] = cells.tolist()
    return listed
