"""The events of the SQLite store: read in bulk, and read as one user's history."""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import numpy as np
from numpy.typing import NDArray

from foldin.data.interactions import NO_KIND, NO_TIME, History, Ids, Interactions
from foldin.errors import NotFoundError
from foldin.store.dictionary import ITEMS, KINDS, USERS, check_text, decoded
from foldin.store.fingerprint import in_order

__all__ = ["read_history", "read_interactions"]

_READ = "SELECT user, item, coalesce(kind, ?), value, coalesce(time, ?) FROM events"
# the new events of every user lie at the end of the user's range: a search for each, not a look at all events
_READ_SINCE = f"{_READ.replace('FROM', 'FROM users CROSS JOIN')} ON user = code AND seq >= ?"
_ROW = np.dtype([("user", "i4"), ("item", "i4"), ("kind", "i2"), ("value", "f4"), ("time", "i8")])
_HISTORY = """
SELECT items.id, kinds.name, value, time FROM events
JOIN items ON items.code = item LEFT JOIN kinds ON kinds.code = kind
WHERE user = ? ORDER BY time NULLS FIRST, items.id, kinds.name NULLS FIRST, value NULLS LAST
"""


def read_interactions(connection: apsw.Connection, since: int | None = None) -> Interactions:
    """All events, or those that arrived from a position on, sorted by user, item, time, kind and value."""
    rows = np.fromiter(_events(connection, since), dtype=_ROW)
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


def _events(connection: apsw.Connection, since: int | None) -> apsw.Cursor:
    if since is None:
        return connection.execute(_READ, (NO_KIND, NO_TIME))
    return connection.execute(_READ_SINCE, (NO_KIND, NO_TIME, since))


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
