"""The store in one SQLite file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias, cast

import apsw

from foldin.data.catalog import Catalog
from foldin.data.interactions import History, Interactions
from foldin.data.profiles import Profiles
from foldin.errors import ConflictError, DataError, FoldinError, StoreError
from foldin.store.batches import take_batch
from foldin.store.connecting import connected, with_large_cache
from foldin.store.contract import Batch, ClickThrough, Forgotten, Impression, Ingested, Shown, Snapshot, Summary
from foldin.store.dictionary import ITEMS, SOURCES, USERS, check_text, latest_code
from foldin.store.events import read_history, read_interactions
from foldin.store.file_identity import check_in_place, side_files, was_replaced
from foldin.store.fingerprint import fingerprint
from foldin.store.forgetting import erase, erased_since, lift, scrub
from foldin.store.frozen import stamp, unwritten
from foldin.store.impressions import read_click_through, read_shown, write_impressions
from foldin.store.records import (
    alter_item,
    read_catalog,
    read_catalog_version,
    read_profile,
    read_profiles,
    write_catalog,
    write_profiles,
)
from foldin.store.transactions import failures_named, savepoint, transaction

__all__ = ["SqliteStore", "copy_database"]

_Counts: TypeAlias = tuple[int, int, int, int, int | None, int | None, int, int]

_SUMMARY = """
SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM items), (SELECT coalesce(sum(events), 0) FROM sources),
    (SELECT count(*) FROM sources), first_time, last_time, (SELECT count(*) FROM tombstones), next FROM arrivals
"""
_SOURCES = "SELECT name, events FROM sources ORDER BY name"

PAGES_AT_ONCE = 1_024
"""Pages that are copied between two moments at which Ctrl-C can end the copying."""


class SqliteStore:
    """`Store` in a SQLite file, written ahead (WAL) and synchronised at every commit: what a call stored stays.

    Raises:
        StoreError: the file cannot be opened, or is not a foldin store of a version this foldin knows.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self._file = str(path.absolute())
        with failures_named(self._file):
            self._opened = connected(self._file, create=create)

    @property
    def _connection(self) -> apsw.Connection:
        return self._opened.connection

    def ingest(
        self,
        batches: Sequence[Batch],
        *,
        catalog: Catalog | None = None,
        profiles: Profiles | None = None,
    ) -> Ingested:
        """See `Store.ingest`."""
        with self._writing(large=True) as connection:
            return _ingested(connection, batches, catalog, profiles)

    def append(self, batches: Sequence[Batch]) -> list[Ingested | FoldinError]:
        """See `Store.append`."""
        with self._writing() as connection:
            return [_appended(connection, batch) for batch in batches]

    def show(self, impressions: Sequence[Impression]) -> None:
        """See `Store.show`."""
        with self._writing() as connection:
            write_impressions(connection, impressions)

    def shown_to(self, user_id: str) -> list[Shown]:
        """See `Store.shown_to`."""
        with self._reading() as connection:
            return read_shown(connection, user_id)

    def click_through(self) -> list[ClickThrough]:
        """See `Store.click_through`."""
        with self._reading() as connection:
            return read_click_through(connection)

    def forget(self, user_id: str) -> Forgotten:
        """See `Store.forget`."""
        with self._writing() as connection:
            forgotten = erase(connection, user_id)
        self._scrub()
        return forgotten

    def readmit(self, user_id: str) -> bool:
        """See `Store.readmit`."""
        with self._writing() as connection:
            return lift(connection, user_id)

    def forgotten_since(self, position: int) -> int:
        """See `Store.forgotten_since`."""
        with self._reading() as connection:
            return erased_since(connection, position)

    def cursor(self, source: str) -> str | None:
        """See `Store.cursor`."""
        check_text([source], SOURCES.field)
        with self._reading() as connection:
            row = connection.execute("SELECT cursor FROM sources WHERE name = ?", (source,)).fetchone()
            return None if row is None else cast("str | None", row[0])

    def put_catalog(self, catalog: Catalog) -> None:
        """See `Store.put_catalog`."""
        with self._writing() as connection:
            write_catalog(connection, catalog)

    def alter_item(self, item_id: str, change: Callable[[dict[str, str] | None], Mapping[str, str]]) -> None:
        """See `Store.alter_item`."""
        with self._writing() as connection:
            alter_item(connection, item_id, change)

    def put_profiles(self, profiles: Profiles) -> None:
        """See `Store.put_profiles`."""
        with self._writing() as connection:
            write_profiles(connection, profiles)

    def interactions(self, *, since: int | None = None) -> Interactions:
        """See `Store.interactions`."""
        with self._reading() as connection:
            return read_interactions(connection, since)

    def snapshot(self, *, without: Collection[str] = ()) -> Snapshot:
        """See `Store.snapshot`."""
        check_text(list(without), SOURCES.field)
        with self._reading() as connection:
            return Snapshot(
                read_interactions(connection, without=without),
                read_catalog(connection),
                read_profiles(connection),
                int(connection.execute("SELECT next FROM arrivals").get),
            )

    def history(self, user_id: str) -> History:
        """See `Store.history`."""
        with self._reading() as connection:
            return read_history(connection, user_id)

    def catalog(self) -> Catalog:
        """See `Store.catalog`."""
        with self._reading() as connection:
            return read_catalog(connection)

    def catalog_version(self) -> int:
        """See `Store.catalog_version`."""
        with self._reading() as connection:
            return read_catalog_version(connection)

    def profiles(self) -> Profiles:
        """See `Store.profiles`."""
        with self._reading() as connection:
            return read_profiles(connection)

    def profile(self, user_id: str) -> dict[str, str]:
        """See `Store.profile`."""
        with self._reading() as connection:
            return read_profile(connection, user_id)

    def user_ids(self) -> list[str]:
        """See `Store.user_ids`."""
        with self._reading() as connection:
            return [user_id for (user_id,) in connection.execute("SELECT id FROM users ORDER BY id")]

    def sources(self) -> Mapping[str, int]:
        """See `Store.sources`."""
        with self._reading() as connection:
            return dict(cast("list[tuple[str, int]]", connection.execute(_SOURCES).fetchall()))

    def summary(self) -> Summary:
        """See `Store.summary`."""
        with self._reading() as connection:
            return Summary(*cast("_Counts", connection.execute(_SUMMARY).fetchone()))

    def fingerprint(self) -> str:
        """See `Store.fingerprint`."""
        with self._reading() as connection:
            return fingerprint(read_interactions(connection), read_catalog(connection), read_profiles(connection))

    def check_writable(self) -> None:
        """See `Store.check_writable`."""
        with self._writing() as connection:
            connection.execute("UPDATE arrivals SET next = next")

    def copy_to(self, file: Path, *, shown_as: Path) -> None:
        """Writes all that is in the store, as it is at one moment, over another SQLite file; writers go on meanwhile.

        `shown_as`: what errors name in place of `file`, where that is temporary.

        Raises:
            StoreError: the store cannot be read, or the file cannot be written.
        """
        with self._reading() as connection, failures_named(str(shown_as)):
            copy_database(connection, file)

    def close(self) -> None:
        """See `Store.close`."""
        with failures_named(self._file):
            if was_replaced(self._file, self._opened.files):
                self._discard_log()
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _scrub(self) -> None:
        try:
            scrub(self._connection)
        except apsw.Error as failure:
            raise StoreError(
                f"{self._file}: the user is forgotten, but the write-ahead log still holds what was erased; "
                f"forget the user again to empty it ({failure})"
            ) from failure

    @contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        with failures_named(self._file), self._unchanged(), transaction(self._connection, "DEFERRED"):
            yield self._connection

    def _unchanged(self) -> AbstractContextManager[None]:
        """Checks that the files are those that were opened, and of one read without locks that it stays as it is."""
        frozen = self._opened.frozen
        if frozen is None:
            self._check_in_place()
            return nullcontext()
        if stamp(self._file) != frozen:
            self._thaw()
            return self._unchanged()
        return unwritten(self._file, frozen)

    @contextmanager
    def _writing(self, *, large: bool = False) -> Iterator[apsw.Connection]:
        with failures_named(self._file):
            self._thaw()
            self._check_in_place()
            cache = with_large_cache(self._connection) if large else nullcontext()
            with cache, transaction(self._connection, "IMMEDIATE"):
                yield self._connection
                self._check_in_place()
            self._check_in_place()  # what was committed to a file that is gone is not acknowledged

    def _thaw(self) -> None:
        """Opens a file again that could only be read without locks: there may be permission or room by now."""
        if self._opened.frozen is not None:
            opened = connected(self._file, create=False)
            self._connection.close()
            self._opened = opened

    def _check_in_place(self) -> None:
        self._connection.total_changes()  # raises where it was closed, which removes the log
        check_in_place(self._file, self._opened.files)

    def _discard_log(self) -> None:
        """Empties and removes the log of a file that another has replaced, so that it is not applied to the other.

        What it held goes into the file it belongs to, which may be kept under another name.
        """
        with suppress(apsw.Error, OSError):  # with a reader left it stays, and then the other file is not opened
            self._connection.set_busy_handler(None)
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            for file in side_files(self._file):
                file.unlink(missing_ok=True)


