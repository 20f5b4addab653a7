"""What only a SQLite file can be: another program's, too new, damaged, unwritable, full or locked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import numpy as np
import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Interactions
from foldin.errors import StoreError
from foldin.store import connecting, schema
from foldin.store.contract import Batch, Impression
from foldin.store.schema import APPLICATION_ID, MIGRATIONS
from foldin.store.sqlite import SqliteStore

NOBODY = 65_534

FILL_THE_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from foldin.data.catalog import ids_of
from foldin.data.interactions import Interactions
from foldin.errors import StoreError
from foldin.store.contract import Batch
from foldin.store.sqlite import SqliteStore

with SqliteStore(Path(sys.argv[1])) as store:
    before = store.fingerprint()
    codes = np.zeros(200_000, dtype=np.int32)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    try:
        store.ingest([Batch(Interactions(ids_of(["ann"]), codes, ids_of(["x"]), codes), "large")])
    except StoreError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert store.fingerprint() == before
    small = Interactions(ids_of(["ann"]), codes[:1], ids_of(["x"]), codes[:1])
    assert store.ingest([Batch(small, "small")]).events == 1
"""

WRITTEN_MEANWHILE = r"store.sqlite: another process has written to it since it was opened, .*; open it again"

CREATE = """
import sys
from pathlib import Path
from foldin.store.sqlite import SqliteStore
SqliteStore(Path(sys.argv[1]), create=True).close()
"""

