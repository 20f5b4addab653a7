"""The tables of the PostgreSQL store, and how a schema gets from one version of them to the next."""

from __future__ import annotations

from secrets import token_bytes

from psycopg import sql

from foldin.errors import NotFoundError, StoreError
from foldin.store.postgres.address import Address
from foldin.store.postgres.session import Connection
from foldin.store.tombstones import SALT_BYTES

__all__ = ["EVENT_ID_INDEX", "LOCK", "MIGRATIONS", "prepare"]

LOCK = 0x666F6C64
"""The first half of the advisory lock's key ("fold" in ASCII); the second is of the schema's name."""

EVENT_ID_INDEX = "CREATE UNIQUE INDEX events_by_id ON events (event_id) WHERE event_id IS NOT NULL"
"""What keeps an event id from being stored twice, and finds it. A store has it as soon as it has an event with an id:
made of all that the first import brought it takes a fraction of the time, and making it keeps no reader waiting."""

# Text is compared by its UTF-8 bytes (collation "C"), which is the order of code points. Codes are given without gaps.
# `arrivals` has one row, and whoever writes holds it until the commit: its numbers rise in the order of the commits, so
# that "what is new since" misses nothing. It also has the ends that would otherwise take a look at every event, and the
# salt of the tombstones. An erasure is remembered without a name, for it stays when the tombstone is lifted.
# The index by arrival notes a range of numbers per block of pages, next to nothing.
_FIRST = """
CREATE TABLE users (code integer PRIMARY KEY, id text COLLATE "C" NOT NULL UNIQUE, attributes text);
CREATE TABLE items (code integer PRIMARY KEY, id text COLLATE "C" NOT NULL UNIQUE, attributes text, position integer);
CREATE UNIQUE INDEX items_by_position ON items (position) WHERE position IS NOT NULL;
CREATE TABLE kinds (code integer PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE);
CREATE TABLE sources (
    code integer PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    events bigint NOT NULL DEFAULT 0,
    cursor text
);
CREATE TABLE digests (source integer NOT NULL, digest text COLLATE "C" NOT NULL, PRIMARY KEY (source, digest));
CREATE TABLE events (
    user_code integer NOT NULL,
    seq bigint NOT NULL,
    item integer NOT NULL,
    kind smallint,
    value real,
    time bigint, -- microseconds since the epoch
    event_id text COLLATE "C",
    source integer NOT NULL,
    PRIMARY KEY (user_code, seq)
);
CREATE INDEX events_by_arrival ON events USING brin (seq) WITH (autosummarize = on);
CREATE TABLE arrivals (next bigint NOT NULL, first_time bigint, last_time bigint, salt bytea NOT NULL);
CREATE TABLE tombstones (hash bytea PRIMARY KEY);
CREATE TABLE erasures (position bigint PRIMARY KEY, first bigint NOT NULL);
"""
_SALT = "INSERT INTO arrivals VALUES (0, NULL, NULL, %s)"

# One row for a whole list, not one for each item of it, with its texts as they are: whom the store has never heard of
# is shown something, too. `click_through` counts what the others would have to be looked through for, and goes on
# counting what is no longer there. `waiting`: citations of impressions that are not stored, or not yet.
_IMPRESSIONS = """
CREATE TABLE models (code integer PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE);
CREATE TABLE impressions (
    code bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    user_id text COLLATE "C",
    model integer NOT NULL,
    time bigint NOT NULL, -- microseconds since the epoch
    items text NOT NULL -- a JSON array of ids, best first
);
CREATE INDEX impressions_by_user ON impressions (user_id) WHERE user_id IS NOT NULL;
CREATE TABLE clicks (
    impression bigint NOT NULL REFERENCES impressions ON DELETE CASCADE,
    rank integer NOT NULL, -- from 1
    PRIMARY KEY (impression, rank)
);
CREATE TABLE click_through (
    model integer NOT NULL,
    rank integer NOT NULL,
    shown bigint NOT NULL,
    clicked bigint NOT NULL,
    PRIMARY KEY (model, rank)
);
CREATE TABLE waiting (
    code bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recommendation_id text COLLATE "C" NOT NULL,
    user_id text NOT NULL,
    item_id text NOT NULL
);
CREATE INDEX waiting_by_recommendation ON waiting (recommendation_id);
"""

# Counts the writings of the catalogue, so that nobody need read all of it to find that it is what it was.
_CATALOG_VERSION = "ALTER TABLE arrivals ADD COLUMN catalog_version bigint NOT NULL DEFAULT 0"

MIGRATIONS: tuple[str, ...] = (_FIRST, _IMPRESSIONS, _CATALOG_VERSION)
"""What brings a schema from version i to i + 1; a published one is never changed."""


def prepare(connection: Connection, address: Address, *, create: bool) -> None:
    """Makes sure that the schema is a store of this version: migrates an older one, creates one where asked to.

    Raises:
        NotFoundError: there is no store, and `create` was not asked for.
        StoreError: the schema is another program's, was written by a newer foldin, or is closed to this role; it is
            left as it is.
    """
    _check_usable(connection, address)
    if _version(connection, address, create=create) < len(MIGRATIONS):
        with connection.transaction():
            # one at a time; whoever waited finds the work done
            connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (LOCK, address.schema))
            _migrate(connection, address, _version(connection, address, create=create))


def _check_usable(connection: Connection, address: Address) -> None:
    # to a role that may not look into it, its tables seem not to be there
    query = "SELECT 1 FROM pg_namespace WHERE nspname = %s AND NOT has_schema_privilege(oid, 'USAGE')"
    if connection.execute(query, (address.schema,)).fetchall():
        raise StoreError(f"{address.name}: this role may not use the schema; grant it USAGE on it, and its tables")


def _version(connection: Connection, address: Address, *, create: bool) -> int:
    if not _has_table(connection, address.schema, "version"):
        _check_blank(connection, address)
        if not create:
            raise NotFoundError(f"no store in {address.name}")
        return 0
    ((version,),) = connection.execute("SELECT number FROM version").fetchall()
    if version > len(MIGRATIONS):
        raise StoreError(
            f"{address.name} was written by a newer foldin (schema {version}, this one knows up to {len(MIGRATIONS)}); "
            "upgrade foldin"
        )
    return int(version)


def _has_table(connection: Connection, schema: str, table: str) -> bool:
    query = "SELECT 1 FROM pg_tables WHERE schemaname = %s AND tablename = %s"
    return bool(connection.execute(query, (schema, table)).fetchall())


def _check_blank(connection: Connection, address: Address) -> None:
    query = "SELECT 1 FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace WHERE nspname = %s LIMIT 1"
    if connection.execute(query, (address.schema,)).fetchall():
        raise StoreError(f"{address.name} holds another program's tables; name another schema with ?schema=")


def _migrate(connection: Connection, address: Address, version: int) -> None:
    if version == 0:
        _create_schema(connection, address.schema)
        connection.execute("CREATE TABLE version (number integer NOT NULL); INSERT INTO version VALUES (0)")
    for script in MIGRATIONS[version:]:
        connection.execute(script)
    if version == 0:
        connection.execute(_SALT, (token_bytes(SALT_BYTES),))
    connection.execute("UPDATE version SET number = %s", (len(MIGRATIONS),))


def _create_schema(connection: Connection, schema: str) -> None:
    # one that is there may be all this role is allowed
    if not connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchall():
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
