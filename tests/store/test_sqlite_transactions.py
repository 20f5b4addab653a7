"""What a transaction of the SQLite store does around the work itself: checks, page cache, copies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import apsw
import pytest

from foldin.errors import StoreError
from foldin.store import sqlite
from foldin.store.connecting import CACHE, LARGE_CACHE
from foldin.store.contract import Batch
from foldin.store.sqlite import SqliteStore, copy_database
from foldin.store.transactions import transaction
from tests.faults.batches import batch_of


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "store.sqlite", create=True) as opened:
        yield opened


def cache_sizes(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Fills up with the size of the page cache, in each transaction."""
    sizes: list[int] = []

    @contextmanager
    def note_size(connection: apsw.Connection, mode: Literal["DEFERRED", "IMMEDIATE"]) -> Iterator[None]:
        with transaction(connection, mode):
            sizes.append(int(connection.pragma("cache_size")))
            yield

    monkeypatch.setattr(sqlite, "transaction", note_size)
    return sizes


def test_only_an_import_has_a_large_page_cache(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = cache_sizes(store, monkeypatch)
    store.ingest([batch_of("first", 2)])
    store.append([batch_of("second", 2)])
    assert sizes == [LARGE_CACHE, CACHE]


def test_a_check_whether_it_can_be_written_writes(store: SqliteStore, tmp_path: Path) -> None:
    log = tmp_path / "store.sqlite-wal"
    before = log.stat().st_size
    store.check_writable()
    assert log.stat().st_size > before


@pytest.mark.parametrize("side", ["", "-wal", "-shm"])
def test_what_was_written_while_a_file_was_moved_is_rolled_back(
    store: SqliteStore, tmp_path: Path, side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, moved, append = tmp_path / f"store.sqlite{side}", tmp_path / "moved", sqlite._appended

    def append_and_move(connection: apsw.Connection, batch: Batch) -> object:
        outcome = append(connection, batch)
        file.rename(moved)
        return outcome

    monkeypatch.setattr(sqlite, "_appended", append_and_move)
    with pytest.raises(StoreError, match="was deleted or moved while it was in use"):
        store.append([batch_of("lost", 3)])
    moved.rename(file)
    assert store.summary().events == 0


def test_a_copy_is_complete_by_itself(store: SqliteStore, tmp_path: Path) -> None:
    store.ingest([batch_of("first", 50)])
    copy = tmp_path / "copy.sqlite"
    store.copy_to(copy, shown_as=copy)
    assert [file.name for file in tmp_path.glob("copy*")] == [copy.name]
    with SqliteStore(copy) as copied:
        assert copied.fingerprint() == store.fingerprint()


def test_a_copy_holds_the_moment_at_which_it_began(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, source, connect = tmp_path / "copy.sqlite", apsw.Connection(str(tmp_path / "store.sqlite")), apsw.Connection
    store.append([batch_of("before", 1)])
    source.execute("BEGIN")

    def append_and_connect(name: str) -> apsw.Connection:
        store.append([batch_of("after", 1)])
        return connect(name)

    with monkeypatch.context() as patch:
        patch.setattr(apsw, "Connection", append_and_connect)
        copy_database(source, copy)
    source.close()
    with SqliteStore(copy) as copied:
        assert copied.summary().events == 1
