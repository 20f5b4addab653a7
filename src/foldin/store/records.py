"""What the SQLite store knows of items and users: catalogue and profiles, written and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import apsw

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Ids
from foldin.data.known_attributes import known_name
from foldin.data.profiles import Profiles
from foldin.store.attributes import as_columns, as_record, as_texts
from foldin.store.dictionary import ITEMS, USERS, check_text, codes_of
from foldin.store.forgetting import forgotten_among

__all__ = [
    "alter_item",
    "read_catalog",
    "read_catalog_version",
    "read_profile",
    "read_profiles",
    "write_catalog",
    "write_profiles",
]

# An item that has a position keeps it; any other goes to the end.
_PUT_ITEM = """
UPDATE items SET attributes = ?, position = coalesce(
    position, (SELECT max(position) + 1 FROM items WHERE position IS NOT NULL), 0
) WHERE code = ?
"""


def write_catalog(connection: apsw.Connection, catalog: Catalog) -> None:
    """Stores items and their attributes, inside a transaction of the caller's."""
    codes = codes_of(connection, ITEMS, catalog.item_ids.tolist())
    texts = as_texts(catalog.attributes, len(catalog))
    check_text(texts, "attributes")
    connection.executemany(_PUT_ITEM, zip(texts, codes, strict=True))
    connection.execute("UPDATE arrivals SET catalog_version = catalog_version + 1")


def alter_item(
    connection: apsw.Connection, item_id: str, change: Callable[[dict[str, str] | None], Mapping[str, str]]
) -> None:
    """Replaces one item's attributes by what `change` makes of them, inside a transaction of the caller's."""
    write_catalog(connection, Catalog.of_one(item_id, change(_read_item(connection, item_id))))


def write_profiles(connection: apsw.Connection, profiles: Profiles) -> None:
    """Stores users and their attributes but for those forgotten, inside a transaction of the caller's."""
    user_ids: list[str] = profiles.user_ids.tolist()
    texts = as_texts(profiles.attributes, len(profiles))
    check_text(user_ids, USERS.field)
    check_text(texts, "attributes")
    forgotten = forgotten_among(connection, user_ids)
    kept = {user_id: text for user_id, text in zip(user_ids, texts, strict=True) if user_id not in forgotten}
    codes = codes_of(connection, USERS, list(kept))
    connection.executemany("UPDATE users SET attributes = ? WHERE code = ?", zip(kept.values(), codes, strict=True))


def read_catalog(connection: apsw.Connection) -> Catalog:
    """The items that have a position, in its order."""
    query = "SELECT id, attributes FROM items WHERE position IS NOT NULL ORDER BY position"
    ids, texts = _records(connection, query)
    return Catalog(ids, as_columns(texts, known_name))


def read_catalog_version(connection: apsw.Connection) -> int:
    """How often the catalogue has been written."""
    return int(connection.execute("SELECT catalog_version FROM arrivals").get)


def read_profiles(connection: apsw.Connection) -> Profiles:
    """The users that have attributes, sorted by id."""
    ids, texts = _records(connection, "SELECT id, attributes FROM users WHERE attributes IS NOT NULL ORDER BY id")
    return Profiles(ids, as_columns(texts))


def read_profile(connection: apsw.Connection, user_id: str) -> dict[str, str]:
    """The attributes of one user, none for one without a profile.

    Raises:
        DataError: no user can have such an id.
    """
    check_text([user_id], USERS.field)
    return as_record(connection.execute("SELECT attributes FROM users WHERE id = ?", (user_id,)).get)


def _read_item(connection: apsw.Connection, item_id: str) -> dict[str, str] | None:
    """The attributes of one item, None where the catalogue lacks it."""
    check_text([item_id], ITEMS.field)
    query = "SELECT attributes FROM items WHERE id = ? AND position IS NOT NULL"
    text = connection.execute(query, (item_id,)).get
    return None if text is None else as_record(text)


def _records(connection: apsw.Connection, query: str) -> tuple[Ids, list[str]]:
    """The ids, and the texts of the attributes."""
    rows = cast("list[tuple[str, str]]", connection.execute(query).fetchall())
    return ids_of(text for text, _ in rows), [text for _, text in rows]
