"""How the SQLite store forgets a user, and knows the forgotten again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import cast

import apsw

from foldin.store.connecting import patiently
from foldin.store.contract import Forgotten
from foldin.store.dictionary import USERS, check_text
from foldin.store.tombstones import tombstone

__all__ = ["advance", "erase", "erased_since", "forgotten_among", "lift", "mark_unclean", "scrub"]

_LOSSES = "SELECT source, count(*), min(seq), min(time), max(time) FROM events WHERE user = ? GROUP BY source"
_OF_EVENTS_ALONE = """
SELECT DISTINCT item FROM events JOIN items ON items.code = item WHERE user = ? AND position IS NULL
"""
_STILL_USED = "SELECT DISTINCT item FROM events WHERE item IN (SELECT value FROM json_each(?))"
_MEASURE_TIMES = "UPDATE arrivals SET (first_time, last_time) = (SELECT min(time), max(time) FROM events)"


def erase(connection: apsw.Connection, user_id: str) -> Forgotten:
    """Deletes a user's events, profile and impressions and leaves a tombstone, inside a transaction of the caller's.

    Raises:
        DataError: no user can have such an id.
    """
    check_text([user_id], USERS.field)
    connection.execute("INSERT OR IGNORE INTO tombstones VALUES (?)", (tombstone(_salt(connection), user_id),))
    impressions = _erase_impressions(connection, user_id)
    user = connection.execute("SELECT code, attributes IS NOT NULL FROM users WHERE id = ?", (user_id,)).fetchone()
    if user is None:
        return Forgotten(events=0, profile=False, impressions=impressions)
    code, profile = cast("tuple[int, int]", user)
    events = _erase_events(connection, code)
    connection.execute("DELETE FROM users WHERE code = ?", (code,))
    mark_unclean(connection)
    return Forgotten(events, bool(profile), impressions)


def mark_unclean(connection: apsw.Connection) -> None:
    """Notes that something of a user was deleted, of which the file may hold copies until it is scrubbed."""
    connection.execute("UPDATE arrivals SET unclean = random() | 1")  # a mark of its own, and never 0


def scrub(connection: apsw.Connection) -> None:
    """Removes what was erased from the file itself, outside of any transaction; where that was done before, nothing.

    Deleted rows are overwritten (`secure_delete`), but copies that SQLite left behind when it split a page are not:
    only a file written anew (VACUUM) has none, and only a write-ahead log cut to nothing.
    """
    mark = connection.execute("SELECT unclean FROM arrivals").get
    if mark:
        connection.execute("VACUUM")
        patiently(partial(connection.wal_checkpoint, mode=apsw.SQLITE_CHECKPOINT_TRUNCATE))
        # another mark is of somebody forgotten since, of whom the new file may hold copies, too
        connection.execute("UPDATE arrivals SET unclean = 0 WHERE unclean = ?", (mark,))


def lift(connection: apsw.Connection, user_id: str) -> bool:
    """Removes a user's tombstone, inside a transaction of the caller's; whether there was one.

    Raises:
        DataError: no user can have such an id.
    """
    check_text([user_id], USERS.field)
    connection.execute("DELETE FROM tombstones WHERE hash = ?", (tombstone(_salt(connection), user_id),))
    return connection.changes() > 0


def forgotten_among(connection: apsw.Connection, user_ids: Sequence[str]) -> set[str]:
    """Those of the users that have a tombstone."""
    if connection.execute("SELECT 1 FROM tombstones LIMIT 1").fetchone() is None:
        return set()
    salt = _salt(connection)
    by_hash = {tombstone(salt, user_id): user_id for user_id in user_ids}
    found = connection.executemany("SELECT hash FROM tombstones WHERE hash = ?", ((mark,) for mark in by_hash))
    return {by_hash[cast("bytes", mark)] for (mark,) in found}


def erased_since(connection: apsw.Connection, position: int) -> int:
    """How many users were erased from that position on who had events before it."""
    query = "SELECT count(*) FROM erasures WHERE position >= ?1 AND first < ?1"
    return int(connection.execute(query, (position,)).get)


def advance(connection: apsw.Connection, position: int) -> None:
    """Makes sure that what arrives from now on, erasures too, comes after a position of an earlier store."""
    connection.execute("UPDATE arrivals SET next = max(next, ?)", (position + 1,))


def _erase_impressions(connection: apsw.Connection, user_id: str) -> int:
    """How many were erased; nobody need be known to the store to be shown something."""
    connection.execute("DELETE FROM waiting WHERE user_id = ?", (user_id,))
    connection.execute("DELETE FROM impressions WHERE user_id = ?", (user_id,))
    erased = connection.changes()
    if erased:
        mark_unclean(connection)
    return erased


def _erase_events(connection: apsw.Connection, user: int) -> int:
    losses = cast("list[tuple[int, int, int, int | None, int | None]]", connection.execute(_LOSSES, (user,)).fetchall())
    if not losses:
        return 0
    sources, counts, firsts, earliest, latest = zip(*losses, strict=True)
    _remember(connection, min(firsts))
    alone = [item for (item,) in connection.execute(_OF_EVENTS_ALONE, (user,))]
    connection.execute("DELETE FROM events WHERE user = ?", (user,))
    connection.executemany("UPDATE sources SET events = events - ? WHERE code = ?", zip(counts, sources, strict=True))
    _drop_unused_items(connection, alone)
    _correct_times(connection, {*earliest, *latest})
    return sum(counts)


def _remember(connection: apsw.Connection, first: int) -> None:
    # an erasure takes an arrival number, so that every reading is either before it or after it
    position = connection.execute("UPDATE arrivals SET next = next + 1 RETURNING next - 1").get
    connection.execute("INSERT INTO erasures VALUES (?, ?)", (position, first))


def _drop_unused_items(connection: apsw.Connection, items: Sequence[object]) -> None:
    if items:
        used = {item for (item,) in connection.execute(_STILL_USED, (json.dumps(items),))}
        unused = [(item,) for item in items if item not in used]
        connection.executemany("DELETE FROM items WHERE code = ?", cast("list[tuple[int]]", unused))


def _correct_times(connection: apsw.Connection, times: set[int | None]) -> None:
    # only the loss of an outermost time takes a look at all events
    ends = connection.execute("SELECT first_time, last_time FROM arrivals").fetchone()
    if ends is not None and (times - {None}) & set(ends):
        connection.execute(_MEASURE_TIMES)


def _salt(connection: apsw.Connection) -> bytes:
    return cast("bytes", connection.execute("SELECT salt FROM arrivals").get)
