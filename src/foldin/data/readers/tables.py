"""Reading a catalogue or profiles: an id column, and every other column as an attribute."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

import duckdb
import numpy as np

from foldin.data.availability import unavailable, unclear
from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Ids
from foldin.data.known_attributes import known_names
from foldin.data.profiles import Profiles
from foldin.data.readers.coding import NOT_CODED, Coding, any_json, cell_sql, coded_ids
from foldin.data.readers.columns import Column, ColumnName, Role, find_column, plain_name, refuse_unreadable
from foldin.data.readers.headers import missing_header, refuse_row_as_header
from foldin.data.readers.lines import repeats_sql
from foldin.data.readers.rejects import Fault, Rejected, rejected_rows
from foldin.data.readers.scans import Scan, refusing
from foldin.data.readers.session import session
from foldin.data.readers.sources import Source, scans_of
from foldin.data.readers.text import TextFormat
from foldin.data.readers.typed import explaining_frames
from foldin.errors import DataError, DataWarning, NoRowsError
from foldin.wording import counted

__all__ = ["SetAside", "read_catalog", "read_profiles"]


SetAside: TypeAlias = Callable[[Rejected], object]
"""Takes a row that cannot be taken in, in the place of the error."""


def read_catalog(
    source: Source,
    *,
    item: ColumnName | None = None,
    encoding: str | None = None,
    header: Sequence[str] | None = None,
    set_aside: SetAside | None = None,
) -> Catalog:
    """Reads what is known of the items; their order is that of the source.

    `source`, `encoding`, `header`: as for `read`. `item`: the column of ids, where it is not called as usual.
    `set_aside`: gets the bad rows, if given, and the others are taken.
    Every other column is an attribute: a text, or None where the cell is empty. A row that repeats another exactly is
    taken once.

    Raises:
        DataError: a column is missing, an id stands twice or cannot be one, or what says when an item can be had cannot
            be understood; file, row or item, and field are named.
    """
    catalog = Catalog(*_table(source, "item", item, TextFormat.given(encoding, header), set_aside))
    try:
        unavailable(catalog)
    except DataError as error:
        file = str(source) if isinstance(source, str | Path) else None
        raise DataError(error.problem, file=file, field=error.field) from None
    return catalog


def read_profiles(
    source: Source,
    *,
    user: ColumnName | None = None,
    encoding: str | None = None,
    header: Sequence[str] | None = None,
    set_aside: SetAside | None = None,
) -> Profiles:
    """Reads what is known of the users, as `read_catalog` does of the items.

    Raises:
        DataError: a column is missing, an id stands twice or cannot be one; file, row and field are named.
    """
    return Profiles(*_table(source, "user", user, TextFormat.given(encoding, header), set_aside))


@dataclass(frozen=True, eq=False)
class _Part:
    """One scan's rows: the positions of their ids, their attributes by name, and what is no object."""

    scan: Scan
    key: Column
    cells: Ids
    attributes: Mapping[str, Ids]
    broken: Sequence[Fault]

    def known(self, row: int) -> dict[str, str]:
        """The attributes of a row that have a value."""
        return {name: column[row] for name, column in self.attributes.items() if column[row] is not None}


@dataclass(frozen=True, eq=False)
class _Sorted:
    """Rows of all parts, by (part, row): those that are taken, and those at fault; how many only repeat another."""

    taken: Sequence[tuple[int, int]]
    faults: Sequence[tuple[int, Fault]]
    repeats: int


def _table(
    source: Source, role: Role, given: ColumnName | None, form: TextFormat, set_aside: SetAside | None
) -> tuple[Ids, dict[str, Ids]]:
    with explaining_frames(source), session() as connection, ExitStack() as resources:
        scans = scans_of(connection, source, resources, form)
        keys = [_key(connection, scan, role, given) for scan in scans]
        with refusing(scans[0].file if len(scans) == 1 else None):
            coding = coded_ids(connection, list(zip(scans, keys, strict=True)), role)
            parts = [_part(connection, scan, key, keys, role) for scan, key in zip(scans, keys, strict=True)]
        rows = _sort(parts, coding)
        if set_aside is not None and role == "item":
            rows = _without_unclear(rows, parts, coding)
        rejected = _rejected(connection, parts, rows, first_only=set_aside is None)
    if rejected and set_aside is None:
        raise rejected[0].error()
    _refuse_nothing(rows, rejected, scans)
    for one in rejected:
        cast("SetAside", set_aside)(one)
    for note in (*coding.notes, *_of_repeats(rows, scans)):
        warnings.warn(note, DataWarning, stacklevel=3)
    return _ids_and_attributes(rows, parts, coding)


def _key(connection: duckdb.DuckDBPyConnection, scan: Scan, role: Role, given: ColumnName | None) -> Column:
    try:
        key = find_column(scan.columns, role, given, scan.file)
    except DataError as error:
        raise (None if given is not None else missing_header(scan)) or error from None
    if plain_name(key.name).casefold() != "id":
        refuse_row_as_header(connection, scan, (key,))
    return key


def _part(connection: duckdb.DuckDBPyConnection, scan: Scan, key: Column, keys: Sequence[Column], role: Role) -> _Part:
    others, as_json = _others(scan, key), any_json(keys)
    broken = _broken(connection, scan)
    rows = connection.execute(_query(scan.relation, key, others, role, as_json=as_json)).fetchall()
    columns = [ids_of(column) for column in zip(*rows, strict=True)] or [ids_of(())] * (len(others) + 1)
    names = [plain_name(column.name) for column in others]
    known = known_names(names, scan.file) if role == "item" else {}
    attributes = dict(zip((known.get(name, name) for name in names), columns[1:], strict=True))
    return _Part(scan, key, columns[0], attributes, broken)


