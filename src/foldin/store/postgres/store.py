"""The store in one schema of a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from foldin.data.catalog import Catalog
from foldin.data.interactions import History, Interactions
from foldin.data.profiles import Profiles
from foldin.errors import ConflictError, DataError, FoldinError
from foldin.store.contract import Batch, ClickThrough, Forgotten, Impression, Ingested, Shown, Snapshot, Summary
from foldin.store.dictionary import SOURCES, check_text
from foldin.store.fingerprint import fingerprint
from foldin.store.postgres.address import address_of
from foldin.store.postgres.batches import take_batch
from foldin.store.postgres.events import read_history, read_interactions
from foldin.store.postgres.forgetting import erase, erased_since, lift
from foldin.store.postgres.impressions import read_click_through, read_shown, write_impressions
from foldin.store.postgres.records import (
    alter_item,
    read_catalog,
    read_catalog_version,
    read_profile,
    read_profiles,
    write_catalog,
    write_profiles,
)
from foldin.store.postgres.schema import prepare
from foldin.store.postgres.session import Connection, Session

__all__ = ["PostgresStore"]

Result = TypeVar("Result")

# The one row that every writer takes first and keeps until the commit: writers come one after the other, and none
# sees half of another's work.
_TAKE_TURN = "SELECT FROM arrivals FOR UPDATE"
_SUMMARY = """
SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM items),
    (SELECT coalesce(sum(events), 0)::bigint FROM sources), (SELECT count(*) FROM sources),
    first_time, last_time, (SELECT count(*) FROM tombstones), next FROM arrivals
"""
_SOURCES = "SELECT name, events FROM sources ORDER BY name"


class PostgresStore:
    """`Store` in a PostgreSQL database, on a connection that comes back by itself; every commit waits for the disk.

    Raises:
        ConfigurationError: the URL cannot be read.
        NotFoundError: there is no store, and `create` was not asked for.
        StoreError: the server cannot be reached, or the schema is not a foldin store of a version this foldin knows.
    """

    def __init__(self, url: str, *, create: bool = False) -> None:
        address = address_of(url)
        self._session = Session(address, partial(prepare, address=address, create=create))
        self._session.connect()

    def ingest(
        self,
        batches: Sequence[Batch],
        *,
        catalog: Catalog | None = None,
        profiles: Profiles | None = None,
    ) -> Ingested:
        """See `Store.ingest`."""
        return self._write(lambda connection: _ingested(connection, batches, catalog, profiles))

    def append(self, batches: Sequence[Batch]) -> list[Ingested | FoldinError]:
        """See `Store.append`."""
        return self._write(lambda connection: [_appended(connection, batch) for batch in batches])

    def show(self, impressions: Sequence[Impression]) -> None:
        """See `Store.show`."""
        self._write(lambda connection: write_impressions(connection, impressions))

    def shown_to(self, user_id: str) -> list[Shown]:
        """See `Store.shown_to`."""
        return self._session.look(lambda connection: read_shown(connection, user_id))

    def click_through(self) -> list[ClickThrough]:
        """See `Store.click_through`."""
        return self._session.look(read_click_through)

    def forget(self, user_id: str) -> Forgotten:
        """See `Store.forget`."""
        return self._write(lambda connection: erase(connection, user_id))

    def readmit(self, user_id: str) -> bool:
        """See `Store.readmit`."""
        return self._write(lambda connection: lift(connection, user_id))

    def forgotten_since(self, position: int) -> int:
        """See `Store.forgotten_since`."""
        return self._session.look(lambda connection: erased_since(connection, position))

    def cursor(self, source: str) -> str | None:
        """See `Store.cursor`."""
        check_text([source], SOURCES.field)
        return self._session.look(lambda connection: _cursor(connection, source))

    def put_catalog(self, catalog: Catalog) -> None:
        """See `Store.put_catalog`."""
        self._write(lambda connection: write_catalog(connection, catalog))

    def alter_item(self, item_id: str, change: Callable[[dict[str, str] | None], Mapping[str, str]]) -> None:
        """See `Store.alter_item`."""
        self._write(lambda connection: alter_item(connection, item_id, change))

    def put_profiles(self, profiles: Profiles) -> None:
        """See `Store.put_profiles`."""
        self._write(lambda connection: write_profiles(connection, profiles))

    def interactions(self, *, since: int | None = None) -> Interactions:
        """See `Store.interactions`."""
        return self._session.read(lambda connection: read_interactions(connection, since))

    def snapshot(self, *, without: Collection[str] = ()) -> Snapshot:
        """See `Store.snapshot`."""
        check_text(list(without), SOURCES.field)
        return self._session.read(lambda connection: _snapshot(connection, without))

    def history(self, user_id: str) -> History:
        """See `Store.history`."""
        return self._session.look(lambda connection: read_history(connection, user_id))

    def catalog(self) -> Catalog:
        """See `Store.catalog`."""
        return self._session.look(read_catalog)

    def catalog_version(self) -> int:
        """See `Store.catalog_version`."""
        return self._session.look(read_catalog_version)

    def profiles(self) -> Profiles:
        """See `Store.profiles`."""
        return self._session.look(read_profiles)

    def profile(self, user_id: str) -> dict[str, str]:
        """See `Store.profile`."""
        return self._session.look(lambda connection: read_profile(connection, user_id))

    def user_ids(self) -> list[str]:
        """See `Store.user_ids`."""
        return self._session.look(_user_ids)

    def sources(self) -> Mapping[str, int]:
        """See `Store.sources`."""
        return self._session.look(lambda connection: dict(connection.execute(_SOURCES).fetchall()))

    def summary(self) -> Summary:
        """See `Store.summary`."""
        return self._session.look(_summary)

    def fingerprint(self) -> str:
        """See `Store.fingerprint`."""
        return self._session.read(_fingerprint)

    def check_writable(self) -> None:
        """See `Store.check_writable`."""
        self._write(lambda connection: connection.execute("UPDATE arrivals SET next = next"))

    def close(self) -> None:
        """See `Store.close`."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, work: Callable[[Connection], Result]) -> Result:
        return self._session.write(work, first=_TAKE_TURN)


