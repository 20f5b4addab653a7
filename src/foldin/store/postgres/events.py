"""The events of the PostgreSQL store: read in bulk, and read as one user's history."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from typing import LiteralString

import numpy as np
from numpy.typing import NDArray

from foldin.data.interactions import NO_KIND, NO_TIME, History, Interactions
from foldin.errors import NotFoundError
from foldin.store.coded_events import history_of, interactions_of
from foldin.store.dictionary import USERS, check_text
from foldin.store.postgres.dictionary import decoded
from foldin.store.postgres.session import Connection

__all__ = ["read_history", "read_interactions", "stored_of"]

# The server packs the numbers of many events into one answer; with an answer for each this takes three times as long.
_PACKED = """
SELECT string_agg(
    int4send(user_code) || int4send(item) || int2send(coalesce(kind, %(no_kind)s::int2))
    || float4send(coalesce(value, 'NaN')) || int8send(coalesce(time, %(no_time)s::int8)), ''
) FROM events
"""
_READ = f"""{_PACKED} WHERE ctid >= %(from)s::tid AND ctid < %(to)s::tid AND seq >= %(since)s
    AND source <> ALL (ARRAY(SELECT code FROM sources WHERE name = ANY(%(without)s)))
"""
_READ_OF = f"{_PACKED} WHERE user_code = ANY(%(users)s)"
_IN_SPAN = "AND time BETWEEN %(first)s AND %(last)s"
USERS_AT_ONCE = 1_000
"""Users whose events the server hands over at a time, a user's as one answer."""

_ROW = np.dtype([("user", ">i4"), ("item", ">i4"), ("kind", ">i2"), ("value", ">f4"), ("time", ">i8")])
_MISSING = {"no_kind": NO_KIND, "no_time": NO_TIME}

_SIZE = "SELECT pg_relation_size('events') / current_setting('block_size')::int8"
PAGES = 2_000
"""Pages per answer, at most 270,000 events: an answer has to be less than a gigabyte, and stands in memory there."""

# Events that have arrived since lie behind all others, but for those in places that erased ones have left.
_FIRST_PAGE = "SELECT coalesce((min(ctid)::text::point)[0]::int8, 0) FROM events WHERE seq >= %s"

# One row for a user without events, none for one that is not known.
_HISTORY = """
SELECT items.id, kinds.name, value, time FROM users
LEFT JOIN events ON user_code = users.code
LEFT JOIN items ON items.code = item
LEFT JOIN kinds ON kinds.code = kind
WHERE users.id = %s ORDER BY time NULLS FIRST, items.id, kinds.name NULLS FIRST, value NULLS LAST
"""


def read_interactions(
    connection: Connection, since: int | None = None, *, without: Collection[str] = ()
) -> Interactions:
    """All events, or those that arrived from a position on, but for those of some sources, sorted by user, item, time,
    kind and value; inside a transaction of the caller's that reads one moment."""
    rows = np.frombuffer(b"".join(_packed(connection, since, list(without))), dtype=_ROW)
    return interactions_of(rows, partial(decoded, connection))


def read_history(connection: Connection, user_id: str) -> History:
    """All events of one user, oldest first, then by item id; one statement.

    Raises:
        NotFoundError: the user has neither events nor a profile.
        DataError: no user can have such an id.
    """
    check_text([user_id], USERS.field)
    rows = connection.execute(_HISTORY, (user_id,)).fetchall()
    if not rows:
        raise NotFoundError(f"no user '{user_id}' in the store")
    return history_of([row for row in rows if row[0] is not None])


def stored_of(connection: Connection, users: list[int], times: tuple[int, int] | None) -> Iterator[NDArray[np.void]]:
    """The events of the users with these codes, all or those of a span of time, in blocks."""
    first, last = times or (None, None)
    query: LiteralString = f"{_READ_OF} {_IN_SPAN if times else ''} GROUP BY user_code"
    with connection.cursor("stored_of") as cursor:  # on the server, so that a block at a time comes over
        cursor.execute(query, {"users": users, "first": first, "last": last} | _MISSING, binary=True)
        while packed := cursor.fetchmany(USERS_AT_ONCE):
            yield np.frombuffer(b"".join(answer for (answer,) in packed), dtype=_ROW)


def _packed(connection: Connection, since: int | None, without: list[str]) -> Iterator[bytes]:
    first = 0 if since is None else _number(connection, _FIRST_PAGE, since)
    for page in range(first, _number(connection, _SIZE), PAGES):
        place = {"from": f"({page},0)", "to": f"({page + PAGES},0)"}
        chosen = {"since": since or 0, "without": without}
        ((packed,),) = connection.execute(_READ, place | chosen | _MISSING, binary=True).fetchall()
        yield packed or b""  # nothing of no event


def _number(connection: Connection, query: LiteralString, *parameters: int) -> int:
    ((number,),) = connection.execute(query, parameters).fetchall()
    return int(number)
