"""A scan: one file or frame as DuckDB reads it, as often as we ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from foldin.data.readers.columns import Column
from foldin.errors import DataError

__all__ = ["Scan", "refusing"]


@dataclass(frozen=True)
class Scan:
    """One file or frame.

    `file`: its name in errors, None for a frame.
    `relation`: what stands behind FROM; torn rows are left out of it.
    `first_row`: the number of its first row: 2 below the header of a delimited file, else 1.
    `noting_torn`: the relation that also notes torn rows in the table `torn`, of a delimited file.
    `delimiter`: of a delimited file; `quoted`: whether its cells may be quoted.
    `json`: whether a row is an object of JSON. `by_line`: whether every row begins on a line of its own.
    `empty`: whether it is known to have no rows; its columns may then be of no type, or missing.
    `content`: where the lines are, of a file with lines; a file read through a pipe is kept under another name.
    """

    file: str | None
    relation: str
    columns: tuple[Column, ...]
    first_row: int = 1
    noting_torn: str | None = None
    delimiter: str | None = None
    quoted: bool = False
    json: bool = False
    by_line: bool = False
    content: Path | None = None
    empty: bool = False


@contextmanager
def refusing(file: str | None) -> Iterator[None]:
    """Turns what DuckDB says of a file into a DataError.

    Raises:
        DataError: the file is damaged, or is not what its name says.
    """
    try:
        yield
    except duckdb.InterruptException:  # Ctrl-C says nothing of the file
        raise
    except (duckdb.Error, UnicodeError) as error:
        raise DataError(f"cannot be read: {_in_short(str(error))}", file=file) from error


def _in_short(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    kept = lines[0] if lines else "unknown reason"
    if "invalid state" in kept:
        return "its quotes or line endings are inconsistent (one line ends in \\r\\n, another in \\n, for example)"
    return kept
