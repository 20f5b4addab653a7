"""Coding: every distinct id of a column is judged once, and each row gets its position among them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import duckdb
import numpy as np
from numpy.typing import NDArray

from foldin.data.catalog import ids_of
from foldin.data.identifiers import kind_refusal, normalised, refusal
from foldin.data.interactions import Ids
from foldin.data.readers.columns import Column, Role
from foldin.data.readers.scans import Scan
from foldin.data.suspicious_ids import suspicious_notes
from foldin.errors import DataError
from foldin.wording import counted

__all__ = [
    "NOT_CODED",
    "Coding",
    "Parts",
    "any_json",
    "cell_sql",
    "coded_ids",
    "coded_kinds",
    "refuse_id_type",
]

NOT_CODED = -1
MOST_KINDS = 127
Parts: TypeAlias = Sequence[tuple[Scan, Column]]
"""A column in every scan."""

NO_KINDS = frozenset({"list", "tuple", "dict", "set", "frozenset", "ndarray", "bytes"})

ID_TYPES = frozenset(
    {
        "VARCHAR",
        "JSON",
        "ENUM",
        "UUID",
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "UHUGEINT",
    }
)

_FORMULA = re.compile(r'="([^"]*)"')


@dataclass(frozen=True, eq=False)
class Coding:
    """How the cells of one column become codes.

    `refusals`: the reason per distinct cell, None where it is good.
    `names`: the ids or kinds, sorted by code point. `codes`: their position per cell, `NOT_CODED` where refused; one
        more entry, `NOT_CODED`, stands for the empty cell.
    `notes`: what was changed, in sentences.
    """

    refusals: tuple[str | None, ...]
    names: Ids
    codes: NDArray[np.int32]
    notes: tuple[str, ...] = ()

    def coded(self, cells: NDArray[np.int32]) -> NDArray[np.int32]:
        """The codes of rows, given the positions of their cells."""
        codes: NDArray[np.int32] = self.codes[cells]
        return codes

    def faulty(self, cells: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which rows are refused, given the positions of their cells; the empty cell is not."""
        by_cell = np.array([*(reason is not None for reason in self.refusals), False], dtype=np.bool_)
        faulty: NDArray[np.bool_] = by_cell[cells]
        return faulty

    def refused(self, cell: int) -> str:
        """Why a cell (its position, or `NOT_CODED` for the empty cell) has no code."""
        reason = None if cell == NOT_CODED else self.refusals[cell]
        return reason or "the id is empty"


def coded_ids(connection: duckdb.DuckDBPyConnection, parts: Parts, role: Role) -> Coding:
    """The ids of the users or items of several scans together.

    Raises:
        DataError: a column's type cannot hold ids.
    """
    for scan, column in parts:
        refuse_id_type(column, role, scan.file)
    as_json = any_json(column for _, column in parts)
    cells, rows = _distinct_cells(connection, parts, role, as_json=as_json)
    decoded = [_text_of_json(cell) for cell in cells] if as_json else [(cell, None) for cell in cells]
    read = [text for text, _ in decoded]
    texts = [_without_formula(text) for text in read]
    refusals = [reason or refusal(text) for text, (_, reason) in zip(texts, decoded, strict=True)]
    names = [None if reason else normalised(text) for text, reason in zip(texts, refusals, strict=True)]
    notes = [
        *_changed_notes(read, texts, names, rows.tolist(), role),
        *_mixed_note(parts, cells, texts, role),
        *_suspicious_notes(names, rows, role),
        *_header_note(parts, names, rows, role),
    ]
    return _judged(names, tuple(refusals), tuple(notes))


