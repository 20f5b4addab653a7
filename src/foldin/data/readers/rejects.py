"""Rejected rows: which, where in their file, and why."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from foldin.data.identifiers import refusal
from foldin.data.readers.columns import Column
from foldin.data.readers.records import Record
from foldin.data.readers.scans import Scan, Torn
from foldin.data.readers.text import is_decoded, printable, undecoded
from foldin.errors import RowError

__all__ = ["Fault", "Rejected", "broken_json", "rejected_rows"]

LONGEST_EXCERPT = 120


@dataclass(frozen=True)
class Rejected:
    """A row that could not be taken.

    `row`: of a file with lines the number of the line on which the row begins (1 is the header's), else the
        1-based number of the row. `field`: the column's name, None where the whole row is at fault.
    `text`: the row as it was read.
    """

    file: str | None
    row: int
    field: str | None
    reason: str
    text: str

    def error(self) -> RowError:
        """The error that a strict reading raises for it."""
        excerpt = self.text if len(self.text) <= LONGEST_EXCERPT else self.text[:LONGEST_EXCERPT] + "..."
        return RowError(f"{self.reason}; the row is {excerpt!r}", file=self.file, row=self.row, field=self.field)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row: its position among the parsed rows of its scan (from 0), the column and the reason."""

    position: int
    field: str | None
    reason: str


def rejected_rows(
    connection: duckdb.DuckDBPyConnection, scan: Scan, faults: Sequence[Fault], torn: Sequence[Torn]
) -> list[Rejected]:
    """What is to be said of a scan's bad rows, in the order of its rows."""
    rejected = [_rejected(scan, fault, line, text) for fault, (line, text) in _placed(connection, scan, faults)]
    rejected += [_rejected(scan, row, row.line, row.text) for row in torn]
    return sorted(rejected, key=lambda one: one.row)


def _rejected(scan: Scan, fault: Fault | Torn, line: int, text: str) -> Rejected:
    field, reason = fault.field, fault.reason
    if scan.json and not field:
        field, reason = broken_json(text)
    return Rejected(scan.file, line, field, reason, printable(text))


def _placed(
    connection: duckdb.DuckDBPyConnection, scan: Scan, faults: Sequence[Fault]
) -> Iterator[tuple[Fault, tuple[int, str]]]:
    """Faults with the number and the text of their rows."""
    if not faults:
        return
    found = _texts(connection, scan, faults) if scan.records is None else _walked(scan.records(), faults)
    for fault in faults:
        yield fault, found[fault.position]


def _walked(records: Iterator[Record], faults: Sequence[Fault]) -> dict[int, tuple[int, str]]:
    wanted = {fault.position for fault in faults}
    found: dict[int, tuple[int, str]] = {}
    parsed = (record for record in records if record.fault is None)
    for position, record in enumerate(parsed):
        if position in wanted:
            found[position] = record.line, record.text
            if len(found) == len(wanted):
                break
    return found


def broken_json(text: str) -> tuple[str | None, str]:
    """The field and the reason for which a line is no object of JSON with ids."""
    try:
        pairs = json.loads(text, object_pairs_hook=tuple)
        cells = json.loads(text)
    except (ValueError, RecursionError) as error:
        problem = undecoded("the line", text) if not is_decoded(text) else f"the line is not JSON ({error})"
        return None, f"{problem}; one object a line is wanted"
    if isinstance(cells, dict) and len(cells) < len(pairs):
        return Counter(key for key, _ in pairs).most_common(1)[0][0], "the key stands twice in the object"
    for name, cell in cells.items() if isinstance(cells, dict) else ():
        if isinstance(cell, str) and not is_decoded(text) and not is_decoded(cell):
            return name, undecoded("the cell", cell)
        if isinstance(cell, str) and (reason := refusal(cell)):
            return name, reason
    return None, undecoded("the line", text) if not is_decoded(text) else "the line is no JSON object"


def _texts(connection: duckdb.DuckDBPyConnection, scan: Scan, faults: Sequence[Fault]) -> dict[int, tuple[int, str]]:
    wanted = np.array([fault.position for fault in faults], dtype=np.int64)
    readable = [column for column in scan.columns if column.readable]
    cells = "json::VARCHAR" if scan.json else ", ".join(_printable(column) for column in readable)
    rows = connection.execute(
        f"SELECT * FROM (SELECT row_number() OVER () - 1 AS position, {cells} FROM {scan.relation}) "
        "WHERE position IN (SELECT unnest($1))",
        [wanted.tolist()],
    ).fetchall()
    return {position: (scan.first_row + position, _text(row, scan)) for position, *row in rows}


def _printable(column: Column) -> str:
    if column.type == "JSON":
        return f"({column.sql} ->> '$')"
    return f"try(CAST({column.sql} AS VARCHAR))"


def _text(cells: Sequence[str | None], scan: Scan) -> str:
    if scan.json:
        return cells[0] or ""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()
