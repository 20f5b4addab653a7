"""`foldin backup` and `foldin restore`."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import TypeAlias

import apsw
import pytest

from foldin.errors import NotFoundError
from foldin.service.addresses import announced
from foldin.store.sqlite import SqliteStore
from foldin.workspace import SETTINGS, Workspace, create_workspace
from tests.faults.batches import batch_of

Run: TypeAlias = Callable[..., CompletedProcess[str]]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = create_workspace(tmp_path / "w")
    store(made, "first", 5)
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.sqlite"


def store(workspace: Workspace, name: str, count: int) -> None:
    with workspace.store(create=True) as opened:
        opened.append([batch_of(name, count)])


def events(workspace: Workspace) -> int:
    with workspace.store() as opened:
        return opened.summary().events


def path(workspace: Workspace) -> Path:
    return workspace.folder / "store.sqlite"


def refused(answer: CompletedProcess[str], code: int, *words: str) -> bool:
    assert answer.returncode == code, answer.stderr
    assert all(word in answer.stderr for word in words), answer.stderr
    return True


def test_a_backup_is_brought_back(run: Run, workspace: Workspace, file: Path) -> None:
    with workspace.store() as before:
        content = before.fingerprint()
    answer = run("backup", file, "-w", workspace.folder)
    assert (answer.returncode, f"`foldin restore {file} -w {workspace.folder}`" in answer.stdout) == (0, True)
    assert (stat.S_IMODE(file.stat().st_mode), [place.name for place in file.parent.iterdir()].count(file.name)) == (
        0o600,
        1,
    )
    store(workspace, "later", 7)
    answer = run("restore", file, "-w", workspace.folder)
    assert answer.returncode == 0, answer.stderr
    with workspace.store() as after:
        assert (after.fingerprint(), after.summary().events) == (content, 5)
    (kept,) = workspace.folder.glob("store.sqlite.before-restore-*")
    assert str(kept) in answer.stdout
    with SqliteStore(kept) as old:
        assert old.summary().events == 12
    assert stat.S_IMODE(path(workspace).stat().st_mode) == 0o600


def test_a_backup_is_complete_while_events_come(run: Run, workspace: Workspace, file: Path) -> None:
    done = threading.Event()

    def write() -> None:
        with workspace.store() as opened:
            while not done.is_set():
                opened.append([batch_of("more", 20)])

    writing = threading.Thread(target=write)
    writing.start()
    try:
        answers = [run("backup", file, "--force", "-w", workspace.folder) for _ in range(3)]
    finally:
        done.set()
        writing.join()
    assert [answer.returncode for answer in answers] == [0] * 3
    with SqliteStore(file) as copy:
        assert (copy.summary().events - 5) % 20 == 0
    assert not [place for place in file.parent.iterdir() if place.name.endswith((".tmp", "-journal"))]


def test_a_file_that_is_there_is_replaced_only_by_force(run: Run, workspace: Workspace, file: Path) -> None:
    file.write_text("mine")
    assert refused(run("backup", file, "-w", workspace.folder), 2, "exists", "--force")
    assert file.read_text() == "mine"
    assert run("backup", file, "--force", "-w", workspace.folder).returncode == 0
    assert refused(run("backup", path(workspace), "--force", "-w", workspace.folder), 2, "is the store itself")


def test_a_damaged_store_is_not_backed_up(run: Run, workspace: Workspace, file: Path) -> None:
    damaged = bytearray(path(workspace).read_bytes())
    damaged[3 * 4096 :] = b"\xff" * (len(damaged) - 3 * 4096)
    path(workspace).write_bytes(damaged)
    assert refused(run("backup", file, "-w", workspace.folder), 5, "is damaged")
    assert not file.exists()


def test_only_a_sound_store_of_a_known_version_is_brought_back(run: Run, workspace: Workspace, file: Path) -> None:
    assert refused(run("restore", file, "-w", workspace.folder), 4, "no backup at")
    file.write_text("user,item\n" * 200)
    assert refused(run("restore", file, "-w", workspace.folder), 5, "is not a SQLite database")
    file.unlink()
    connection = apsw.Connection(str(file))
    connection.execute("CREATE TABLE one (x)")
    assert refused(run("restore", file, "-w", workspace.folder), 5, "another program's")
    connection.close()
    run("backup", file, "--force", "-w", workspace.folder)
    connection = apsw.Connection(str(file))
    connection.pragma("user_version", 1_000)
    connection.close()
    assert refused(run("restore", file, "-w", workspace.folder), 5, "newer foldin")
    assert refused(run("restore", path(workspace), "-w", workspace.folder), 2, "is the store itself")
    assert events(workspace) == 5
    assert not list(workspace.folder.glob("*before-restore*"))


def test_a_store_in_use_stays(run: Run, workspace: Workspace, file: Path) -> None:
    run("backup", file, "-w", workspace.folder)
    with announced(workspace.folder, "http://127.0.0.1:1/", auth=True):
        assert refused(run("restore", file, "-w", workspace.folder), 5, "http://127.0.0.1:1/", "end it")
    with workspace.store() as other:
        assert refused(run("restore", file, "-w", workspace.folder), 5, "is in use", "end the service")
        assert other.append([batch_of("later", 1)])
    assert events(workspace) == 6


def test_a_backup_is_brought_back_where_another_file_lies_beside_the_log_of_the_old_store(
    run: Run, workspace: Workspace, file: Path
) -> None:
    run("backup", file, "-w", workspace.folder)
    path(workspace).with_name("store.sqlite-wal").write_bytes(b"frames of another file")
    path(workspace).with_name("store.sqlite-inode").write_text("1\n")
    assert run("restore", file, "-w", workspace.folder).returncode == 0
    assert events(workspace) == 5
    assert len(list(workspace.folder.glob("*before-restore*-wal"))) == 1


def test_a_store_that_is_lost_beside_models_is_not_made_anew(run: Run, workspace: Workspace, file: Path) -> None:
    run("backup", file, "-w", workspace.folder)
    (workspace.folder / "bundles" / "1-ease").mkdir(parents=True)
    path(workspace).unlink()
    log = file.with_name("log.csv")
    log.write_text("user,item\nann,x\n")
    for command in (["ingest", log], ["serve", "--port", "0"], ["train"]):
        assert refused(run(*command, "-w", workspace.folder), 4, "no store at", "foldin restore FILE", "--empty")
    assert not path(workspace).exists()
    assert run("restore", file, "-w", workspace.folder).returncode == 0
    assert events(workspace) == 5


def test_an_empty_store_is_made_only_where_there_is_none(run: Run, workspace: Workspace) -> None:
    assert refused(run("restore", "--empty", "-w", workspace.folder), 2, "there is a store")
    assert refused(run("restore", "-w", workspace.folder), 2, "--empty")
    (workspace.folder / "bundles" / "1-ease").mkdir(parents=True)
    path(workspace).unlink()
    path(workspace).with_name("store.sqlite-wal").write_bytes(b"frames of a file that is gone")
    with pytest.raises(NotFoundError, match="there are models trained from one"):
        workspace.store(create=True)
    assert run("restore", "--empty", "-w", workspace.folder).returncode == 0
    assert events(workspace) == 0


def test_a_store_in_postgresql_has_its_own_tools(run: Run, workspace: Workspace, file: Path) -> None:
    (workspace.folder / SETTINGS).write_text('store = "postgresql://127.0.0.1:1/none"\n')
    assert refused(run("backup", file, "-w", workspace.folder), 2, "pg_dump")
    assert refused(run("restore", file, "-w", workspace.folder), 2, "pg_restore")