def coded_kinds(connection: duckdb.DuckDBPyConnection, parts: Parts) -> Coding:
    """The kinds of several scans together.

    Raises:
        DataError: there are more than 127, or a column holds lists or the like.
    """
    for scan, column in parts:
        _refuse_kind_type(column, scan.file)
    cells, _ = _distinct_cells(connection, parts, "kind", as_json=False)
    refusals = tuple(kind_refusal(cell) for cell in cells)
    kinds = ids_of(cell for cell, reason in zip(cells, refusals, strict=True) if cell and not reason)
    if len(kinds) > MOST_KINDS:
        scan, column = parts[0]
        problem = f"{len(kinds)} different kinds of event, and {MOST_KINDS} is the most; is this the column of kinds?"
        problem += column.way_out("kind")
        raise DataError(problem, file=scan.file, field=column.name)
    place = {kind: code for code, kind in enumerate(kinds)}
    codes = [place.get(cell, NOT_CODED) for cell in cells]  # an empty text is no kind
    return Coding(refusals, kinds, np.array([*codes, NOT_CODED], dtype=np.int32))


def cell_sql(column: Column, *, as_json: bool) -> str:
    """A cell as it is coded: as text, or as JSON where `any_json` says so."""
    if column.type == "JSON":
        return f"nullif(CAST({column.sql} AS VARCHAR), 'null')" if as_json else f"nullif({column.sql} ->> '$', '')"
    text = column.sql if column.type == "VARCHAR" else f"CAST({column.sql} AS VARCHAR)"
    return f"CAST(to_json({text}) AS VARCHAR)" if as_json else text


def any_json(columns: Iterable[Column]) -> bool:
    """Whether cells are kept as JSON, so that 7, 7.0 and "7" can be told apart."""
    return any(column.type == "JSON" for column in columns)


def refuse_id_type(column: Column, role: Role, file: str | None) -> None:
    """Refuses a column whose type cannot hold ids.

    Raises:
        DataError: it holds fractions, booleans, times or the like.
    """
    bare, _, rest = column.type.partition("(")
    whole = (bare in ID_TYPES and not rest.endswith("]")) or (bare == "DECIMAL" and rest.endswith(",0)"))
    if whole and not column.holds:
        return
    hint = "cast it to whole numbers or to text"
    if column.null_is_nan or column.holds == "float":
        hint += (
            f" (pandas makes fractions of whole numbers where one is missing: frame['{column.name}'].astype('Int64'))"
        )
    raise DataError(f"the {role} ids are of type {column.holds or column.type}; {hint}", file=file, field=column.name)


def _refuse_kind_type(column: Column, file: str | None) -> None:
    if column.holds in NO_KINDS or column.type.endswith("]") or column.type.startswith(("STRUCT", "MAP", "UNION")):
        problem = f"the kinds are of type {column.holds or column.type}; cast it to text{column.way_out('kind')}"
        raise DataError(problem, file=file, field=column.name)


def _distinct_cells(
    connection: duckdb.DuckDBPyConnection, parts: Parts, role: Role, *, as_json: bool
) -> tuple[Ids, NDArray[np.int64]]:
    """The distinct cells, and how many rows have each."""
    union = " UNION ALL ".join(
        f"SELECT {cell_sql(column, as_json=as_json)} AS cell FROM {scan.relation}" for scan, column in parts
    )
    connection.execute(
        f"CREATE TEMP TABLE {role}_cells AS SELECT cell, (row_number() OVER (ORDER BY cell) - 1)::INTEGER AS code, "
        f"row_count FROM (SELECT cell, count(*) AS row_count FROM ({union}) WHERE cell IS NOT NULL GROUP BY cell)"
    )
    found = connection.execute(f"SELECT cell, row_count FROM {role}_cells ORDER BY code").fetchnumpy()
    return np.asarray(found["cell"], dtype=np.object_), np.asarray(found["row_count"], dtype=np.int64)


def _text_of_json(cell: str) -> tuple[str, str | None]:
    """The id in a JSON cell, and why it can be none."""
    if cell.startswith('"'):
        return json.loads(cell), None
    if cell.removeprefix("-").isdecimal():
        return cell, None
    what = {"t": "a boolean", "f": "a boolean", "{": "an object", "[": "a list"}.get(cell[0], "a fraction")
    return cell, f"the id is {what}, not a text or whole number"


