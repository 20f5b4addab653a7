"""Rejected rows: which, where in their file, and why."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

import duckdb
import numpy as np

from foldin.data.identifiers import refusal
from foldin.data.readers.columns import Column
from foldin.data.readers.delimited import TORN, opened
from foldin.data.readers.scans import Scan
from foldin.errors import DataError
from foldin.wording import counted

__all__ = ["Fault", "Rejected", "Torn", "rejected_rows", "torn_rows"]

LONGEST_EXCERPT = 120
REPLACEMENT = "\ufffd"  # stands where `opened` met bytes that are not UTF-8


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

    def error(self) -> DataError:
        """The error that a strict reading raises for it."""
        excerpt = self.text if len(self.text) <= LONGEST_EXCERPT else self.text[:LONGEST_EXCERPT] + "..."
        return DataError(f"{self.reason}; the row is {excerpt!r}", file=self.file, row=self.row, field=self.field)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row: its position among the parsed rows of its scan (from 0), the column and the reason."""

    position: int
    field: str | None
    reason: str


@dataclass(frozen=True)
class Torn:
    """A row of a delimited file that does not parse.

    `record`: its number as DuckDB counts: from 1, with the header and blank lines, a broken cell as one line.
    """

    record: int
    field: str | None
    reason: str
    text: str


@dataclass(frozen=True)
class Line:
    """The line of a file on which a row begins, with its text where the line is the row."""

    number: int
    text: str | None = None


def torn_rows(connection: duckdb.DuckDBPyConnection, scan: Scan) -> list[Torn]:
    """The rows that the last query over `scan.noting_torn` could not parse, in their order."""
    noted = connection.execute(
        f"SELECT line, column_name, error_type, error_message, csv_line FROM {TORN} ORDER BY line, column_idx"
    ).fetchall()
    connection.execute(f"DROP TABLE {TORN}; DROP TABLE {TORN}_scans")
    names = {column.sql.strip('"'): column.name for column in scan.columns}
    torn = {
        line: Torn(line, _torn_field(kind, names.get(column)), _torn_reason(kind, message), text or "")
        for line, column, kind, message, text in reversed(noted)
    }
    return [torn[line] for line in sorted(torn)]


def rejected_rows(
    connection: duckdb.DuckDBPyConnection, scan: Scan, faults: Sequence[Fault], torn: Sequence[Torn]
) -> list[Rejected]:
    """What is to be said of a scan's bad rows, in the order of its rows."""
    lines, torn_lines = _lines(scan, [fault.position for fault in faults], [row.record for row in torn])
    texts = _texts(connection, scan, faults)
    rejected = [_rejected(scan, fault, line, text) for fault, line, text in zip(faults, lines, texts, strict=True)]
    rejected += [_rejected(scan, row, line, row.text) for row, line in zip(torn, torn_lines, strict=True)]
    return sorted(rejected, key=lambda one: one.row)


def _rejected(scan: Scan, fault: Fault | Torn, line: Line, text: str) -> Rejected:
    text = (line.text or text).strip("\r\n")
    field, reason = fault.field, fault.reason
    if scan.json and not field:
        field, reason = _broken_json(text)
    return Rejected(scan.file, line.number, field, reason, text)


def _broken_json(text: str) -> tuple[str | None, str]:
    try:
        pairs = json.loads(text, object_pairs_hook=tuple)
        cells = json.loads(text)
    except (ValueError, RecursionError) as error:
        return None, f"the line is not JSON ({error})"
    if isinstance(cells, dict) and len(cells) < len(pairs):
        return Counter(key for key, _ in pairs).most_common(1)[0][0], "the key stands twice in the object"
    for name, cell in cells.items() if isinstance(cells, dict) else ():
        if isinstance(cell, str) and REPLACEMENT in cell:
            return name, "the cell is not UTF-8 text"
        if isinstance(cell, str) and (reason := refusal(cell)):
            return name, reason
    return None, "the line is not UTF-8 text" if REPLACEMENT in text else "the line is no JSON object"


def _torn_field(kind: str, name: str | None) -> str | None:
    return name if kind == "INVALID ENCODING" else None


def _torn_reason(kind: str, message: str) -> str:
    match kind:
        case "MISSING COLUMNS" | "TOO MANY COLUMNS":
            expected, found = (part.split()[0] for part in message.split(": ")[1:3])
            return f"the row has {counted(int(found), 'cell')} and the header {expected}"
        case "INVALID ENCODING":
            return "the row is not UTF-8 text"
        case "UNQUOTED VALUE":
            return "a quotation mark is not closed, or a cell goes on behind it"
    return message.splitlines()[0]


def _lines(scan: Scan, positions: Sequence[int], records: Sequence[int]) -> tuple[list[Line], list[Line]]:
    """The lines on which rows begin, of parsed rows by position and of torn ones by record."""
    found: tuple[dict[int, Line], dict[int, Line]] = ({}, {})
    if scan.content is not None and scan.by_line and (positions or records):
        with opened(scan.content) as text:
            found = _walked(_records(text, scan), scan, set(positions), set(records))
    return (
        [found[0].get(position, Line(scan.first_row + position)) for position in positions],
        [found[1].get(record, Line(record)) for record in records],
    )


def _walked(
    records: Iterator[Line | None], scan: Scan, positions: set[int], torn: set[int]
) -> tuple[dict[int, Line], dict[int, Line]]:
    parsed: dict[int, Line] = {}
    unparsed: dict[int, Line] = {}
    position = 1 - scan.first_row  # the header stands before position 0
    for record, line in enumerate(records, start=1):
        if line is None:
            continue
        if record in torn:
            unparsed[record] = line
            continue
        if position in positions:
            parsed[position] = line
        position += 1
        if len(parsed) == len(positions) and len(unparsed) == len(torn):
            break
    return parsed, unparsed


def _records(text: TextIO, scan: Scan) -> Iterator[Line | None]:
    """The line on which each record begins; None for a blank line."""
    if scan.delimiter is None:
        yield from (Line(number, line) if line.strip() else None for number, line in enumerate(text, start=1))
        return
    rows = csv.reader(text, delimiter=scan.delimiter[0], quotechar='"' if scan.quoted else None)
    begins = 1
    try:
        for row in rows:
            yield Line(begins) if row else None
            begins = rows.line_num + 1
    except csv.Error:  # a cell too long for the csv module: the numbers that follow are DuckDB's
        return


def _texts(connection: duckdb.DuckDBPyConnection, scan: Scan, faults: Sequence[Fault]) -> list[str]:
    if not faults:
        return []
    wanted = np.array([fault.position for fault in faults], dtype=np.int64)
    readable = [column for column in scan.columns if column.readable]
    cells = "json::VARCHAR" if scan.json else ", ".join(_printable(column) for column in readable)
    rows = connection.execute(
        f"SELECT * EXCLUDE (position) FROM (SELECT row_number() OVER () - 1 AS position, {cells} FROM {scan.relation}) "
        "WHERE position IN (SELECT unnest($1)) ORDER BY position",
        [wanted.tolist()],
    ).fetchall()
    return [_text(row, scan) for row in rows]


def _printable(column: Column) -> str:
    if column.type == "JSON":
        return f"({column.sql} ->> '$')"
    return f"try(CAST({column.sql} AS VARCHAR))"


def _text(cells: tuple[str | None, ...], scan: Scan) -> str:
    if scan.json:
        return cells[0] or ""
    delimiter = scan.delimiter or ","
    if len(delimiter) > 1:
        return delimiter.join(cell or "" for cell in cells)
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n")
