"""Backups of a SQLite store: made while it is in use, checked, and brought back."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import apsw

from foldin.data.files import replaced
from foldin.errors import ConfigurationError, NotFoundError, StoreError
from foldin.store.file_identity import RECORD, check_log_belongs, side_files
from foldin.store.opening import open_store, sqlite_file
from foldin.store.schema import read_version
from foldin.store.sqlite import SqliteStore, copy_database
from foldin.store.transactions import failures_named

__all__ = ["back_up", "restore", "start_empty"]


def back_up(url: str, target: Path, *, force: bool = False) -> None:
    """Writes the store, as it is at one moment, to a file, which appears whole and checked or not at all.

    `force`: whether a file that is there already is replaced.

    Raises:
        ConfigurationError: the store is not in SQLite, or the file is there already.
        NotFoundError: there is no store.
        StoreError: the store cannot be read or is damaged, or the file cannot be written.
    """
    file = _file(url, "pg_dump")
    if not file.exists():
        raise NotFoundError(f"no store at {file}")
    _refuse_own_file(target, file)
    if target.exists() and not force:
        raise ConfigurationError(f"{target} exists: choose another name, or replace it with --force")
    with SqliteStore(file) as store, replaced(target, private=True) as draft:
        store.copy_to(draft)
        with failures_named(str(target)):
            _check_sound(draft, f"{file} is damaged, and was not backed up: restore it from an older backup")


def restore(url: str, backup: Path) -> Path | None:
    """Puts a backup in the place of the store, and returns where the store that was there is kept, if there was one.

    Raises:
        ConfigurationError: the store is not in SQLite, or the backup is the store itself.
        NotFoundError: there is no such backup.
        StoreError: it is damaged, or not a store of a version this foldin knows; or the store is in use. The store
            stays as it is.
    """
    file = _file(url, "pg_restore")
    if not backup.is_file():
        raise NotFoundError(f"no backup at {backup}")
    _refuse_own_file(backup, file)
    with replaced(file, private=True) as draft:
        with failures_named(str(backup)):
            _copy_backup(backup, draft)
            _check_sound(draft, f"{backup} is damaged, and was not restored: take another backup")
        return _set_aside(file)


def start_empty(url: str) -> Path | None:
    """Makes an empty store where there is none; returns where a log of one that is gone is kept, if there was one.

    Raises:
        ConfigurationError: there is a store.
        StoreError: it cannot be made.
    """
    file = sqlite_file(url)
    kept = None if file is None or file.exists() else _set_aside(file)
    try:
        open_store(url).close()
    except NotFoundError:
        open_store(url, create=True).close()
        return kept
    raise ConfigurationError("there is a store: move it away first to start with an empty one")


def _file(url: str, tool: str) -> Path:
    file = sqlite_file(url)
    if file is None:
        raise ConfigurationError(f"the store is in PostgreSQL: use its own tools, `{tool}` with `--schema foldin`")
    return file


def _refuse_own_file(other: Path, file: Path) -> None:
    if other.absolute() in (file, *side_files(str(file))) or (
        other.exists() and file.exists() and other.samefile(file)
    ):
        raise ConfigurationError(f"{other} is the store itself: a backup has to be another file")


def _copy_backup(backup: Path, draft: Path) -> None:
    source = apsw.Connection(str(backup.absolute()), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        read_version(source, str(backup), create=False)
        copy_database(source, draft)
    finally:
        source.close()


def _check_sound(file: Path, problem: str) -> None:
    connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchall()
    except apsw.CorruptError as damage:
        raise StoreError(f"{problem} ({damage})") from damage
    finally:
        connection.close()
    if found != [("ok",)]:
        raise StoreError(f"{problem} ({found[0][0]})")


def _set_aside(file: Path) -> Path | None:
    """Renames a store's files, so that none of them is applied to the next store; returns the new name of the store,
    or of its log where there is only that."""
    if file.exists():
        _close_log(file)
    kept = _free_name(file)
    found = [(place, Path(f"{kept}{place.name.removeprefix(file.name)}")) for place in (*side_files(str(file)), file)]
    for place, name in found:
        if place.exists():
            place.rename(name)
    Path(f"{file}{RECORD}").unlink(missing_ok=True)
    return next((name for _, name in reversed(found) if name.exists()), None)


def _close_log(file: Path) -> None:
    """Brings what is in the log into the file itself, which works only where no connection is open.

    Raises:
        StoreError: another process has the store open.
    """
    try:
        check_log_belongs(str(file))
    except StoreError:
        return  # the log of another file must not be applied: both are kept as they are
    try:
        connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.pragma("journal_mode", "delete")
        finally:
            connection.close()
    except (apsw.BusyError, apsw.LockedError) as busy:
        raise StoreError(f"{file} is in use: end the service and the commands that use it, then repeat") from busy
    except apsw.Error:
        return  # damaged, which is why a backup is brought back: kept as it is


def _free_name(file: Path) -> Path:
    name = f"{file.name}.before-restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    names = (file.with_name(name if number == 0 else f"{name}-{number}") for number in count())
    return next(place for place in names if not place.exists())