def _without_formula(text: str) -> str:
    """The text behind ="00123", by which a spreadsheet keeps the zeros of a number."""
    found = _FORMULA.fullmatch(text) if text.startswith("=") else None
    return found[1] if found else text


def _judged(ids: Sequence[str | None], refusals: tuple[str | None, ...], notes: tuple[str, ...]) -> Coding:
    names = sorted({one for one in ids if one is not None})
    if names == ids:
        codes = np.arange(len(ids) + 1, dtype=np.int32)
        codes[-1] = NOT_CODED
        return Coding(refusals, ids_of(names), codes, notes)
    place = {name: code for code, name in enumerate(names)}
    coded = [NOT_CODED if one is None else place[one] for one in ids]
    return Coding(refusals, ids_of(names), np.array([*coded, NOT_CODED], dtype=np.int32), notes)


def _changed_notes(
    read: Sequence[str], texts: Sequence[str], names: Sequence[str | None], rows: Sequence[int], role: Role
) -> Iterator[str]:
    """What was changed to make ids of the cells."""
    taken = [
        (cell, text, name, count) for cell, text, name, count in zip(read, texts, names, rows, strict=True) if name
    ]
    formulas = [(cell, text, count) for cell, text, _, count in taken if cell != text]
    if formulas:
        cell, text, _ = formulas[0]
        yield f"{role} ids written as a spreadsheet's formula: {_rows(formulas)}, for example {cell} taken as {text}"
    spaced = [(text, text.strip(), count) for _, text, name, count in taken if text != name and text.strip() != text]
    if spaced:
        text, stripped, _ = spaced[0]
        yield (
            f"{role} ids with spaces around them: {_rows(spaced)}, taken without, for example {text!r} as {stripped!r}"
        )
    composed = [(text, name, count) for _, text, name, count in taken if not name.isascii() and text.strip() != name]
    if composed:
        text, name, _ = composed[0]
        yield (
            f"{role} ids that were not in Unicode normal form NFC were normalised: {_rows(composed)}, "
            f"for example {text!a} to {name!a}"
        )


def _rows(changed: Sequence[tuple[str, str, int]]) -> str:
    return counted(sum(count for *_, count in changed), "row")


def _suspicious_notes(names: Sequence[str | None], rows: NDArray[np.int64], role: Role) -> Iterator[str]:
    taken = [(name, count) for name, count in zip(names, rows.tolist(), strict=True) if name is not None]
    return suspicious_notes((name for name, _ in taken), [count for _, count in taken], role)


def _header_note(parts: Parts, names: Sequence[str | None], rows: NDArray[np.int64], role: Role) -> Iterator[str]:
    """The note on ids that are the name of their column, as where files with headers were put together."""
    columns = {column.name.strip() for scan, column in parts if scan.header is not None}
    for name, count in zip(names, rows.tolist(), strict=True):
        if name in columns:
            yield (
                f"{role} ids that are the name of their column: '{name}' ({counted(count, 'row')}); it is taken as one "
                f"{role}: take the row out if it is a header inside the file"
            )


def _mixed_note(parts: Parts, cells: Ids, texts: Sequence[str], role: Role) -> list[str]:
    if any(column.mixed for _, column in parts):
        return [f"the {role} ids are numbers and texts mixed; a number and its digits as text are the same id"]
    if not all(column.type == "JSON" for _, column in parts):
        return []
    numbers = {text for cell, text in zip(cells, texts, strict=True) if not cell.startswith('"')}
    both = sorted(numbers & {text for cell, text in zip(cells, texts, strict=True) if cell.startswith('"')})
    if not both:
        return []
    example = f'{both[0]} and "{both[0]}"'
    return [f"{role} ids that stand both as number and as text are the same id: {len(both)}, for example {example}"]