def _ingested(
    connection: Connection, batches: Sequence[Batch], catalog: Catalog | None, profiles: Profiles | None
) -> Ingested:
    # the catalogue first, so that its items lie in its order
    items = 0 if catalog is None else write_catalog(connection, catalog)
    users = 0 if profiles is None else write_profiles(connection, profiles)
    taken = [take_batch(connection, batch) for batch in batches]
    return Ingested(
        sum(one.events for one in taken),
        sum(one.known for one in taken),
        sum(one.forgotten for one in taken),
        users + sum(one.new_users for one in taken),
        items + sum(one.new_items for one in taken),
        sum(one.repeated for one in taken),
        sum(one.alike for one in taken),
    )


def _appended(connection: Connection, batch: Batch) -> Ingested | FoldinError:
    try:
        with connection.transaction():  # a savepoint, inside another
            return take_batch(connection, batch)
    except (DataError, ConflictError) as refusal:
        return refusal


def _cursor(connection: Connection, source: str) -> str | None:
    row = connection.execute("SELECT cursor FROM sources WHERE name = %s", (source,)).fetchone()
    return None if row is None else row[0]


def _user_ids(connection: Connection) -> list[str]:
    return [user_id for (user_id,) in connection.execute("SELECT id FROM users ORDER BY id")]


def _summary(connection: Connection) -> Summary:
    (counts,) = connection.execute(_SUMMARY).fetchall()
    return Summary(*counts)


def _snapshot(connection: Connection, without: Collection[str]) -> Snapshot:
    ((position,),) = connection.execute("SELECT next FROM arrivals").fetchall()
    log = read_interactions(connection, without=without)
    return Snapshot(log, read_catalog(connection), read_profiles(connection), position)


def _fingerprint(connection: Connection) -> str:
    return fingerprint(read_interactions(connection), read_catalog(connection), read_profiles(connection))
