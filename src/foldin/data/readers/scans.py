"""A scan: one file or frame as DuckDB reads it, as often as we ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from foldin.data.readers.columns import Column
from foldin.data.readers.records import Record
from foldin.errors import DataError

__all__ = ["Scan", "Torn", "refusing"]


@dataclass(frozen=True)
class Torn:
    """A row of a delimited file that does not parse: the line on which it begins, what is wrong with it, its text."""

    line: int
    field: str | None
    reason: str
    text: str


@dataclass(frozen=True)
class Scan:
    """One file or frame.

    `file`: its name in errors, None for a frame.
    `relation`: what stands behind FROM; torn rows are left out of it.
    `first_row`: the number of its first row: 2 below the header of a delimited file, else 1.
    `torn`: the rows of a delimited file that do not parse.
    `delimiter`: of a delimited file; `header`: its line with the names of the columns, None where it has none.
    `json`: whether a row is an object of JSON.
    `records`: gives the rows line by line, torn ones too, of a file with lines.
    `empty`: whether it is known to have no rows; its columns may then be of no type, or missing.
    """

    file: str | None
    relation: str
    columns: tuple[Column, ...]
    first_row: int = 1
    torn: tuple[Torn, ...] = ()
    delimiter: str | None = None
    header: str | None = None
    json: bool = False
    records: Callable[[], Iterator[Record]] | None = None
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
