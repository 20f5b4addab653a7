"""What the PostgreSQL store knows of items and users: catalogue and profiles, written and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Ids
from foldin.data.known_attributes import known_name
from foldin.data.profiles import Profiles
from foldin.store.attributes import as_columns, as_record, as_texts
from foldin.store.dictionary import ITEMS, USERS, check_text
from foldin.store.postgres.dictionary import check_key, codes_of
from foldin.store.postgres.forgetting import forgotten_among
from foldin.store.postgres.session import Connection

__all__ = [
    "alter_item",
    "read_catalog",
    "read_catalog_version",
    "read_profile",
    "read_profiles",
    "write_catalog",
    "write_profiles",
]

_PUT_ATTRIBUTES = """
UPDATE {table} SET attributes = given.attributes FROM unnest(%s::int[], %s::text[]) AS given (code, attributes)
WHERE {table}.code = given.code
"""
# An item that has a position keeps it; any other goes to the end, in the order given.
_PLACE_ITEMS = """
UPDATE items SET position = place FROM (
    SELECT code, (SELECT coalesce(max(position), -1) FROM items) + row_number() OVER (ORDER BY row) AS place
    FROM unnest(%s::int[]) WITH ORDINALITY AS given (code, row) JOIN items USING (code) WHERE position IS NULL
) AS placed WHERE items.code = placed.code
"""


def write_catalog(connection: Connection, catalog: Catalog) -> int:
    """Stores items and their attributes, inside a transaction of the caller's; how many items were new."""
    items = codes_of(connection, ITEMS, catalog.item_ids.tolist())
    texts = as_texts(catalog.attributes, len(catalog))
    check_text(texts, "attributes")
    connection.execute(_PUT_ATTRIBUTES.format(table=ITEMS.table), (items.codes, texts))
    connection.execute(_PLACE_ITEMS, (items.codes,))
    connection.execute("UPDATE arrivals SET catalog_version = catalog_version + 1")
    return items.new


def alter_item(
    connection: Connection, item_id: str, change: Callable[[dict[str, str] | None], Mapping[str, str]]
) -> None:
    """Replaces one item's attributes by what `change` makes of them, inside a transaction of the caller's."""
    write_catalog(connection, Catalog.of_one(item_id, change(_read_item(connection, item_id))))


def write_profiles(connection: Connection, profiles: Profiles) -> int:
    """Stores users and their attributes but for those forgotten, inside a transaction of the caller's; how many were
    new."""
    user_ids: list[str] = profiles.user_ids.tolist()
    texts = as_texts(profiles.attributes, len(profiles))
    check_key(user_ids, USERS.field)
    check_text(texts, "attributes")
    forgotten = forgotten_among(connection, user_ids)
    kept = {user_id: text for user_id, text in zip(user_ids, texts, strict=True) if user_id not in forgotten}
    users = codes_of(connection, USERS, list(kept))
    connection.execute(_PUT_ATTRIBUTES.format(table=USERS.table), (users.codes, list(kept.values())))
    return users.new


def read_catalog(connection: Connection) -> Catalog:
    """The items that have a position, in its order."""
    query = "SELECT id, attributes FROM items WHERE position IS NOT NULL ORDER BY position"
    ids, texts = _records(connection, query)
    return Catalog(ids, as_columns(texts, known_name))


def read_catalog_version(connection: Connection) -> int:
    """How often the catalogue has been written."""
    ((version,),) = connection.execute("SELECT catalog_version FROM arrivals").fetchall()
    return int(version)


def read_profiles(connection: Connection) -> Profiles:
    """The users that have attributes, sorted by id."""
    ids, texts = _records(connection, "SELECT id, attributes FROM users WHERE attributes IS NOT NULL ORDER BY id")
    return Profiles(ids, as_columns(texts))


def read_profile(connection: Connection, user_id: str) -> dict[str, str]:
    """The attributes of one user, none for one without a profile; one statement.

    Raises:
        DataError: no user can have such an id.
    """
    check_text([user_id], USERS.field)
    row = connection.execute("SELECT attributes FROM users WHERE id = %s", (user_id,)).fetchone()
    return as_record(None if row is None else row[0])


def _read_item(connection: Connection, item_id: str) -> dict[str, str] | None:
    """The attributes of one item, None where the catalogue lacks it."""
    check_text([item_id], ITEMS.field)
    query = "SELECT attributes FROM items WHERE id = %s AND position IS NOT NULL"
    row = connection.execute(query, (item_id,)).fetchone()
    return None if row is None else as_record(row[0])


def _records(connection: Connection, query: str) -> tuple[Ids, list[str]]:
    """The ids, and the texts of the attributes."""
    rows = cast("list[tuple[str, str]]", connection.execute(query).fetchall())
    return ids_of(text for text, _ in rows), [text for _, text in rows]
