"""Reading a catalogue or profiles: an id column, and every other column as an attribute."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from foldin.data.availability import unavailable
from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Ids
from foldin.data.known_attributes import known_names
from foldin.data.profiles import Profiles
from foldin.data.readers.coding import NOT_CODED, Coding, any_json, cell_sql, coded_ids
from foldin.data.readers.columns import Column, Role, find_column, plain_name
from foldin.data.readers.lines import repeats_sql
from foldin.data.readers.rejects import Fault, rejected_rows, torn_rows
from foldin.data.readers.scans import Scan, refusing
from foldin.data.readers.session import session
from foldin.data.readers.sources import Source, scans_of
from foldin.data.readers.typed import naming_surrogates
from foldin.errors import DataError, DataWarning

__all__ = ["read_catalog", "read_profiles"]


def read_catalog(source: Source, *, item: str | None = None) -> Catalog:
    """Reads what is known of the items; their order is that of the source.

    `source`: as for `read`. `item`: the column of ids, where it is not called as usual.
    Every other column is an attribute: a text, or None where the cell is empty.

    Raises:
        DataError: a column is missing, an id stands twice or cannot be one, or what says when an item can be had cannot
            be understood; file, row or item, and field are named.
    """
    catalog = Catalog(*_table(source, "item", item))
    try:
        unavailable(catalog)
    except DataError as error:
        file = str(source) if isinstance(source, str | Path) else None
        raise DataError(error.problem, file=file, field=error.field) from None
    return catalog


def read_profiles(source: Source, *, user: str | None = None) -> Profiles:
    """Reads what is known of the users, as `read_catalog` does of the items.

    Raises:
        DataError: a column is missing, an id stands twice or cannot be one; file, row and field are named.
    """
    return Profiles(*_table(source, "user", user))


def _table(source: Source, role: Role, given: str | None) -> tuple[Ids, dict[str, Ids]]:
    with naming_surrogates(source), session() as connection, ExitStack() as resources:
        scans = scans_of(connection, source, resources)
        keys = [find_column(scan.columns, role, given, scan.file) for scan in scans]
        with refusing(scans[0].file if len(scans) == 1 else None):
            coding = coded_ids(connection, list(zip(scans, keys, strict=True)), role)
            tables = [_cells(connection, scan, key, keys, role) for scan, key in zip(scans, keys, strict=True)]
        codes = _checked(connection, scans, keys, coding, [cells for cells, _ in tables])
    for note in coding.notes:
        warnings.warn(note, DataWarning, stacklevel=3)
    return ids_of(coding.names[codes]), _attributes(tables)


def _cells(
    connection: duckdb.DuckDBPyConnection, scan: Scan, key: Column, keys: Sequence[Column], role: Role
) -> tuple[Ids, dict[str, Ids]]:
    """The positions of the ids, and the attributes by name."""
    others = _others(scan, key)
    _refuse_repeated_keys(connection, scan)
    rows = connection.execute(_query(scan, key, others, role, as_json=any_json(keys))).fetchall()
    for torn in rejected_rows(connection, scan, (), torn_rows(connection, scan)[:1]) if scan.noting_torn else ():
        raise torn.error()
    columns = [ids_of(column) for column in zip(*rows, strict=True)] or [ids_of(())] * (len(others) + 1)
    names = [plain_name(column.name) for column in others]
    known = known_names(names, scan.file) if role == "item" else {}
    return columns[0], dict(zip((known.get(name, name) for name in names), columns[1:], strict=True))


def _refuse_repeated_keys(connection: duckdb.DuckDBPyConnection, scan: Scan) -> None:
    if not scan.json:
        return
    numbered = f"SELECT row_number() OVER () - 1 AS place, {repeats_sql()} AS bad FROM {scan.relation}"
    first = connection.execute(f"SELECT min(place) FROM ({numbered}) WHERE bad").fetchall()[0][0]
    if first is not None:
        raise rejected_rows(connection, scan, [Fault(first, None, "")], ())[0].error()


def _others(scan: Scan, key: Column) -> list[Column]:
    # a column without a name is the row numbers that pandas writes, and no attribute
    others = [column for column in scan.columns if column is not key and plain_name(column.name)]
    for name, count in Counter(plain_name(column.name) for column in others).items():
        if count > 1:
            raise DataError("the header has this column more than once", file=scan.file, field=name)
    return others


def _query(scan: Scan, key: Column, others: Sequence[Column], role: Role, *, as_json: bool) -> str:
    """Codes and attributes, in the order of the source, which a join alone would lose."""
    texts = "".join(f", {_text_sql(column)} AS attribute_{place}" for place, column in enumerate(others))
    inner = f"SELECT row_number() OVER () AS place, {cell_sql(key, as_json=as_json)} AS id_cell{texts}"
    outer = "".join(f", attribute_{place}" for place in range(len(others)))
    relation = scan.noting_torn or scan.relation
    return (
        f"SELECT coalesce({role}_cells.code, {NOT_CODED}){outer} FROM ({inner} FROM {relation}) "
        f"LEFT JOIN {role}_cells ON id_cell = {role}_cells.cell ORDER BY place"
    )


def _text_sql(column: Column) -> str:
    text = f"({column.sql} ->> '$')" if column.type == "JSON" else f"CAST({column.sql} AS VARCHAR)"
    return f"nullif({text}, '')"


def _checked(
    connection: duckdb.DuckDBPyConnection,
    scans: Sequence[Scan],
    keys: Sequence[Column],
    coding: Coding,
    cells: Sequence[Ids],
) -> NDArray[np.int32]:
    known: set[int] = set()
    for scan, key, column in zip(scans, keys, cells, strict=True):
        for row, cell in enumerate(column):
            reason = _fault(cell, coding, known)
            if reason:
                raise rejected_rows(connection, scan, [Fault(row, key.name, reason)], ())[0].error()
            known.add(int(coding.codes[cell]))
    if not known:
        raise DataError("there are no rows", file=scans[0].file)
    codes: NDArray[np.int32] = coding.codes[np.concatenate(cells).astype(np.int32)]
    return codes


def _fault(cell: int, coding: Coding, known: set[int]) -> str | None:
    code = int(coding.codes[cell])
    if code == NOT_CODED:
        return coding.refused(cell)
    return f"the id '{coding.names[code]}' stands twice" if code in known else None


def _attributes(tables: Sequence[tuple[Ids, Mapping[str, Ids]]]) -> dict[str, Ids]:
    names = dict.fromkeys(name for _, attributes in tables for name in attributes)
    unknown = [np.full(len(cells), None, dtype=np.object_) for cells, _ in tables]
    return {
        name: np.concatenate(
            [attributes.get(name, empty) for (_, attributes), empty in zip(tables, unknown, strict=True)]
        )
        for name in names
    }