def _broken(connection: duckdb.DuckDBPyConnection, scan: Scan) -> list[Fault]:
    """The lines of JSON that are no objects, or have a key twice."""
    if not scan.json:
        return []
    numbered = f"SELECT row_number() OVER () - 1 AS place, {repeats_sql()} AS bad FROM {scan.relation}"
    places = connection.execute(f"SELECT place FROM ({numbered}) WHERE bad ORDER BY place").fetchall()
    return [Fault(place, None, "") for (place,) in places]


def _sort(parts: Sequence[_Part], coding: Coding) -> _Sorted:
    taken: dict[int, tuple[int, int]] = {}
    faults = [(number, fault) for number, part in enumerate(parts) for fault in part.broken]
    broken, repeats = {(number, fault.position) for number, fault in faults}, 0
    for number, part in enumerate(parts):
        for row, cell in enumerate(part.cells):
            if (number, row) in broken:
                continue
            code = int(coding.codes[cell])
            if code == NOT_CODED:
                faults.append((number, Fault(row, part.key.name, coding.refused(cell))))
            elif code not in taken:
                taken[code] = (number, row)
            elif part.known(row) == parts[taken[code][0]].known(taken[code][1]):
                repeats += 1
            else:
                faults.append((number, Fault(row, part.key.name, _stands_twice(str(coding.names[code])))))
    return _Sorted(list(taken.values()), faults, repeats)


def _stands_twice(id_: str) -> str:
    return f"the id '{id_}' stands twice, with other attributes: keep one row of it, with several values as a|b"


def _without_unclear(rows: _Sorted, parts: Sequence[_Part], coding: Coding) -> _Sorted:
    """Without the rows that do not say clearly when their item can be had."""
    catalog = Catalog(*_ids_and_attributes(rows, parts, coding))
    found = {place: (name, problem) for place, name, problem in unclear(catalog)}
    faults = [(number, Fault(row, *found[place])) for place, (number, row) in enumerate(rows.taken) if place in found]
    taken = [row for place, row in enumerate(rows.taken) if place not in found]
    return _Sorted(taken, [*rows.faults, *faults], rows.repeats)


def _rejected(
    connection: duckdb.DuckDBPyConnection, parts: Sequence[_Part], rows: _Sorted, *, first_only: bool
) -> list[Rejected]:
    rejected: list[Rejected] = []
    for number, part in enumerate(parts):
        faults = sorted((fault for of, fault in rows.faults if of == number), key=lambda fault: fault.position)
        most = 1 if first_only else None
        rejected += rejected_rows(connection, part.scan, faults[:most], part.scan.torn[:most])
    return rejected


def _refuse_nothing(rows: _Sorted, rejected: Sequence[Rejected], scans: Sequence[Scan]) -> None:
    if not rows.taken and rejected:
        raise DataError(f"{counted(len(rejected), 'row')}, and none can be taken; the first: {rejected[0].error()}")
    if not rows.taken:
        raise NoRowsError("there are no rows", file=scans[0].file)


def _of_repeats(rows: _Sorted, scans: Sequence[Scan]) -> list[str]:
    if not rows.repeats:
        return []
    file = f"{scans[0].file}: " if len(scans) == 1 and scans[0].file else ""
    verb = "repeats" if rows.repeats == 1 else "repeat"
    return [f"{file}{counted(rows.repeats, 'row')} that only {verb} another: taken once"]


def _ids_and_attributes(rows: _Sorted, parts: Sequence[_Part], coding: Coding) -> tuple[Ids, dict[str, Ids]]:
    starts = np.cumsum([0, *(len(part.cells) for part in parts)])
    places = np.array([starts[number] + row for number, row in rows.taken], dtype=np.intp)
    cells = np.concatenate([part.cells for part in parts])[places].astype(np.int64)
    columns = _attributes([(part.cells, part.attributes) for part in parts])
    return ids_of(coding.names[coding.codes[cells]]), {name: column[places] for name, column in columns.items()}


def _others(scan: Scan, key: Column) -> list[Column]:
    # a column without a name is the row numbers that pandas writes, and no attribute
    others = [column for column in scan.columns if column is not key and plain_name(column.name)]
    for name, count in Counter(plain_name(column.name) for column in others).items():
        if count > 1:
            raise DataError("the header has this column more than once", file=scan.file, field=name)
    for column in others:
        refuse_unreadable(column, "attribute", scan.file)
    return others


def _query(relation: str, key: Column, others: Sequence[Column], role: Role, *, as_json: bool) -> str:
    """Codes and attributes, in the order of the source, which a join alone would lose."""
    texts = "".join(f", {_text_sql(column)} AS attribute_{place}" for place, column in enumerate(others))
    inner = f"SELECT row_number() OVER () AS place, {cell_sql(key, as_json=as_json)} AS id_cell{texts}"
    outer = "".join(f", attribute_{place}" for place in range(len(others)))
    return (
        f"SELECT coalesce({role}_cells.code, {NOT_CODED}){outer} FROM ({inner} FROM {relation}) "
        f"LEFT JOIN {role}_cells ON id_cell = {role}_cells.cell ORDER BY place"
    )


def _text_sql(column: Column) -> str:
    text = f"({column.sql} ->> '$')" if column.type == "JSON" else f"CAST({column.sql} AS VARCHAR)"
    return f"nullif({text}, '')"


def _attributes(tables: Sequence[tuple[Ids, Mapping[str, Ids]]]) -> dict[str, Ids]:
    names = dict.fromkeys(name for _, attributes in tables for name in attributes)
    unknown = [np.full(len(cells), None, dtype=np.object_) for cells, _ in tables]
    return {
        name: np.concatenate(
            [attributes.get(name, empty) for (_, attributes), empty in zip(tables, unknown, strict=True)]
        )
        for name in names
    }