READ = f"""
import os, sys
from pathlib import Path
from foldin.store.sqlite import SqliteStore
if os.getuid() == 0:
    os.seteuid({NOBODY})
with SqliteStore(Path(sys.argv[1])) as store:
    print(len(store.interactions()))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def unwritable(log: Interactions) -> Iterator[Path]:
    """A folder with a store in it, of which this process may write neither."""
    folder = Path(tempfile.mkdtemp())
    with SqliteStore(folder / "store.sqlite", create=True) as store:
        store.ingest([Batch(log, "a")])
    (folder / "store.sqlite").chmod(0o644)  # other accounts read a store only where its owner lets them
    folder.chmod(0o555)
    as_nobody_else()
    yield folder
    os.seteuid(os.getuid())
    folder.chmod(0o755)
    shutil.rmtree(folder)


def as_nobody_else() -> None:
    """Lets file permissions hold for this process: nothing is unwritable for root."""
    if os.getuid() == 0:
        os.seteuid(NOBODY)


@contextmanager
def as_owner(folder: Path) -> Iterator[None]:
    """Lets the folder be written in for a while."""
    os.seteuid(os.getuid())
    folder.chmod(0o755)
    yield
    folder.chmod(0o555)
    as_nobody_else()


def read_as_nobody(path: Path) -> str:
    """How many events another process finds, which may not write."""
    reader = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True, check=False)
    return reader.stdout + reader.stderr


@pytest.fixture
def log() -> Interactions:
    codes = np.zeros(3, dtype=np.int32)
    return Interactions(ids_of(["ann"]), codes, ids_of(["x"]), codes)


def content(path: Path) -> bytes:
    return path.read_bytes()


def test_the_file_is_marked_written_ahead_and_synchronised(path: Path, log: Interactions) -> None:
    with SqliteStore(path, create=True) as store:
        store.ingest([Batch(log, "a")])
        assert path.with_name("store.sqlite-wal").exists()
        assert store._connection.pragma("synchronous") == 2
    connection = apsw.Connection(str(path))
    assert connection.pragma("application_id") == APPLICATION_ID
    assert connection.pragma("user_version") == len(MIGRATIONS)
    assert connection.pragma("journal_mode") == "wal"
    connection.close()


def test_little_is_held_of_what_was_stored(path: Path) -> None:
    codes = np.arange(50_000, dtype=np.int32)
    ids = ids_of(f"user {code:05d}" for code in codes)
    with SqliteStore(path, create=True) as store:
        store.ingest([Batch(Interactions(ids, codes, ids_of(["x"]), np.zeros_like(codes)), "large")])
        store.show([Impression(f"shown {code:05d}", None, "1-ease", 0, ("x",) * 10) for code in codes.tolist()])
        held, _ = store._connection.status(apsw.SQLITE_DBSTATUS_CACHE_USED)
    assert held < 3 * 2**20 < path.stat().st_size


def test_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    SqliteStore(path, create=True).close()
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", len(MIGRATIONS) + 1)
    connection.close()
    before = content(path)
    with pytest.raises(StoreError, match=r"store.sqlite was written by a newer foldin \(schema 5, .*upgrade foldin"):
        SqliteStore(path, create=True)
    assert content(path) == before


def test_an_older_schema_is_migrated_with_what_it_holds(
    path: Path, log: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SqliteStore(path, create=True) as store:
        store.ingest([Batch(log, "a")])
        fingerprint = store.fingerprint()
    monkeypatch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE one (x); CREATE TABLE two (x)"))
    with SqliteStore(path) as store:
        assert store.fingerprint() == fingerprint
        assert store._connection.pragma("user_version") == len(MIGRATIONS) + 1
        assert store._connection.execute("SELECT * FROM two").fetchall() == []


def test_a_failed_migration_leaves_the_file_as_it_was(
    path: Path, log: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SqliteStore(path, create=True) as store:
        store.ingest([Batch(log, "a")])
    before = content(path)
    monkeypatch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE one (x); CREATE TABLE one (x)"))
    with pytest.raises(StoreError, match="table one already exists"):
        SqliteStore(path)
    assert content(path) == before


@pytest.mark.parametrize("script", ["CREATE TABLE notes (text)", "PRAGMA application_id = 7"])
def test_another_programs_file_is_refused_and_left_alone(path: Path, script: str) -> None:
    connection = apsw.Connection(str(path))
    connection.execute(script).fetchall()
    connection.close()
    before = content(path)
    with pytest.raises(StoreError, match="is another program's SQLite database"):
        SqliteStore(path, create=True)
    assert content(path) == before


def test_a_text_file_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("user,item\n" * 200)
    with pytest.raises(StoreError, match=r"store.sqlite: it is not a SQLite database"):
        SqliteStore(path, create=True)
    assert path.read_text() == "user,item\n" * 200


def test_an_empty_file_becomes_a_store_only_where_asked_to(path: Path) -> None:
    path.touch()
    with pytest.raises(StoreError, match="is empty: it is no foldin store yet"):
        SqliteStore(path)
    assert content(path) == b""
    with SqliteStore(path, create=True) as store:
        assert store.summary().events == 0


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        SqliteStore(tmp_path, create=True)


def test_a_damaged_file_is_reported(path: Path, log: Interactions) -> None:
    with SqliteStore(path, create=True) as store:
        store.ingest([Batch(log, "a")])
    damaged = bytearray(content(path))
    damaged[4096:] = b"\xff" * (len(damaged) - 4096)
    path.write_bytes(damaged)
    with (
        SqliteStore(path) as store,
        pytest.raises(StoreError, match=r"store\.sqlite: it is damaged; restore it from a backup"),
    ):
        store.interactions()


def test_nothing_is_made_in_a_read_only_folder(unwritable: Path) -> None:
    with pytest.raises(StoreError, match=r"new.sqlite: it cannot be opened; check that .* you may write there"):
        SqliteStore(unwritable / "new.sqlite", create=True)


def test_a_store_in_a_read_only_folder_is_read_and_not_written(unwritable: Path, log: Interactions) -> None:
    with SqliteStore(unwritable / "store.sqlite") as store:
        assert (len(store.interactions()), store.history("ann").item_ids, len(store.catalog())) == (3, ("x",) * 3, 0)
        assert store.catalog_version() == 0
        with pytest.raises(StoreError, match=r"store.sqlite: it cannot be written"):
            store.ingest([Batch(log, "a")])
        with pytest.raises(StoreError, match=r"store.sqlite: it cannot be written"):
            store.forget("ann")
    assert sorted(file.name for file in unwritable.iterdir()) == ["store.sqlite", "store.sqlite-inode"]


def test_a_read_only_store_is_read_while_another_process_writes_to_it(unwritable: Path, log: Interactions) -> None:
    with as_owner(unwritable), SqliteStore(unwritable / "store.sqlite") as store:
        store.append([Batch(log, "b")])
        unwritable.chmod(0o555)
        (unwritable / "store.sqlite").chmod(0o444)
        assert (unwritable / "store.sqlite-wal").stat().st_size > 0
        assert read_as_nobody(unwritable / "store.sqlite") == "6\n"
        unwritable.chmod(0o755)


def test_a_store_read_without_locks_is_opened_again_after_a_write(unwritable: Path, log: Interactions) -> None:
    path = unwritable / "store.sqlite"
    with SqliteStore(path) as reader:
        assert len(reader.interactions()) == 3
        with as_owner(unwritable), SqliteStore(path) as writer:
            writer.append([Batch(log, "b")])
        assert len(reader.interactions()) == 6


def test_what_was_read_while_somebody_wrote_is_refused(unwritable: Path, log: Interactions) -> None:
    path = unwritable / "store.sqlite"

    def overtaken(reader: SqliteStore) -> None:
        with reader._reading():
            with as_owner(unwritable), SqliteStore(path) as writer:
                writer.append([Batch(log, "b")])
            raise IndexError("of a page that is not what it was")

    with SqliteStore(path) as reader, pytest.raises(StoreError, match=WRITTEN_MEANWHILE):
        overtaken(reader)


def test_a_log_that_cannot_be_read_is_not_passed_over(path: Path, unwritable: Path, log: Interactions) -> None:
    with as_owner(unwritable), SqliteStore(path, create=True) as store:
        store.append([Batch(log, "b")])
        for ending in ("", "-wal"):
            shutil.copy(f"{path}{ending}", f"{unwritable}/store.sqlite{ending}")
    with pytest.raises(StoreError, match=r"store.sqlite: it cannot be opened; check .* that you may write there"):
        SqliteStore(unwritable / "store.sqlite")


def test_an_older_store_that_cannot_be_written_says_what_to_do(
    unwritable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE one (x)"))
    with pytest.raises(StoreError, match=r"was written by an older foldin, .* open it once where it can be written"):
        SqliteStore(unwritable / "store.sqlite")


def test_a_full_disk_leaves_the_store_as_it_was(path: Path, log: Interactions) -> None:
    with SqliteStore(path, create=True) as store:
        store.ingest([Batch(log, "a")])
    filled = subprocess.run([sys.executable, "-c", FILL_THE_DISK, path], capture_output=True, text=True, check=False)
    assert filled.returncode == 0, filled.stderr
    assert "store.sqlite: " in filled.stdout
    assert "space" in filled.stdout


def test_a_writer_that_waited_too_long_says_so(path: Path, log: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "PATIENCE", 0.05)
    with SqliteStore(path, create=True) as one, SqliteStore(path) as other:
        one.ingest([Batch(log, "a")])
        one._connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process has been writing for too long; try again"):
            other.put_catalog(Catalog(ids_of(["x"])))
        assert other.summary().events == 3
        one._connection.execute("ROLLBACK")
        other.put_catalog(Catalog(ids_of(["x"])))


def test_several_processes_may_create_the_same_store(path: Path) -> None:
    makers = [
        subprocess.Popen([sys.executable, "-c", CREATE, path], stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert [maker.communicate()[1] for maker in makers] == [""] * 4
    with SqliteStore(path) as store:
        assert store.summary().events == 0
