"""The events of the PostgreSQL store: read in bulk, and read as one user's history."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from foldin.data.interactions import NO_KIND, NO_TIME, History, Interactions
from foldin.errors import NotFoundError
from foldin.store.coded_events import history_of, interactions_of
from foldin.store.dictionary import USERS, check_text
from foldin.store.postgres.dictionary import decoded
from foldin.store.postgres.session import Connection

__all__ = ["read_history", "read_interactions"]

_READ = """
COPY (
    SELECT user_code, item, coalesce(kind, {no_kind}::smallint), coalesce(value, 'NaN'), coalesce(time, {no_time})
    FROM events WHERE seq >= {since}
) TO STDOUT (FORMAT binary)
"""
# A row of COPY's binary format: how many fields, then the length of each before its bytes. None of ours is NULL, so
# every row is as long as the next, and all of them are one array.
_ROW = np.dtype(
    [
        ("fields", ">i2"),
        *(("user_length", ">i4"), ("user", ">i4")),
        *(("item_length", ">i4"), ("item", ">i4")),
        *(("kind_length", ">i4"), ("kind", ">i2")),
        *(("value_length", ">i4"), ("value", ">f4")),
        *(("time_length", ">i4"), ("time", ">i8")),
    ]
)
_HEADER = 19
"""Bytes before the first row: a signature, flags, and the length of an extension that is not there."""
_TRAILER = 2

# One row for a user without events, none for one that is not known.
_HISTORY = """
SELECT items.id, kinds.name, value, time FROM users
LEFT JOIN events ON user_code = users.code
LEFT JOIN items ON items.code = item
LEFT JOIN kinds ON kinds.code = kind
WHERE users.id = %s ORDER BY time NULLS FIRST, items.id, kinds.name NULLS FIRST, value NULLS LAST
"""


def read_interactions(connection: Connection, since: int | None = None) -> Interactions:
    """All events, or those that arrived from a position on, sorted by user, item, time, kind and value."""
    return interactions_of(_rows(connection, since or 0), partial(decoded, connection))


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


def _rows(connection: Connection, since: int) -> NDArray[np.void]:
    # numbers, and none from outside: COPY takes no parameters
    query = sql.SQL(_READ).format(no_kind=sql.Literal(NO_KIND), no_time=sql.Literal(NO_TIME), since=sql.Literal(since))
    data = bytearray()
    with connection.cursor().copy(query) as copied:
        for row in copied:
            data += row  # joined at once, a view of every row would lie in memory
    return np.frombuffer(data, dtype=_ROW, offset=_HEADER, count=(len(data) - _HEADER - _TRAILER) // _ROW.itemsize)
