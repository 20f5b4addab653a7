"""What was shown and what was clicked of it, in the SQLite store."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import apsw

from foldin.store.citations import (
    KEPT,
    MOST_WAITING,
    Citation,
    Remembered,
    check_impressions,
    clicks_of,
    items_text,
    shown_of,
)
from foldin.store.contract import ClickThrough, Impression, Shown
from foldin.store.dictionary import MODELS, USERS, check_text, codes_of
from foldin.store.forgetting import forgotten_among, mark_unclean

__all__ = ["count_clicks", "read_click_through", "read_shown", "write_impressions"]

_INSERT = """
INSERT INTO impressions (id, user_id, model, time, items) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
RETURNING id, code
"""
_COUNT_SHOWN = "INSERT INTO click_through VALUES (?1, ?2, ?3, 0) ON CONFLICT DO UPDATE SET shown = shown + ?3"
_COUNT_CLICKS = "UPDATE click_through SET clicked = clicked + ?3 WHERE model = ?1 AND rank = ?2"
_CLICK = "INSERT INTO clicks VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING impression, rank"
_TAKE_WAITING = "DELETE FROM waiting WHERE recommendation_id = ? RETURNING recommendation_id, user_id, item_id"
_WAIT = "INSERT INTO waiting (recommendation_id, user_id, item_id) VALUES (?, ?, ?)"
_DROP_OVERDUE = "DELETE FROM waiting WHERE code <= (SELECT max(code) FROM waiting) - ?"
# the oldest lie in front: a look at as many as come in twice over keeps up with them
_EXPIRE = "DELETE FROM impressions WHERE code IN (SELECT code FROM impressions ORDER BY code LIMIT ?) AND time < ?"
_SHOWN = """
SELECT impressions.id, user_id, name, time, items,
    (SELECT json_group_array(rank) FROM clicks WHERE impression = impressions.code)
FROM impressions JOIN models ON models.code = model WHERE user_id = ? ORDER BY time, impressions.code
"""
_CLICK_THROUGH = """
SELECT name, rank, shown, clicked FROM click_through JOIN models ON code = model ORDER BY model, rank
"""


def write_impressions(connection: apsw.Connection, impressions: Sequence[Impression]) -> None:
    """Stores and counts impressions, and what was clicked of them before, inside a transaction of the caller's.

    Raises:
        DataError: an id or name cannot be stored.
    """
    check_impressions(impressions)
    forgotten = forgotten_among(connection, [one.user_id for one in impressions if one.user_id is not None])
    stored = _inserted(connection, [one for one in impressions if one.user_id not in forgotten])
    _count_shown(connection, stored.values())
    _click(connection, _cited_before(connection, stored), stored)
    _expire(connection, impressions)


def count_clicks(connection: apsw.Connection, citations: Sequence[Citation]) -> None:
    """Counts what was clicked, and lets wait what cites recommendations that are not stored; inside a transaction of
    the caller's."""
    if citations:
        stored = _stored(connection, {one.recommendation_id for one in citations})
        _click(connection, citations, stored)
        _let_wait(connection, [one for one in citations if one.recommendation_id not in stored])


def read_shown(connection: apsw.Connection, user_id: str) -> list[Shown]:
    """What a user was shown, oldest first.

    Raises:
        DataError: no user can have such an id.
    """
    check_text([user_id], USERS.field)
    rows = cast("Iterable[tuple[str, str, str, int, str, str]]", connection.execute(_SHOWN, (user_id,)))
    return [shown_of((*row, json.loads(ranks))) for *row, ranks in rows]


def read_click_through(connection: apsw.Connection) -> list[ClickThrough]:
    """Shown and clicked by model and rank."""
    rows = cast("Iterable[tuple[str, int, int, int]]", connection.execute(_CLICK_THROUGH))
    return [ClickThrough(*row) for row in rows]


def _inserted(connection: apsw.Connection, impressions: Sequence[Impression]) -> dict[str, Remembered]:
    """Those that were not stored yet, by their ids."""
    names = sorted({one.model for one in impressions})
    models = dict(zip(names, codes_of(connection, MODELS, names), strict=True))
    given = {one.recommendation_id: one for one in impressions}
    rows = ((key, one.user_id, models[one.model], one.time, items_text(one.item_ids)) for key, one in given.items())
    codes = dict(cast("Iterable[tuple[str, int]]", connection.executemany(_INSERT, rows)))
    return {
        key: Remembered(code, models[given[key].model], given[key].user_id, given[key].item_ids)
        for key, code in codes.items()
    }


def _stored(connection: apsw.Connection, recommendation_ids: Iterable[str]) -> dict[str, Remembered]:
    query = "SELECT id, code, model, user_id, items FROM impressions WHERE id = ?"
    found = connection.executemany(query, ((one,) for one in recommendation_ids))
    rows = cast("Iterable[tuple[str, int, int, str | None, str]]", found)
    return {key: Remembered(code, model, user_id, json.loads(items)) for key, code, model, user_id, items in rows}


def _count_shown(connection: apsw.Connection, stored: Iterable[Remembered]) -> None:
    counts = Counter((one.model, rank) for one in stored for rank in range(1, len(one.item_ids) + 1))
    connection.executemany(_COUNT_SHOWN, ((*place, count) for place, count in counts.items()))


def _click(connection: apsw.Connection, citations: Iterable[Citation], stored: Mapping[str, Remembered]) -> None:
    clicks = clicks_of(citations, stored)
    new = cast("list[tuple[int, int]]", connection.executemany(_CLICK, clicks).fetchall())
    counts = Counter((clicks[click], click[1]) for click in new)
    connection.executemany(_COUNT_CLICKS, ((*place, count) for place, count in counts.items()))


def _let_wait(connection: apsw.Connection, citations: Sequence[Citation]) -> None:
    if citations:
        connection.executemany(_WAIT, ((one.recommendation_id, one.user_id, one.item_id) for one in citations))
        connection.execute(_DROP_OVERDUE, (MOST_WAITING,))


def _cited_before(connection: apsw.Connection, recommendation_ids: Iterable[str]) -> list[Citation]:
    """What waited for these, and waits no longer."""
    if connection.execute("SELECT 1 FROM waiting LIMIT 1").fetchone() is None:
        return []
    found = connection.executemany(_TAKE_WAITING, ((one,) for one in recommendation_ids))
    return [Citation(*row) for row in cast("Iterable[tuple[str, str, str]]", found)]


def _expire(connection: apsw.Connection, impressions: Sequence[Impression]) -> None:
    now = max((one.time for one in impressions), default=0)
    connection.execute(_EXPIRE, (2 * len(impressions), now - KEPT))
    if connection.changes():
        mark_unclean(connection)
