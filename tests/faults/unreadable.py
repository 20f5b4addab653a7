"""Files that are there, and that nobody can read, whoever they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["unreadable"]

BAD_DISK = Path("/proc/self/mem")
"""Whatever is read at its beginning is an input/output error."""


@contextmanager
def unreadable(file: Path) -> Iterator[None]:
    """As though its disk failed, until the end of the block."""
    kept = file.rename(file.with_name(f".{file.name}"))
    file.symlink_to(BAD_DISK)
    try:
        yield
    finally:
        kept.replace(file)
