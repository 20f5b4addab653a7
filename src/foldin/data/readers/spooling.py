"""Spooling: what can be read only once, or not as it is, becomes a temporary file first."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from codecs import BOM_UTF8
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from foldin.data.readers.text import UTF8, opened, opened_bytes
from foldin.errors import DataError

__all__ = ["BLOCK", "STDIN", "in_utf8", "is_stream", "spooled", "temporary_file"]

STDIN = "-"
BLOCK = 1 << 20


def is_stream(name: str) -> bool:
    """Whether a name stands for standard input, a pipe or a device, which can be read only once."""
    path = Path(name)
    return name == STDIN or (path.exists() and not path.is_file() and not path.is_dir())


def spooled(name: str, resources: ExitStack) -> Path:
    """The content of a stream as a file that is gone afterwards.

    Raises:
        DataError: it cannot be read.
    """
    target = temporary_file(resources)
    try:
        with resources.enter_context(_stream(name)) as stream, target.open("wb") as file:
            shutil.copyfileobj(stream, file, BLOCK)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", file=name) from error
    return target


def temporary_file(resources: ExitStack) -> Path:
    """A place for a file that is gone afterwards."""
    return Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="foldin-"))) / "spooled"


def in_utf8(path: Path, encoding: str, resources: ExitStack) -> Path:
    """The file itself, or, where it is not plain UTF-8 or begins with a byte order mark, a copy that is."""
    with opened_bytes(path) as file:
        marked = file.read(len(BOM_UTF8)) == BOM_UTF8
    if encoding == UTF8 and not marked:
        return path
    target = temporary_file(resources)
    with opened(path, encoding) as text, target.open("w", encoding=UTF8, errors="surrogateescape", newline="") as copy:
        shutil.copyfileobj(text, copy, BLOCK)
    return target


def _stream(name: str) -> BinaryIO:
    return os.fdopen(os.dup(sys.stdin.fileno()), "rb") if name == STDIN else Path(name).open("rb")
