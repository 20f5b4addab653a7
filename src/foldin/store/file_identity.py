"""Whether the files at a SQLite store's path are the ones a connection has open, or were moved, deleted or replaced.

SQLite goes on writing to a file that was deleted or renamed, and applies a write-ahead log to whatever file has its
name: the first loses what was acknowledged, the second damages a database (https://sqlite.org/howtocorrupt.html).
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import apsw

from foldin.data.files import replaced
from foldin.errors import StoreError

__all__ = [
    "RECORD",
    "MovedError",
    "StoreFiles",
    "check_in_place",
    "check_log_belongs",
    "identify",
    "record_inode",
    "recorded_inode",
    "side_files",
    "was_replaced",
]

Identity: TypeAlias = tuple[int, int]
"""Device and inode."""

LOG, INDEX = "-wal", "-shm"
RECORD = "-inode"
"""Ends the name of the file beside a store that holds the inode of the store's file."""


class MovedError(StoreError):
    """The store's files were moved, deleted or replaced while a connection had them open."""


@dataclass(frozen=True)
class StoreFiles:
    """Identities of a store's file, its write-ahead log and the log's index; None for a file that does not exist."""

    main: Identity | None
    log: Identity | None
    index: Identity | None


def identify(file: str) -> StoreFiles:
    """Returns the identities of the files that are at a store's path now."""
    return StoreFiles(_identity(file), _identity(file + LOG), _identity(file + INDEX))


def check_in_place(file: str, opened: StoreFiles) -> None:
    """Checks that the files at a path are those a connection opened; one that was missing then is not compared.

    Raises:
        MovedError: one of them was moved, deleted or replaced.
    """
    now = identify(file)
    for name, was, found in (
        (file, opened.main, now.main),
        (file + LOG, opened.log, now.log),
        (file + INDEX, opened.index, now.index),
    ):
        if was is not None and was != found:
            raise MovedError(
                f"{name} was {'deleted or moved' if found is None else 'replaced'} while it was in use, so nothing is "
                "read or stored any more: put it back, or restart what uses the store (a service, above all) after "
                "bringing a backup back with `foldin restore`"
            )


def was_replaced(file: str, opened: StoreFiles) -> bool:
    """Whether another file has taken the place of the one that was opened, beside the log of the one that was opened,
    and no other process has opened it yet."""
    now = identify(file)
    if opened.main is None or now.main in (None, opened.main):
        return False
    return (now.log, now.index) == (opened.log, opened.index) and recorded_inode(file) == opened.main[1]


def check_log_belongs(file: str) -> None:
    """Checks, before a store is opened, that a write-ahead log beside it is not the log of another file.

    A file that was copied over keeps its inode, and a new file may get the inode of a deleted one: so the store is
    also read through the log, which is left as it is.

    Raises:
        StoreError: it is, as the file was deleted, or replaced by a backup, without the log.
    """
    if not _size(file + LOG):
        return
    main, recorded = _identity(file), recorded_inode(file)
    if main is None:
        raise StoreError(
            f"{file} is missing, though its write-ahead log is there: nothing was opened or changed. Put the file "
            "back, or bring a backup back with `foldin restore`"
        )
    if recorded not in (None, main[1]):
        raise StoreError(
            f"{file} is not the file that {file}{LOG} belongs to, as where a backup was moved into its place: nothing "
            "was opened or changed. End what still uses the store, move this file out of the folder, and bring it "
            f"back with `foldin restore`. If the folder was copied as a whole, delete {file}{RECORD} instead"
        )
    damage = _find_damage(file)
    if damage is not None:
        raise StoreError(
            f"{file} is damaged, or {file}{LOG} is the log of another file, as where a backup was copied over the "
            f"store with `cp`: nothing was opened or changed ({damage}). Bring a backup back with `foldin restore`"
        )


def record_inode(file: str) -> None:
    """Writes down which file the log beside it belongs to, for `check_log_belongs`."""
    identity = _identity(file)
    if identity is None or recorded_inode(file) == identity[1]:
        return
    record = Path(file + RECORD)
    try:
        with replaced(record, private=True) as draft:
            draft.write_text(f"{identity[1]}\n", encoding="ascii")
    except OSError:  # a full disk, or a folder that is read-only: no record is better than a wrong one
        with suppress(OSError):
            record.unlink(missing_ok=True)


def recorded_inode(file: str) -> int | None:
    """Returns the inode written down by `record_inode`; None where there is no record."""
    try:
        return int(Path(file + RECORD).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def side_files(file: str) -> list[Path]:
    """Returns the paths of the write-ahead log and its index."""
    return [Path(file + LOG), Path(file + INDEX)]


def _find_damage(file: str) -> str | None:
    """Returns what is wrong with a store as read through its log; None where it is sound, in use or not readable.

    Exclusive locking fails where another connection is open, and keeps the log's index in memory: no file is changed.
    """
    try:
        connection = apsw.Connection(file, flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            connection.pragma("locking_mode", "exclusive")
            found = connection.execute("PRAGMA quick_check(1)").fetchall()
        finally:
            connection.close()
    except apsw.CorruptError as damage:
        return str(damage)
    except apsw.Error:
        return None  # opening the store fails likewise, and says why
    return None if found == [("ok",)] else str(found[0][0]).splitlines()[-1]


def _identity(file: str) -> Identity | None:
    try:
        state = os.stat(file)  # noqa: PTH116 - three times for each transaction, and Path takes several times as long
    except OSError:
        return None
    return state.st_dev, state.st_ino


def _size(file: str) -> int:
    try:
        return Path(file).stat().st_size
    except OSError:
        return 0
