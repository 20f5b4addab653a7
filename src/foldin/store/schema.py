"""The tables of the SQLite store, and how a file gets from one version of them to the next."""

from __future__ import annotations

import apsw

from foldin.errors import StoreError
from foldin.store.tombstones import SALT_BYTES
from foldin.store.transactions import transaction

__all__ = ["APPLICATION_ID", "EVENT_ID_INDEX", "MIGRATIONS", "check_version", "prepare", "read_version"]

APPLICATION_ID = 0x666F6C64
"""Marks a SQLite file as foldin's ("fold" in ASCII)."""

EVENT_ID_INDEX = "CREATE UNIQUE INDEX events_by_id ON events (event_id) WHERE event_id IS NOT NULL"
"""What keeps an event id from being stored twice, and finds it."""

# `arrivals.next` numbers events as they come in, over all users, so that "what is new since" is a subtraction.
# The events of a user lie side by side (WITHOUT ROWID), so a history is one range.
_FIRST = f"""
CREATE TABLE users (code INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, attributes TEXT) STRICT;
CREATE TABLE items (code INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, attributes TEXT, position INTEGER) STRICT;
CREATE UNIQUE INDEX items_by_position ON items (position) WHERE position IS NOT NULL;
CREATE TABLE kinds (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE sources (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE events (
    user INTEGER NOT NULL REFERENCES users,
    seq INTEGER NOT NULL,
    item INTEGER NOT NULL REFERENCES items,
    kind INTEGER REFERENCES kinds,
    value REAL,
    time INTEGER, -- microseconds since the epoch
    event_id TEXT,
    source INTEGER NOT NULL REFERENCES sources,
    PRIMARY KEY (user, seq)
) STRICT, WITHOUT ROWID;
{EVENT_ID_INDEX};
CREATE TABLE arrivals (next INTEGER NOT NULL) STRICT;
INSERT INTO arrivals VALUES (0);
"""

# `arrivals` has one row: the counts and the ends that would otherwise take a look at every event, and the salt of
# the tombstones. An erasure is remembered without a name, for it stays when the tombstone is lifted.
_FORGETTING = f"""
ALTER TABLE arrivals ADD COLUMN first_time INTEGER;
ALTER TABLE arrivals ADD COLUMN last_time INTEGER;
ALTER TABLE arrivals ADD COLUMN salt BLOB;
ALTER TABLE arrivals ADD COLUMN unclean INTEGER NOT NULL DEFAULT 0; -- whether the file may hold what was erased
UPDATE arrivals SET salt = randomblob({SALT_BYTES}),
    (first_time, last_time) = (SELECT min(time), max(time) FROM events);
ALTER TABLE sources ADD COLUMN events INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN cursor TEXT;
UPDATE sources SET events = stored FROM (SELECT source, count(*) AS stored FROM events GROUP BY source)
    WHERE source = code;
CREATE TABLE digests (
    source INTEGER NOT NULL REFERENCES sources,
    digest TEXT NOT NULL,
    PRIMARY KEY (source, digest)
) STRICT, WITHOUT ROWID;
CREATE TABLE tombstones (hash BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE erasures (position INTEGER PRIMARY KEY, first INTEGER NOT NULL) STRICT;
"""

# One row for a whole list, not one for each item of it, with its texts as they are: whom the store has never heard of
# is shown something, too. `click_through` counts what the others would have to be looked through for, and goes on
# counting what is no longer there. `waiting`: citations of impressions that are not stored, or not yet.
_IMPRESSIONS = """
CREATE TABLE models (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE impressions (
    code INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    user_id TEXT,
    model INTEGER NOT NULL REFERENCES models,
    time INTEGER NOT NULL, -- microseconds since the epoch
    items TEXT NOT NULL -- a JSON array of ids, best first
) STRICT;
CREATE INDEX impressions_by_user ON impressions (user_id) WHERE user_id IS NOT NULL;
CREATE TABLE clicks (
    impression INTEGER NOT NULL REFERENCES impressions ON DELETE CASCADE,
    rank INTEGER NOT NULL, -- from 1
    PRIMARY KEY (impression, rank)
) STRICT, WITHOUT ROWID;
CREATE TABLE click_through (
    model INTEGER NOT NULL REFERENCES models,
    rank INTEGER NOT NULL,
    shown INTEGER NOT NULL,
    clicked INTEGER NOT NULL,
    PRIMARY KEY (model, rank)
) STRICT, WITHOUT ROWID;
CREATE TABLE waiting (
    code INTEGER PRIMARY KEY,
    recommendation_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    item_id TEXT NOT NULL
) STRICT;
CREATE INDEX waiting_by_recommendation ON waiting (recommendation_id);
"""

# Counts the writings of the catalogue, so that nobody need read all of it to find that it is what it was.
_CATALOG_VERSION = "ALTER TABLE arrivals ADD COLUMN catalog_version INTEGER NOT NULL DEFAULT 0;"

MIGRATIONS: tuple[str, ...] = (_FIRST, _FORGETTING, _IMPRESSIONS, _CATALOG_VERSION)
"""What brings a file from version i to i + 1; a published one is never changed."""


def prepare(connection: apsw.Connection, file: str, *, create: bool) -> None:
    """Makes sure that the file is a store of this version: migrates an older one, creates one where asked to.

    Raises:
        StoreError: the file is another program's, is empty, or was written by a newer foldin; it is left as it is.
    """
    with transaction(connection, "DEFERRED"):
        version = read_version(connection, file, create=create)
    if version < len(MIGRATIONS):
        with transaction(connection, "IMMEDIATE"):
            # read again: another process may have migrated while this one waited for its turn
            _migrate(connection, read_version(connection, file, create=create))


def check_version(connection: apsw.Connection, file: str) -> None:
    """Makes sure that a file which cannot be written is a store of this version.

    Raises:
        StoreError: it is not, or an older one, which would have to be migrated.
    """
    if read_version(connection, file, create=False) < len(MIGRATIONS):
        raise StoreError(
            f"{file} was written by an older foldin, and must be brought up to date before it can be read: "
            "open it once where it can be written, with any command that reads it"
        )


def read_version(connection: apsw.Connection, file: str, *, create: bool) -> int:
    """Returns the version of a store's tables: how many of `MIGRATIONS` it went through; 0 for an empty file.

    Raises:
        StoreError: the file is another program's, was written by a newer foldin, or is empty and not to be created.
    """
    application, version = connection.pragma("application_id"), int(connection.pragma("user_version"))
    if _is_blank(connection, application):
        if not create:
            raise StoreError(f"{file} is empty: it is no foldin store yet; put data in with `foldin ingest`")
        return 0
    if application != APPLICATION_ID:
        raise StoreError(f"{file} is another program's SQLite database; give the path of a foldin store")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"{file} was written by a newer foldin (schema {version}, this one knows up to {len(MIGRATIONS)}); "
            "upgrade foldin"
        )
    return version


def _is_blank(connection: apsw.Connection, application: int) -> bool:
    return application == 0 and not connection.execute("SELECT 1 FROM sqlite_schema").fetchall()


def _migrate(connection: apsw.Connection, version: int) -> None:
    for script in MIGRATIONS[version:]:
        connection.execute(script).fetchall()
    connection.pragma("application_id", APPLICATION_ID)
    connection.pragma("user_version", len(MIGRATIONS))
