"""Backups of a SQLite store: made while it is in use, checked, and brought back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import apsw

from foldin.data.files import replaced, sync
from foldin.errors import ConfigurationError, NotFoundError, StoreError
from foldin.store.file_identity import RECORD, check_log_belongs, side_files
from foldin.store.forgetting import advance
from foldin.store.opening import open_store, sqlite_file
from foldin.store.schema import prepare, read_version
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
    with SqliteStore(file) as store, _written(target), replaced(target, private=True) as draft:
        store.copy_to(draft, shown_as=target)
        with failures_named(str(target)):
            _check_sound(draft, f"{file} is damaged, and was not backed up: restore it from an older backup")


def restore(url: str, backup: Path, *, learned: int = 0) -> Path | None:
    """Puts a backup in the place of the store, and returns where the store that was there is kept, if there was one.

    `learned`: the latest position of a store that a model learned from; the restored store goes on after it and after
    the store that was there, so that erasures from now on count as later than what the models learned.

    Raises:
        ConfigurationError: the store is not in SQLite, or the backup is the store itself.
        NotFoundError: there is no such backup.
        StoreError: it is damaged, or not a store of a version this foldin knows; or the store is in use or cannot be
            written. The store stays as it is.
    """
    file = _file(url, "pg_restore")
    if not backup.is_file():
        raise NotFoundError(f"no backup at {backup}")
    _refuse_own_file(backup, file)
    with _written(file), ExitStack() as undo:
        with replaced(file, private=True) as draft:
            with failures_named(str(backup)):
                _copy_backup(backup, draft)
                _check_sound(draft, f"{backup} is damaged, and was not restored: take another backup")
            _close_log(file)
            with failures_named(str(file)):
                _advance(draft, max(learned, _position(file)))
            sync(draft)
            kept = _set_aside(file, undo)
        undo.pop_all()
    Path(f"{file}{RECORD}").unlink(missing_ok=True)
    return kept


def start_empty(url: str, *, learned: int = 0) -> Path | None:
    """Makes an empty store where there is none; returns where a log of one that is gone is kept, if there was one.

    `learned`: as for `restore`; in SQLite only.

    Raises:
        ConfigurationError: there is a store.
        StoreError: it cannot be made.
    """
    file = sqlite_file(url)
    kept = None
    if file is not None and not file.exists():
        with _written(file), ExitStack() as undo:
            kept = _set_aside(file, undo)
            undo.pop_all()
    try:
        open_store(url).close()
    except NotFoundError:
        open_store(url, create=True).close()
        if file is not None:
            with failures_named(str(file)):
                _advance(file, learned)
        return kept
    raise ConfigurationError("there is a store: move it away first to start with an empty one")


def _file(url: str, tool: str) -> Path:
    file = sqlite_file(url)
    if file is None:
        raise ConfigurationError(f"the store is in PostgreSQL: use its own tools, `{tool}` with `--schema foldin`")
    return file


def _refuse_own_file(other: Path, file: Path) -> None:
    if other.resolve() in (file, *side_files(str(file))) or (other.exists() and file.exists() and other.samefile(file)):
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


def _set_aside(file: Path, undo: ExitStack) -> Path | None:
    """Renames a store's files, so that none of them is applied to the next store; returns the new name of the store,
    or of its log where there is only that.

    The store is first: a log without a store is not opened, a store without its log would be an older one.
    `undo`: is given what renames them back.
    """
    kept = _free_name(file)
    moved = []
    for place in (file, *side_files(str(file))):
        if place.exists():
            name = Path(f"{kept}{place.name.removeprefix(file.name)}")
            place.rename(name)
            undo.callback(_put_back, name, place)
            moved.append(name)
    return moved[0] if moved else None


def _put_back(kept: Path, place: Path) -> None:
    try:
        kept.replace(place)
    except OSError as error:
        raise StoreError(
            f"{place} could not be put back ({error.strerror or error}): it is kept as {kept}; rename that to {place}"
        ) from error


@contextmanager
def _written(file: Path) -> Iterator[None]:
    """Reports a file that cannot be written by its own name, not by that of a temporary file.

    Raises:
        StoreError: the block failed for that.
    """
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{file} cannot be written, and was not changed: {error.strerror or error}; check that its folder exists, "
            "that you may write there, and the room on the disk"
        ) from error


def _advance(file: Path, position: int) -> None:
    connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        prepare(connection, str(file), create=False)  # a backup of an older version is migrated
        advance(connection, position)
    finally:
        connection.close()


def _position(file: Path) -> int:
    """Returns the position of the store that is replaced, from its file alone; 0 where it cannot be read."""
    uri = f"{file.as_uri()}?immutable=1"
    try:
        connection = apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
        try:
            return int(connection.execute("SELECT next FROM arrivals").get)
        finally:
            connection.close()
    except (apsw.Error, TypeError, ValueError):
        return 0


def _close_log(file: Path) -> None:
    """Brings what is in the log into the file itself, which works only where no connection is open.

    Raises:
        StoreError: another process has the store open.
    """
    if not file.exists():
        return
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
