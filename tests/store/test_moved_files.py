"""A store whose files are moved, deleted or replaced while it is open, and files that do not belong together."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from foldin.errors import StoreError
from foldin.store.backup import restore
from foldin.store.contract import Impression, Store
from foldin.store.file_identity import record_inode
from foldin.store.sqlite import SqliteStore
from tests.faults.batches import batch_of

CALLS: dict[str, Callable[[Store], object]] = {
    "append": lambda store: store.append([batch_of("late", 3)]),
    "ingest": lambda store: store.ingest([batch_of("late", 3)]),
    "show": lambda store: store.show([Impression("r", "user 1", "ease", 1, ("x",))]),
    "forget": lambda store: store.forget("user 1"),
    "history": lambda store: store.history("user 1"),
    "summary": lambda store: store.summary(),
}
SIDES = ["", "-wal", "-shm"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder / "store.sqlite"


def copy_by_sqlite(source: Path, target: Path) -> None:
    # apsw alone: another SQLite library in this process would drop the locks of the first
    reading, writing = apsw.Connection(str(source)), apsw.Connection(str(target))
    with writing.backup("main", reading, "main") as copying:
        copying.step()
    writing.close()
    reading.close()


def replaced_store(path: Path) -> SqliteStore:
    """An open store with a write-ahead log, whose file an older copy of it has replaced."""
    store = SqliteStore(path, create=True)
    store.append([batch_of("first", 50)])
    copy_by_sqlite(path, path.with_name("backup"))
    store.append([batch_of("second", 400)])
    path.with_name("backup").replace(path)
    return store


def events(path: Path) -> int:
    with SqliteStore(path) as store:
        return store.summary().events


def integrity(path: Path) -> str:
    connection = apsw.Connection(str(path))
    found = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    return str(found[0][0])


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_deleted_store_is_neither_written_nor_read(path: Path, call: Callable[[Store], object]) -> None:
    with SqliteStore(path, create=True) as store:
        store.append([batch_of("first", 5)])
        for file in path.parent.glob("store.sqlite*"):
            file.unlink()
        with pytest.raises(StoreError, match="was deleted or moved while it was in use"):
            call(store)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("side", SIDES)
def test_each_file_of_a_store_is_missed(path: Path, side: str) -> None:
    with SqliteStore(path, create=True) as store:
        store.append([batch_of("first", 5)])
        Path(f"{path}{side}").rename(path.with_name("elsewhere"))
        with pytest.raises(StoreError, match=rf"store.sqlite{side} was deleted or moved"):
            store.append([batch_of("late", 3)])
        path.with_name("elsewhere").rename(f"{path}{side}")
        store.append([batch_of("again", 2)])
    assert (events(path), integrity(path)) == (7, "ok")


def test_what_is_committed_while_the_file_is_deleted_is_not_acknowledged(path: Path) -> None:
    with SqliteStore(path, create=True) as store, pytest.raises(StoreError, match="was deleted or moved"):
        store.alter_item("x", lambda _: path.unlink() or {})  # type: ignore[func-returns-value]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_replaced_store_is_neither_written_nor_read(path: Path, call: Callable[[Store], object]) -> None:
    with replaced_store(path) as store, pytest.raises(StoreError, match="was replaced while it was in use"):
        call(store)


def test_a_replacement_is_sound_once_the_old_store_is_closed(path: Path) -> None:
    store = replaced_store(path)
    with SqliteStore(path.with_name("other"), create=True):
        store.close()
    assert (integrity(path), events(path)) == ("ok", 50)


def test_a_replacement_is_not_opened_beside_the_log_of_the_old_store(path: Path, tmp_path: Path) -> None:
    """As after a kill -9, or while the service with the old store runs on."""
    store = replaced_store(path)
    killed = tmp_path / "killed"
    subprocess.run(["cp", "-a", str(path.parent), str(killed)], check=True)
    (killed / "store.sqlite-inode").write_text("1\n")  # the copy of a file is another file; both are not the old one
    before = {file.name: file.read_bytes() for file in killed.iterdir()}
    for place in (path, killed / "store.sqlite"):
        for create in (False, True):
            with pytest.raises(StoreError, match=r"is not the file that .*-wal belongs to, .* `foldin restore`"):
                SqliteStore(place, create=create)
    assert {file.name: file.read_bytes() for file in killed.iterdir()} == before
    store.close()


def test_a_log_without_its_store_is_not_thrown_away(path: Path) -> None:
    with SqliteStore(path, create=True) as store:
        store.append([batch_of("first", 5)])
        path.rename(path.with_name("elsewhere"))
        with pytest.raises(StoreError, match="is missing, though its write-ahead log is there"):
            SqliteStore(path, create=True)
        path.with_name("elsewhere").rename(path)
        assert store.summary().events == 5


def test_a_store_that_was_copied_or_moved_as_a_whole_is_opened(path: Path, tmp_path: Path) -> None:
    with SqliteStore(path, create=True) as store:
        store.append([batch_of("first", 5)])
    subprocess.run(["cp", "-r", str(path.parent), str(tmp_path / "copy")], check=True)
    path.parent.rename(tmp_path / "moved")
    assert events(tmp_path / "copy" / "store.sqlite") == events(tmp_path / "moved" / "store.sqlite") == 5


def test_a_backup_that_is_moved_into_place_of_a_closed_store_is_opened(path: Path) -> None:
    with SqliteStore(path, create=True) as store:
        store.append([batch_of("first", 5)])
        copy_by_sqlite(path, path.with_name("backup"))
    path.with_name("backup").replace(path)
    with SqliteStore(path) as store:
        store.append([batch_of("second", 5)])
    assert (events(path), integrity(path)) == (10, "ok")


@pytest.fixture
def killed(path: Path) -> Path:
    """A store that was killed with a log, whose file lacks pages of a backup made before; beside it that backup."""
    running = path.parent.with_name("running") / "store.sqlite"
    running.parent.mkdir()
    with SqliteStore(running, create=True) as store:
        store.append([batch_of("first", 50)])
        copy_by_sqlite(running, path.with_name("backup"))
        store.append([batch_of("second", 5_000)])
        store._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        store.append([batch_of("third", 100)])
        for side in SIDES:  # as a process leaves them that is ended by kill -9
            shutil.copyfile(f"{running}{side}", f"{path}{side}")
    record_inode(str(path))
    return path


@pytest.mark.parametrize("copied", ["cp", "rm; cp"])
def test_a_backup_copied_over_a_killed_store_is_not_opened_with_the_log(killed: Path, copied: str) -> None:
    if copied == "rm; cp":
        killed.unlink()
    shutil.copyfile(killed.with_name("backup"), killed)
    record_inode(str(killed))  # the new file may get the inode of the deleted one
    before = {file.name: file.read_bytes() for file in killed.parent.iterdir()}
    for _ in range(2):
        with pytest.raises(StoreError, match=r"is the log of another file, .* `foldin restore`"):
            SqliteStore(killed)
    assert {file.name: file.read_bytes() for file in killed.parent.iterdir()} == before
    restore(f"sqlite:///{killed}", killed.with_name("backup"))
    assert (events(killed), integrity(killed)) == (50, "ok")


def test_a_killed_store_is_opened_with_its_log(killed: Path) -> None:
    assert (events(killed), integrity(killed)) == (5_150, "ok")
