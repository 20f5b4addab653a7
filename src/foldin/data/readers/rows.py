"""Rows as a database answers with them: spooled cell by cell as JSON, so that each keeps what it was."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from foldin.data.readers.columns import Column
from foldin.data.readers.scans import Scan, refusing
from foldin.errors import DataError

__all__ = ["Rows", "rows_scan"]

SPOOL = "spooled_rows"


@dataclass(frozen=True)
class Rows:
    """What a query answers: what to call it in errors, the names of its columns, and its rows in blocks, once."""

    name: str
    columns: Sequence[str]
    blocks: Iterable[Sequence[Sequence[object]]]


def rows_scan(connection: duckdb.DuckDBPyConnection, rows: Rows) -> Scan:
    """The scan of rows, after they have been taken into a table of the session.

    Raises:
        DataError: a column stands twice.
    """
    _refuse_repeated(rows)
    names = [f"c{place}" for place in range(len(rows.columns))]
    connection.execute(f"CREATE TEMP TABLE {SPOOL} ({', '.join(f'{name} JSON' for name in names)})")
    for block in rows.blocks:
        with refusing(rows.name):
            _spool(connection, dict(zip(names, map(_cells, zip(*block, strict=True)), strict=True)))
    columns = (Column(column, name, "JSON") for column, name in zip(rows.columns, names, strict=True))
    return Scan(rows.name, SPOOL, tuple(columns))


def _refuse_repeated(rows: Rows) -> None:
    for column in rows.columns:
        if list(rows.columns).count(column) > 1:
            raise DataError("the result has this column more than once", file=rows.name, field=column)


def _spool(connection: duckdb.DuckDBPyConnection, cells: dict[str, NDArray[np.generic]]) -> None:
    connection.register("block", cells)
    connection.execute(f"INSERT INTO {SPOOL} SELECT {', '.join(cells)} FROM block").fetchall()
    connection.unregister("block")


def _cells(column: Sequence[object]) -> NDArray[np.object_]:
    return np.array([None if cell is None else _FORMS.get(type(cell), _other)(cell) for cell in column], dtype=object)


def _number(cell: float | Decimal) -> str:
    return str(cell) if math.isfinite(cell) else json.dumps(str(cell))


def _hexadecimal(cell: bytes | bytearray | memoryview) -> str:
    # never as text, even where they would be one: the same column would then hold two kinds of ids
    return json.dumps(cell.hex())


def _other(cell: object) -> str:
    """A list, an object or a type of the driver's own."""
    return json.dumps(cell if isinstance(cell, list | dict | tuple) else str(cell), default=str)


_FORMS: Mapping[type, Callable[[Any], str]] = {
    str: encode_basestring_ascii,
    int: str,
    bool: json.dumps,
    float: _number,
    Decimal: _number,
    datetime: lambda moment: f'"{moment}"',
    date: lambda day: f'"{day}"',
    bytes: _hexadecimal,
    bytearray: _hexadecimal,
    memoryview: _hexadecimal,
}
