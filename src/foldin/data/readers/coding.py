"""Coding: every distinct id of a column is judged once, and each row gets its position among them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
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
from foldin.errors import DataError

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


@dataclass(frozen=True, eq=False)
class Coding:
    """How the cells of one column become codes.

    `texts`: the distinct cells' texts, as they were read. `refusals`: the reason per cell, None where it is good.
    `names`: the ids or kinds, sorted by code point. `codes`: their position per cell, `NOT_CODED` where refused; one
        more entry, `NOT_CODED`, stands for the empty cell.
    `notes`: what was changed, in sentences.
    """

    texts: tuple[str, ...]
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
    cells = _distinct_cells(connection, parts, role, as_json=as_json)
    decoded = [_text_of_json(cell) for cell in cells] if as_json else [(cell, None) for cell in cells]
    texts = [text for text, _ in decoded]
    refusals = [reason or refusal(text) for text, reason in decoded]
    notes = [
        *_normalised_note(texts, refusals, role),
        *_mixed_note(parts, cells, texts, role),
    ]
    return _judged(tuple(texts), refusals, tuple(notes))


def coded_kinds(connection: duckdb.DuckDBPyConnection, parts: Parts) -> Coding:
    """The kinds of several scans together.

    Raises:
        DataError: there are more than 127.
    """
    cells = _distinct_cells(connection, parts, "kind", as_json=False)
    refusals = tuple(kind_refusal(cell) for cell in cells)
    kinds = ids_of(cell for cell, reason in zip(cells, refusals, strict=True) if cell and not reason)
    if len(kinds) > MOST_KINDS:
        scan, column = parts[0]
        problem = f"{len(kinds)} different kinds of event, and {MOST_KINDS} is the most; is this the column of kinds?"
        raise DataError(problem, file=scan.file, field=column.name)
    place = {kind: code for code, kind in enumerate(kinds)}
    codes = [place.get(cell, NOT_CODED) for cell in cells]  # an empty text is no kind
    return Coding(tuple(cells), refusals, kinds, np.array([*codes, NOT_CODED], dtype=np.int32))


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
    if (bare in ID_TYPES and not rest.endswith("]")) or (bare == "DECIMAL" and rest.endswith(",0)")):
        return
    hint = "cast it to whole numbers or to text"
    if column.null_is_nan or column.type == "DOUBLE":
        hint += (
            f" (pandas makes fractions of whole numbers where one is missing: frame['{column.name}'].astype('Int64'))"
        )
    raise DataError(f"the {role} ids are of type {column.type}; {hint}", file=file, field=column.name)


def _distinct_cells(connection: duckdb.DuckDBPyConnection, parts: Parts, role: Role, *, as_json: bool) -> Ids:
    union = " UNION ALL ".join(
        f"SELECT {cell_sql(column, as_json=as_json)} AS cell FROM {scan.relation}" for scan, column in parts
    )
    connection.execute(
        f"CREATE TEMP TABLE {role}_cells AS SELECT cell, (row_number() OVER (ORDER BY cell) - 1)::INTEGER AS code "
        f"FROM (SELECT DISTINCT cell FROM ({union}) WHERE cell IS NOT NULL)"
    )
    cells = connection.execute(f"SELECT cell FROM {role}_cells ORDER BY code").fetchnumpy()["cell"]
    return np.asarray(cells, dtype=np.object_)


def _text_of_json(cell: str) -> tuple[str, str | None]:
    """The id in a JSON cell, and why it can be none."""
    if cell.startswith('"'):
        return json.loads(cell), None
    if cell.removeprefix("-").isdecimal():
        return cell, None
    what = {"t": "a boolean", "f": "a boolean", "{": "an object", "[": "a list"}.get(cell[0], "a fraction")
    return cell, f"the id is {what}, not a text or whole number"


def _judged(texts: tuple[str, ...], refusals: Sequence[str | None], notes: tuple[str, ...]) -> Coding:
    ids = [normalised(text) for text in texts]
    names = sorted({text for text, reason in zip(ids, refusals, strict=True) if reason is None})
    if names == ids:
        codes = np.arange(len(ids) + 1, dtype=np.int32)
        codes[-1] = NOT_CODED
        return Coding(texts, tuple(refusals), ids_of(names), codes, notes)
    place = {name: code for code, name in enumerate(names)}
    coded = [place[text] if reason is None else NOT_CODED for text, reason in zip(ids, refusals, strict=True)]
    return Coding(texts, tuple(refusals), ids_of(names), np.array([*coded, NOT_CODED], dtype=np.int32), notes)


def _normalised_note(texts: Sequence[str], refusals: Sequence[str | None], role: Role) -> list[str]:
    changed = [
        text
        for text, reason in zip(texts, refusals, strict=True)
        if reason is None and not text.isascii() and normalised(text) != text
    ]
    if not changed:
        return []
    return [
        f"{role} ids that were not in Unicode normal form NFC were normalised: {len(changed)}, "
        f"for example {changed[0]!a} to {normalised(changed[0])!a}"
    ]


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
