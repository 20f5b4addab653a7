"""Headers that are none: a first line that looks like the rows below it, where names of columns are wanted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import duckdb

from foldin.data.readers.columns import Column, usual
from foldin.data.readers.delimited import cells_of
from foldin.data.readers.scans import Scan
from foldin.data.readers.session import literal
from foldin.errors import DataError

__all__ = ["missing_header", "refuse_row_as_header"]

LOOKED_AT = 1_000
"""Rows below the first line."""

LONGEST_EXCERPT = 120
NUMBER_OR_DATE = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?|[0-9]{4}-[0-9]{2}-[0-9]{2}.*")


def missing_header(scan: Scan) -> DataError | None:
    """The error to raise in place of one about columns, where the line with their names seems to be missing."""
    if scan.header is None:
        return None
    names = [column.name for column in scan.columns]
    rows = [row for row in _first_rows(scan) if row != names]
    columns = zip(names, zip(*rows, strict=True), strict=True) if rows else ()
    return _error(scan) if any(_is_cell_of(name, cells) for name, cells in columns) else None


def refuse_row_as_header(connection: duckdb.DuckDBPyConnection, scan: Scan, columns: Iterable[Column]) -> None:
    """Refuses a first line that would be taken for the header and is a row: no event is lost to a hint.

    `columns`: those of users and items.

    Raises:
        DataError: a name of theirs is an unusual one, and stands in a row as well.
    """
    unusual = [column for column in columns if scan.header is not None and not usual(column.name)]
    if not unusual:
        return
    found = " OR ".join(f"trim({column.sql}) = {literal(column.name)}" for column in unusual)
    (among_rows,) = connection.execute(f"SELECT 1 FROM {scan.relation} WHERE {found} LIMIT 1").fetchall() or (None,)
    if among_rows is not None:
        raise _error(scan)


def _first_rows(scan: Scan) -> Iterator[Sequence[str]]:
    assert scan.records is not None
    assert scan.delimiter is not None
    good = (record.text for record in scan.records() if record.fault is None)
    for text in islice(good, LOOKED_AT):
        cells = [cell.strip() for cell in cells_of(text, scan.delimiter)]
        yield cells[: len(scan.columns)]


def _is_cell_of(name: str, cells: Sequence[str]) -> bool:
    return bool(name) and (name in cells or all(NUMBER_OR_DATE.fullmatch(cell) for cell in (name, *cells)))


def _error(scan: Scan) -> DataError:
    line = (scan.header or "")[:LONGEST_EXCERPT]
    problem = f"is there a header? the first line is {line!r}, and looks like the rows below it"
    return DataError(f"{problem}; where it is a row, give the names: header / --header user,item,...", file=scan.file)
