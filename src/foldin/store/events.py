"""The events of the SQLite store: read in bulk, and read as one user's history."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from functools import partial
from itertools import islice
from typing import cast

import apsw
import numpy as np
from numpy.typing import NDArray

from foldin.data.interactions import NO_KIND, NO_TIME, History, Interactions
from foldin.errors import NotFoundError
from foldin.store.coded_events import BLOCK, StoredEvent, history_of, interactions_of
from foldin.store.dictionary import USERS, check_text, decoded

__all__ = ["read_history", "read_interactions", "stored_of"]

_READ = "SELECT user, item, coalesce(kind, ?), value, coalesce(time, ?) FROM events"
# the new events of every user lie at the end of the user's range: a search for each, not a look at all events
_READ_SINCE = f"{_READ.replace('FROM', 'FROM users CROSS JOIN')} ON user = code AND seq >= ?"
_READ_WITHOUT = f"""{_READ} WHERE source NOT IN (
    SELECT code FROM sources WHERE name IN (SELECT value FROM json_each(?))
)"""
_GIVEN = "(SELECT value AS code FROM json_each(?)) AS given"
_READ_OF = f"{_READ.replace('FROM', f'FROM {_GIVEN} CROSS JOIN')} ON user = given.code"
_ROW = np.dtype([("user", "i4"), ("item", "i4"), ("kind", "i2"), ("value", "f4"), ("time", "i8")])
_HISTORY = """
SELECT items.id, kinds.name, value, time FROM events
JOIN items ON items.code = item LEFT JOIN kinds ON kinds.code = kind
WHERE user = ? ORDER BY time NULLS FIRST, items.id, kinds.name NULLS FIRST, value NULLS LAST
"""


def read_interactions(
    connection: apsw.Connection, since: int | None = None, *, without: Collection[str] = ()
) -> Interactions:
    """All events, or those that arrived from a position on, or all but those of some sources, sorted by user, item,
    time, kind and value."""
    rows = np.fromiter(_events_without(connection, without) if without else _events(connection, since), dtype=_ROW)
    return interactions_of(rows, partial(decoded, connection))


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
    return history_of(cast("list[StoredEvent]", events))


def stored_of(
    connection: apsw.Connection, users: list[int], times: tuple[int, int] | None
) -> Iterator[NDArray[np.void]]:
    """The events of the users with these codes, all or those of a span of time, in blocks."""
    given = (NO_KIND, NO_TIME, json.dumps(users))
    if times is None:
        rows = connection.execute(_READ_OF, given)
    else:
        rows = connection.execute(f"{_READ_OF} AND time BETWEEN ? AND ?", (*given, *times))
    while len(block := np.fromiter(islice(rows, BLOCK), dtype=_ROW)):
        yield block


def _events(connection: apsw.Connection, since: int | None) -> apsw.Cursor:
    if since is None:
        return connection.execute(_READ, (NO_KIND, NO_TIME))
    return connection.execute(_READ_SINCE, (NO_KIND, NO_TIME, since))


def _events_without(connection: apsw.Connection, sources: Collection[str]) -> apsw.Cursor:
    return connection.execute(_READ_WITHOUT, (NO_KIND, NO_TIME, json.dumps(list(sources))))
