"""Files that appear whole or not at all, and survive a power cut once they are there."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["PRIVATE_FILE", "PRIVATE_FOLDER", "create_private", "locked_folder", "replaced", "sync", "sync_folder"]

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
"""Modes of what holds people's data or secrets: for its owner alone, whatever the umask is."""


@contextmanager
def replaced(file: Path, *, private: bool = False) -> Iterator[Path]:
    """A path beside `file` to write to; it takes the file's place at the end, or vanishes when writing fails.

    `private`: whether only the owner may read the file; the path then is that of an empty file.

    Raises:
        OSError: it cannot be written, or is a device or pipe, whose place no file should take.
    """
    if file.exists() and not file.is_file() and not file.is_dir():
        raise FileExistsError(errno.EEXIST, "No regular file", str(file))
    # two that write the same file at once must not share a draft
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}.tmp")
    try:
        if private:
            draft.touch(PRIVATE_FILE, exist_ok=False)
        yield draft
        sync(draft)
        draft.replace(file)
        sync_folder(file.parent)
    finally:
        draft.unlink(missing_ok=True)


def create_private(file: Path) -> BinaryIO:
    """Opens a file for writing, empty, that only its owner may read where it is a new one."""
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "wb")


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Holds the lock of a folder, which needs no file of its own and so no room; where folders cannot be opened, none.

    Raises:
        OSError: the folder cannot be opened or locked.
    """
    if os.name != "posix":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Waits until what was made or renamed in a folder is on disk; where folders cannot be opened, does nothing."""
    if os.name == "posix":
        sync(folder)


def sync(place: Path) -> None:
    """Waits until what was written to a file, or renamed in a folder, is on disk."""
    descriptor = os.open(place, os.O_RDONLY if place.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
