"""A SQLite file that is read without locks, since no lock can be written: sound only as long as nobody writes to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from foldin.errors import StoreError

__all__ = ["Stamp", "stamp", "unwritten"]


@dataclass(frozen=True)
class Stamp:
    """By what a file can be seen to have been written to: which it is, its bytes, when it changed (nanoseconds), and
    the bytes of its write-ahead log. All are 0 where there is none."""

    file: int
    size: int
    changed: int
    log_size: int


def stamp(file: str) -> Stamp:
    """The stamp of a file as it is now."""
    return Stamp(*_state(file), _state(f"{file}-wal")[1])


@contextmanager
def unwritten(file: str, since: Stamp) -> Iterator[None]:
    """Refuses what was read of a file that somebody has written to, whatever came of reading it.

    Raises:
        StoreError: the file has changed since that stamp.
    """
    try:
        yield
    finally:
        if stamp(file) != since:
            raise StoreError(
                f"{file}: another process has written to it since it was opened, and this one, which may not write "
                "there, cannot follow; open it again"
            )


def _state(file: str) -> tuple[int, int, int]:
    try:
        state = Path(file).stat()
    except OSError:
        return 0, 0, 0
    return state.st_ino, state.st_size, state.st_mtime_ns
