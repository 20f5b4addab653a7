"""How the PostgreSQL store forgets a user, and knows the forgotten again."""

from __future__ import annotations

from collections.abc import Sequence

from foldin.store.contract import Forgotten
from foldin.store.dictionary import USERS, check_text
from foldin.store.postgres.session import Connection
from foldin.store.tombstones import tombstone

__all__ = ["erase", "erased_since", "forgotten_among", "lift"]

_LOSSES = "SELECT source, count(*), min(seq), min(time), max(time) FROM events WHERE user_code = %s GROUP BY source"
_OF_EVENTS_ALONE = """
SELECT DISTINCT item FROM events JOIN items ON items.code = item WHERE user_code = %s AND position IS NULL
"""
_DROP_UNUSED = """
DELETE FROM items WHERE code = ANY(%s) AND NOT EXISTS (SELECT FROM events WHERE item = items.code)
"""
_MEASURE_TIMES = "UPDATE arrivals SET (first_time, last_time) = (SELECT min(time), max(time) FROM events)"
_NUMBER = "UPDATE arrivals SET next = next + 1 RETURNING next - 1"


def erase(connection: Connection, user_id: str) -> Forgotten:
    """Deletes a user's events, profile and impressions and leaves a tombstone, inside a transaction of the caller's.

    Raises:
        DataError: no user can have such an id.
    """
    check_text([user_id], USERS.field)
    mark = tombstone(_salt(connection), user_id)
    connection.execute("INSERT INTO tombstones VALUES (%s) ON CONFLICT DO NOTHING", (mark,))
    impressions = _erase_impressions(connection, user_id)
    user = connection.execute("SELECT code, attributes IS NOT NULL FROM users WHERE id = %s", (user_id,)).fetchone()
    if user is None:
        return Forgotten(events=0, profile=False, impressions=impressions)
    code, profile = user
    events = _erase_events(connection, code)
    connection.execute("DELETE FROM users WHERE code = %s", (code,))
    return Forgotten(events, profile, impressions)


def lift(connection: Connection, user_id: str) -> bool:
    """Removes a user's tombstone, inside a transaction of the caller's; whether there was one.

    Raises:
        DataError: no user can have such an id.
    """
    check_text([user_id], USERS.field)
    mark = tombstone(_salt(connection), user_id)
    return connection.execute("DELETE FROM tombstones WHERE hash = %s", (mark,)).rowcount > 0


def forgotten_among(connection: Connection, user_ids: Sequence[str]) -> set[str]:
    """Those of the users that have a tombstone."""
    if connection.execute("SELECT 1 FROM tombstones LIMIT 1").fetchone() is None:
        return set()
    salt = _salt(connection)
    by_hash = {tombstone(salt, user_id): user_id for user_id in user_ids}
    found = connection.execute("SELECT hash FROM tombstones WHERE hash = ANY(%s)", (list(by_hash),))
    return {by_hash[mark] for (mark,) in found}


def erased_since(connection: Connection, position: int) -> int:
    """How many users were erased from that position on who had events before it."""
    query = "SELECT count(*) FROM erasures WHERE position >= %s AND first < %s"
    ((count,),) = connection.execute(query, (position, position)).fetchall()
    return int(count)


def _erase_impressions(connection: Connection, user_id: str) -> int:
    """How many were erased; nobody need be known to the store to be shown something."""
    connection.execute("DELETE FROM waiting WHERE user_id = %s", (user_id,))
    return connection.execute("DELETE FROM impressions WHERE user_id = %s", (user_id,)).rowcount


def _erase_events(connection: Connection, user: int) -> int:
    losses = connection.execute(_LOSSES, (user,)).fetchall()
    if not losses:
        return 0
    sources, counts, firsts, earliest, latest = zip(*losses, strict=True)
    _remember(connection, min(firsts))
    alone = [item for (item,) in connection.execute(_OF_EVENTS_ALONE, (user,))]
    connection.execute("DELETE FROM events WHERE user_code = %s", (user,))
    for source, count in zip(sources, counts, strict=True):
        connection.execute("UPDATE sources SET events = events - %s WHERE code = %s", (count, source))
    if alone:
        connection.execute(_DROP_UNUSED, (alone,))
    _correct_times(connection, {*earliest, *latest} - {None})
    return sum(counts)


def _remember(connection: Connection, first: int) -> None:
    # an erasure takes an arrival number, so that every reading is either before it or after it
    ((position,),) = connection.execute(_NUMBER).fetchall()
    connection.execute("INSERT INTO erasures VALUES (%s, %s)", (position, first))


def _correct_times(connection: Connection, times: set[int]) -> None:
    # only the loss of an outermost time takes a look at all events
    (ends,) = connection.execute("SELECT first_time, last_time FROM arrivals").fetchall()
    if times & set(ends):
        connection.execute(_MEASURE_TIMES)


def _salt(connection: Connection) -> bytes:
    ((salt,),) = connection.execute("SELECT salt FROM arrivals").fetchall()
    return bytes(salt)
