"""What was shown and what was clicked of it, in the PostgreSQL store."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, LiteralString

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
from foldin.store.dictionary import MODELS, USERS, check_text
from foldin.store.postgres.dictionary import check_key, codes_of
from foldin.store.postgres.forgetting import forgotten_among
from foldin.store.postgres.session import Connection

__all__ = ["count_clicks", "read_click_through", "read_shown", "write_impressions"]

_INSERT = """
INSERT INTO impressions (id, user_id, model, time, items)
SELECT * FROM unnest(%s::text[], %s::text[], %s::int[], %s::bigint[], %s::text[]) ON CONFLICT (id) DO NOTHING
RETURNING id, code
"""
_COUNT_SHOWN = """
INSERT INTO click_through SELECT *, 0 FROM unnest(%s::int[], %s::int[], %s::bigint[])
ON CONFLICT (model, rank) DO UPDATE SET shown = click_through.shown + excluded.shown
"""
_COUNT_CLICKS = """
UPDATE click_through SET clicked = clicked + count FROM unnest(%s::int[], %s::int[], %s::bigint[]) AS new (m, r, count)
WHERE model = m AND rank = r
"""
_CLICK = """
INSERT INTO clicks SELECT * FROM unnest(%s::bigint[], %s::int[]) ON CONFLICT DO NOTHING RETURNING impression, rank
"""
_TAKE_WAITING = "DELETE FROM waiting WHERE recommendation_id = ANY(%s) RETURNING recommendation_id, user_id, item_id"
_WAIT = """
INSERT INTO waiting (recommendation_id, user_id, item_id) SELECT * FROM unnest(%s::text[], %s::text[], %s::text[])
"""
_DROP_OVERDUE = "DELETE FROM waiting WHERE code <= (SELECT max(code) FROM waiting) - %s"
# the oldest lie in front: a look at as many as come in twice over keeps up with them
_EXPIRE = """
DELETE FROM impressions WHERE code = ANY(ARRAY(SELECT code FROM impressions ORDER BY code LIMIT %s)) AND time < %s
"""
_SHOWN = """
SELECT impressions.id, user_id, name, time, items, ARRAY(SELECT rank FROM clicks WHERE impression = impressions.code)
FROM impressions JOIN models ON models.code = model WHERE user_id = %s ORDER BY time, impressions.code
"""
_CLICK_THROUGH = """
SELECT name, rank, shown, clicked FROM click_through JOIN models ON code = model ORDER BY model, rank
"""


def write_impressions(connection: Connection, impressions: Sequence[Impression]) -> None:
    """Stores and counts impressions, and what was clicked of them before, inside a transaction of the caller's.

    Raises:
        DataError: an id or name cannot be stored.
    """
    check_impressions(impressions)
    user_ids = [one.user_id for one in impressions if one.user_id is not None]
    check_key(user_ids, USERS.field)
    forgotten = forgotten_among(connection, user_ids)
    stored = _inserted(connection, [one for one in impressions if one.user_id not in forgotten])
    _count_shown(connection, stored.values())
    _click(connection, _cited_before(connection, stored), stored)
    _expire(connection, impressions)


def count_clicks(connection: Connection, citations: Sequence[Citation]) -> None:
    """Counts what was clicked, and lets wait what cites recommendations that are not stored; inside a transaction of
    the caller's."""
    if citations:
        stored = _stored(connection, {one.recommendation_id for one in citations})
        _click(connection, citations, stored)
        _let_wait(connection, [one for one in citations if one.recommendation_id not in stored])


def read_shown(connection: Connection, user_id: str) -> list[Shown]:
    """What a user was shown, oldest first; one statement.

    Raises:
        DataError: no user can have such an id.
    """
    check_text([user_id], USERS.field)
    return [shown_of(row) for row in connection.execute(_SHOWN, (user_id,)).fetchall()]


def read_click_through(connection: Connection) -> list[ClickThrough]:
    """Shown and clicked by model and rank; one statement."""
    return [ClickThrough(*row) for row in connection.execute(_CLICK_THROUGH).fetchall()]


def _inserted(connection: Connection, impressions: Sequence[Impression]) -> dict[str, Remembered]:
    """Those that were not stored yet, by their ids."""
    names = sorted({one.model for one in impressions})
    models = dict(zip(names, codes_of(connection, MODELS, names).codes, strict=True))
    given = {one.recommendation_id: one for one in impressions}
    rows = [(key, one.user_id, models[one.model], one.time, items_text(one.item_ids)) for key, one in given.items()]
    codes = dict(_in_bulk(connection, _INSERT, rows))
    return {
        key: Remembered(code, models[given[key].model], given[key].user_id, given[key].item_ids)
        for key, code in codes.items()
    }


def _stored(connection: Connection, recommendation_ids: Collection[str]) -> dict[str, Remembered]:
    query = "SELECT id, code, model, user_id, items FROM impressions WHERE id = ANY(%s)"
    rows = connection.execute(query, (list(recommendation_ids),)).fetchall()
    return {key: Remembered(code, model, user_id, json.loads(items)) for key, code, model, user_id, items in rows}


def _count_shown(connection: Connection, stored: Iterable[Remembered]) -> None:
    counts = Counter((one.model, rank) for one in stored for rank in range(1, len(one.item_ids) + 1))
    _in_bulk(connection, _COUNT_SHOWN, [(*place, count) for place, count in counts.items()])


def _click(connection: Connection, citations: Iterable[Citation], stored: Mapping[str, Remembered]) -> None:
    clicks = clicks_of(citations, stored)
    counts = Counter((clicks[click], click[1]) for click in _in_bulk(connection, _CLICK, list(clicks)))
    _in_bulk(connection, _COUNT_CLICKS, [(*place, count) for place, count in counts.items()])


def _let_wait(connection: Connection, citations: Sequence[Citation]) -> None:
    if citations:
        _in_bulk(connection, _WAIT, [(one.recommendation_id, one.user_id, one.item_id) for one in citations])
        connection.execute(_DROP_OVERDUE, (MOST_WAITING,))


def _cited_before(connection: Connection, recommendation_ids: Collection[str]) -> list[Citation]:
    """What waited for these, and waits no longer."""
    return [Citation(*row) for row in connection.execute(_TAKE_WAITING, (list(recommendation_ids),)).fetchall()]


def _expire(connection: Connection, impressions: Sequence[Impression]) -> None:
    now = max((one.time for one in impressions), default=0)
    connection.execute(_EXPIRE, (2 * len(impressions), now - KEPT))


def _in_bulk(connection: Connection, query: LiteralString, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """What a statement returns whose parameters are the columns of rows; nothing of none."""
    if not rows:
        return []
    done = connection.execute(query, [list(column) for column in zip(*rows, strict=True)])
    return done.fetchall() if done.description else []
