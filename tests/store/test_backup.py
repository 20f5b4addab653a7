"""Backups that are restored beside models, by links, and where files cannot be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from foldin.errors import StoreError
from foldin.store.backup import back_up, restore, start_empty
from foldin.store.opening import sqlite_file
from foldin.store.sqlite import SqliteStore
from tests.faults.batches import batch_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "store.sqlite"
    with SqliteStore(path, create=True) as store:
        store.append([batch_of("first", 5)])
    return path


@pytest.fixture
def backup(path: Path) -> Path:
    file = path.with_name("backup")
    back_up(url(path), file)
    return file


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def position(path: Path) -> int:
    with SqliteStore(path) as store:
        return store.summary().position


def test_users_forgotten_after_a_restore_count_for_models_trained_before(path: Path, backup: Path) -> None:
    with SqliteStore(path) as store:
        store.append([batch_of("later", 20)])
    learned = position(path)
    restore(url(path), backup)
    with SqliteStore(path) as store:
        assert store.forgotten_since(learned) == 0
        store.forget(store.user_ids()[0])
        assert store.forgotten_since(learned) == 1


def test_a_new_store_goes_on_after_what_models_learned_from(path: Path, backup: Path) -> None:
    restore(url(path), backup, learned=70)
    assert position(path) == 71
    path.unlink()
    start_empty(url(path), learned=100)
    assert position(path) == 101


@pytest.mark.parametrize("failing", ["-wal", "store.sqlite"])
def test_a_restore_that_fails_late_leaves_the_store(
    path: Path, backup: Path, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.with_name("store.sqlite-wal").touch()
    rename, replace = Path.rename, Path.replace

    def fail_to_rename(place: Path, target: Path) -> Path:
        if place.name.endswith(failing) and place != path:
            raise OSError(5, "Input/output error")
        return rename(place, target)

    def fail_to_replace(place: Path, target: Path) -> Path:
        if place.name.endswith(".tmp") and Path(target) == path:
            raise OSError(5, "Input/output error")
        return replace(place, target)

    monkeypatch.setattr(Path, "rename", fail_to_rename)
    monkeypatch.setattr(Path, "replace", fail_to_replace)
    monkeypatch.setattr("foldin.store.backup._close_log", lambda _: None)  # or there is no log left to rename
    with pytest.raises(StoreError, match=r"/store\.sqlite cannot be written, and was not changed: Input/output error"):
        restore(url(path), backup)
    monkeypatch.undo()
    assert not list(path.parent.glob("*before-restore*"))
    with SqliteStore(path) as store:
        assert store.summary().events == 5


def test_the_store_is_renamed_before_its_log(path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed, rename = [], Path.rename

    def note(place: Path, target: Path) -> Path:
        renamed.append(place.name)
        return rename(place, target)

    path.with_name("store.sqlite-wal").touch()
    monkeypatch.setattr("foldin.store.backup._close_log", lambda _: None)
    monkeypatch.setattr(Path, "rename", note)
    restore(url(path), backup)
    assert renamed == ["store.sqlite", "store.sqlite-wal"]


def test_a_backup_that_cannot_be_written_is_named(path: Path) -> None:
    with pytest.raises(StoreError, match=r"/none/x\.sqlite cannot be written.*check that its folder exists") as failure:
        back_up(url(path), path.with_name("none") / "x.sqlite")
    assert ".tmp" not in str(failure.value)


def test_a_linked_store_is_the_file_that_the_link_points_to(path: Path, backup: Path) -> None:
    link = path.with_name("link.sqlite")
    link.symlink_to(path)
    assert sqlite_file(url(link)) == path.resolve()
    restore(url(link), backup)
    assert link.is_symlink()
