"""Locks between the processes of a workspace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from foldin.data.files import PRIVATE_FILE
from foldin.errors import WorkspaceError

__all__ = ["locked"]

MAX_SECONDS_WAITED = 10.0
"""What is done under a lock takes milliseconds."""


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Holds the lock of a file, which is made for its owner alone.

    Raises:
        WorkspaceError: another process holds it for too long.
    """
    lock = FileLock(file, timeout=MAX_SECONDS_WAITED, mode=PRIVATE_FILE)
    try:
        lock.acquire()
    except Timeout as held:
        raise WorkspaceError(
            f"{file} has been locked by another process for {MAX_SECONDS_WAITED:g} seconds: repeat this, and if it "
            f"stays so, find that process (`fuser {file}`) and end it"
        ) from held
    try:
        yield
    finally:
        lock.release()