def copy_database(source: apsw.Connection, file: Path) -> None:
    """Writes a database over another SQLite file, which is then complete by itself, without a log beside it.

    Raises:
        apsw.Error: the one cannot be read, or the other cannot be written.
    """
    source.pragma("user_version")  # in a transaction: all pages are copied as they are now
    target = apsw.Connection(str(file))
    try:
        with target.backup("main", source, "main") as copying:
            while not copying.done:
                copying.step(PAGES_AT_ONCE)
        target.pragma("journal_mode", "delete")
    finally:
        target.close()


def _ingested(
    connection: apsw.Connection, batches: Sequence[Batch], catalog: Catalog | None, profiles: Profiles | None
) -> Ingested:
    users, items = latest_code(connection, USERS), latest_code(connection, ITEMS)
    # the catalogue first, so that its items lie in its order
    if catalog is not None:
        write_catalog(connection, catalog)
    if profiles is not None:
        write_profiles(connection, profiles)
    taken = [take_batch(connection, batch) for batch in batches]
    return Ingested(
        sum(one.events for one in taken),
        sum(one.known for one in taken),
        sum(one.forgotten for one in taken),
        latest_code(connection, USERS) - users,
        latest_code(connection, ITEMS) - items,
        sum(one.repeated for one in taken),
        sum(one.alike for one in taken),
    )


def _appended(connection: apsw.Connection, batch: Batch) -> Ingested | FoldinError:
    try:
        with savepoint(connection):
            return _ingested(connection, [batch], None, None)
    except (DataError, ConflictError) as refusal:
        return refusal
