"""Spooling: what can be read only once, or not as it is, becomes a temporary file first."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from foldin.data.readers.delimited import opened_bytes
from foldin.errors import DataError

__all__ = ["STDIN", "is_stream", "spooled", "temporary_file", "with_one_line_end"]

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


def with_one_line_end(path: Path, resources: ExitStack) -> Path:
    """The file itself, or, where some lines end in CR LF and others in LF alone, a copy in which all end in LF.

    DuckDB refuses a file that mixes them, unless it is to take open quotation marks and the like as well.
    """
    if not _mixes_line_ends(path):
        return path
    target = temporary_file(resources)
    with target.open("wb") as file:
        file.writelines(block.replace(b"\r\n", b"\n") for block in _blocks(path))
    return target


def temporary_file(resources: ExitStack) -> Path:
    """A place for a file that is gone afterwards."""
    return Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="foldin-"))) / "spooled"


def _stream(name: str) -> BinaryIO:
    return os.fdopen(os.dup(sys.stdin.fileno()), "rb") if name == STDIN else Path(name).open("rb")


def _mixes_line_ends(path: Path) -> bool:
    ends = pairs = 0
    for block in _blocks(path):
        ends += block.count(b"\n")
        pairs += block.count(b"\r\n")
    return 0 < pairs < ends


def _blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, unpacked; no block ends between CR and LF."""
    rest = b""
    with opened_bytes(path) as file:
        while block := file.read(BLOCK):
            block = rest + block
            rest = b"\r" if block.endswith(b"\r") else b""
            yield block.removesuffix(rest)
    yield rest
