"""Delimited text: CSV, TSV and the like, with a header, or as MovieLens wrote it without one."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from foldin.data.readers.columns import RECBOLE_TYPES, Column, usual
from foldin.data.readers.scans import Scan
from foldin.data.readers.session import AS_WRITTEN, literal, path_literal
from foldin.errors import DataError, NoRowsError

__all__ = ["TORN", "delimited_scan", "is_gzip", "opened", "opened_bytes"]

TORN = "torn"
"""Name of the table in which DuckDB notes the rows that do not parse."""

GZIP_MAGIC = b"\x1f\x8b"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
USUAL_DELIMITERS = ("\t", ",", ";", "|")
NEVER_DELIMITERS = frozenset("\"'_-.:()[]{}/ \r\n")
MOVIELENS_COLUMNS = ("user", "item", "rating", "timestamp")


@dataclass(frozen=True)
class Dialect:
    """How a delimited file is written; `names` are those of its columns, `blank_lines` stand before the first line."""

    delimiter: str
    quote: str
    header: bool
    names: tuple[str, ...]
    blank_lines: int


def delimited_scan(path: Path, name: str, even: Path) -> Scan:
    """The scan of a delimited file. `name`: for errors. `even`: the same, or a copy in which all lines end alike.

    Raises:
        DataError: the file is empty, has no header, or is not UTF-8 text.
    """
    dialect = _dialect(path, name)
    columns = tuple(Column(name, f'"c{place}"', "VARCHAR") for place, name in enumerate(dialect.names))
    return Scan(
        name,
        _relation(even, dialect, "ignore_errors = true"),
        columns,
        first_row=2 if dialect.header else 1,
        noting_torn=_relation(
            even, dialect, f"store_rejects = true, rejects_table = '{TORN}', rejects_scan = '{TORN}_scans'"
        ),
        delimiter=dialect.delimiter,
        quoted=bool(dialect.quote),
        by_line=True,
        content=path,
    )


def opened(path: Path) -> TextIO:
    """The file's text, unpacked; bytes that are not UTF-8 are replaced."""
    return io.TextIOWrapper(opened_bytes(path), encoding="utf-8-sig", errors="replace", newline="")


def opened_bytes(path: Path) -> io.BufferedReader | gzip.GzipFile:
    """The file's bytes, unpacked."""
    return gzip.GzipFile(path, "rb") if is_gzip(path) else path.open("rb")


def is_gzip(path: Path) -> bool:
    """Whether the file is gzipped, whatever its name says."""
    with path.open("rb") as file:
        return file.read(2) == GZIP_MAGIC


def _dialect(path: Path, name: str) -> Dialect:
    blank_lines, line = _first_line(path, name)
    delimiter, cells = _split(line, name)
    if _is_movielens(cells, delimiter):
        return Dialect(delimiter, "", False, MOVIELENS_COLUMNS[: len(cells)], blank_lines)
    if all(_is_number(cell) for cell in cells):
        problem = "the first line holds numbers only: a line with the names of the columns is missing"
        raise DataError(problem, file=name, row=1)
    quote = "" if delimiter == "::" or _is_recbole(cells) else '"'
    return Dialect(delimiter, quote, True, tuple(cell.strip() for cell in cells), blank_lines)


def _first_line(path: Path, name: str) -> tuple[int, str]:
    _refuse_utf16(path, name)
    with opened(path) as text:
        try:
            found = next(((number, line) for number, line in enumerate(text) if line.strip()), None)
        except (OSError, EOFError) as error:
            raise DataError(f"cannot be unpacked: {error}", file=name) from error
    if found is None:
        raise NoRowsError("the file is empty: there are no rows", file=name)
    blank_lines, line = found
    return blank_lines, line.rstrip("\r\n")


def _refuse_utf16(path: Path, name: str) -> None:
    with path.open("rb") as file:
        if file.read(2) in UTF16_MARKS:
            raise DataError("the file is UTF-16; save it as UTF-8", file=name, row=1)


def _split(line: str, name: str) -> tuple[str, list[str]]:
    try:
        delimiter = _delimiter(line)
        return delimiter, _cells(line, delimiter)
    except csv.Error as error:
        raise DataError(f"the first line is no header: {error}", file=name, row=1) from error


def _delimiter(line: str) -> str:
    unusual = sorted({mark for mark in line if not mark.isalnum() and mark not in NEVER_DELIMITERS})
    colons: tuple[str, ...] = ("::",) if "::" in line else ()
    candidates = (*colons, *USUAL_DELIMITERS, *(mark for mark in unusual if mark not in USUAL_DELIMITERS), " ")
    # the first candidate that yields the most usual names, then the most cells
    return max(candidates, key=lambda mark: _fit(_cells(line, mark)))


def _fit(cells: list[str]) -> tuple[int, int]:
    return sum(usual(cell) for cell in cells), len(cells)


def _cells(line: str, delimiter: str) -> list[str]:
    if len(delimiter) > 1:
        return line.split(delimiter)
    return next(csv.reader([line], delimiter=delimiter), [])


def _is_movielens(cells: list[str], delimiter: str) -> bool:
    return delimiter in ("\t", "::") and len(cells) in (3, 4) and all(_is_number(cell) for cell in cells)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_recbole(cells: list[str]) -> bool:
    return any(cell.rpartition(":")[2] in RECBOLE_TYPES for cell in cells)


def _relation(path: Path, dialect: Dialect, errors: str) -> str:
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(dialect.names)))
    return (
        f"read_csv({path_literal(path)}, {AS_WRITTEN}, auto_detect = false, header = {str(dialect.header).lower()}, "
        f"skip = {dialect.blank_lines}, "
        f"delim = {literal(dialect.delimiter)}, quote = {literal(dialect.quote)}, escape = {literal(dialect.quote)}, "
        f"columns = {{{columns}}}, compression = '{'gzip' if is_gzip(path) else 'none'}', {errors})"
    )
