"""Delimited text: CSV, TSV and the like, with a header, or as MovieLens wrote it without one."""

from __future__ import annotations

import csv
import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from foldin.data.readers.columns import RECBOLE_TYPES, Column, usual
from foldin.data.readers.records import Record, ends_whole, records
from foldin.data.readers.scans import Scan, Torn
from foldin.data.readers.session import AS_WRITTEN, literal, path_literal
from foldin.data.readers.spooling import BLOCK, temporary_file
from foldin.data.readers.text import (
    UTF8,
    TextFormat,
    encoding_of,
    is_decoded,
    is_gzip,
    opened,
    opened_bytes,
    undecoded,
)
from foldin.errors import ConfigurationError, DataError, NoRowsError
from foldin.wording import counted

__all__ = ["cells_of", "delimited_scan"]

USUAL_DELIMITERS = ("\t", ",", ";", "|")
NEVER_DELIMITERS = frozenset("\"'_-.:()[]{}/ \r\n")
MOVIELENS_COLUMNS = ("user", "item", "rating", "timestamp")
EXCEL_DELIMITER = re.compile(r"sep=(.)", re.IGNORECASE)
COMMENT_SIGNS = ("#", "%")
USUAL_NAMES_OF_HEADER = 2
"""A line with so many usual names is a header, whatever sign it begins with."""


@dataclass(frozen=True)
class Dialect:
    """How a delimited file is written; `first_row` is the line of the first row, `header` the text of the line above it
    that names the columns, None where there is none."""

    delimiter: str
    quote: str
    names: tuple[str, ...]
    first_row: int
    header: str | None = None


@dataclass(frozen=True)
class FirstLine:
    """The first line that is no blank one and no comment, its number, and the delimiter that a line above it names."""

    number: int
    text: str
    delimiter: str | None


def delimited_scan(
    connection: duckdb.DuckDBPyConnection, path: Path, name: str, form: TextFormat, resources: ExitStack
) -> Scan:
    """The scan of a delimited file. `name`: for errors.

    Where DuckDB cannot parse the file as it is, the scan is that of a copy without the rows that do not parse.

    Raises:
        DataError: the file is empty, has no header, or lines that look like rows stand inside quotation marks.
    """
    encoding = encoding_of(path, form.encoding)
    dialect = _dialect(path, name, encoding, form.header)
    rows = partial(_rows, path, encoding, dialect)
    torn: tuple[Torn, ...] = ()
    relation = _relation(path, dialect, skip=dialect.first_row - 1)
    if encoding != UTF8 or not _parses(connection, path, dialect, relation):
        copy = temporary_file(resources)
        torn = _without_torn(rows(), copy, name, dialect)
        relation = _relation(copy, dialect, skip=0)
    columns = tuple(Column(name, f'"c{place}"', "VARCHAR") for place, name in enumerate(dialect.names))
    return Scan(
        name,
        relation,
        columns,
        first_row=dialect.first_row,
        torn=torn,
        delimiter=dialect.delimiter,
        header=dialect.header,
        records=rows,
    )


def _rows(path: Path, encoding: str, dialect: Dialect) -> Iterator[Record]:
    with opened(path, encoding) as lines:
        for _ in range(dialect.first_row - 1):
            next(lines, "")
        yield from records(
            lines,
            delimiter=dialect.delimiter,
            quoted=bool(dialect.quote),
            width=len(dialect.names),
            first_line=dialect.first_row,
        )


def _parses(connection: duckdb.DuckDBPyConnection, path: Path, dialect: Dialect, relation: str) -> bool:
    """Whether DuckDB parses the file as it is, and no row of it has several lines, which must be looked at."""
    content = _content(path)
    if not content.decodes or content.mixes_line_ends:
        return False
    try:
        ((rows,),) = connection.execute(f"SELECT count(*) FROM {relation}").fetchall()
    except duckdb.InterruptException:
        raise
    except duckdb.Error:
        return False
    return not (dialect.quote and content.quotes) or rows == content.lines - (dialect.first_row - 1)


@dataclass(frozen=True)
class Content:
    """What the bytes of a file say of its lines."""

    lines: int
    quotes: bool
    mixes_line_ends: bool
    decodes: bool


def _content(path: Path) -> Content:
    line_feeds = returns = pairs = quotes = 0
    decoder, decodes, last = getincrementaldecoder(UTF8)(), True, b""
    with opened_bytes(path) as file:
        while block := file.read(BLOCK):
            line_feeds += block.count(b"\n")
            returns += block.count(b"\r")
            pairs += block.count(b"\r\n") + (last == b"\r" and block.startswith(b"\n"))
            quotes += block.count(b'"')
            decodes = decodes and _decodes(decoder.decode, block)
            last = block[-1:]
    decodes = decodes and _decodes(partial(decoder.decode, final=True), b"")
    ends = line_feeds or returns
    mixes = line_feeds > 0 and returns > 0 and not line_feeds == returns == pairs
    return Content(ends + (last not in (b"\n", b"\r", b"")), quotes > 0, mixes, decodes)


def _decodes(decode: Callable[[bytes], str], block: bytes) -> bool:
    try:
        decode(block)
    except UnicodeDecodeError:
        return False
    return True


def _without_torn(rows: Iterator[Record], copy: Path, name: str, dialect: Dialect) -> tuple[Torn, ...]:
    """Writes the rows that parse to a copy, and gives the others."""
    torn = []
    with copy.open("w", encoding=UTF8, newline="") as file:
        for row in rows:
            if row.swallowed:
                raise _swallowed(row, name)
            if row.fault is None:
                # all line ends alike, in cells too: DuckDB takes no file that mixes them
                file.write(row.text.replace("\r\n", "\n").replace("\r", "\n") + "\n")
            else:
                torn.append(Torn(row.line, _undecoded_field(row.text, dialect), row.fault, row.text))
    return tuple(torn)


def _swallowed(row: Record, name: str) -> DataError:
    last = row.line + row.swallowed
    return DataError(
        f"{counted(row.swallowed, 'line')} that look like rows, up to line {last}, stand inside a quotation mark that "
        f"opens in line {row.line}; double the mark, or take it out",
        file=name,
        row=row.line,
    )


def _undecoded_field(text: str, dialect: Dialect) -> str | None:
    if is_decoded(text):
        return None
    cells = cells_of(text, dialect.delimiter) if dialect.quote else text.split(dialect.delimiter)
    if len(cells) != len(dialect.names):
        return None
    return next((name for name, cell in zip(dialect.names, cells, strict=True) if not is_decoded(cell)), None)


def _dialect(path: Path, name: str, encoding: str, names: Sequence[str] | None) -> Dialect:
    first = _first_line(path, name, encoding, names)
    delimiter, cells = _split(first, name)
    if names is not None:
        _check_names(names, cells, first.text, name)
        return Dialect(delimiter, _quote(delimiter, cells), tuple(names), first.number)
    if _is_movielens(cells, delimiter):
        return Dialect(delimiter, "", MOVIELENS_COLUMNS[: len(cells)], first.number)
    if all(_is_number(cell) for cell in cells):
        problem = "the first line holds numbers only: a line with the names of the columns is missing"
        raise DataError(f"{problem}; add it, or give the names with header / --header user,item,...", file=name)
    quote = _quote(delimiter, cells)
    if quote and not ends_whole(first.text, delimiter):
        raise DataError("the line with the names of the columns has an open quotation mark", file=name)
    return Dialect(delimiter, quote, tuple(cell.strip() for cell in cells), first.number + 1, first.text)


def _first_line(path: Path, name: str, encoding: str, names: Sequence[str] | None) -> FirstLine:
    delimiter = None
    with opened(path, encoding) as text:
        try:
            for number, line in enumerate(text, start=1):
                bare = line.rstrip("\r\n")
                if delimiter is None and (named := EXCEL_DELIMITER.fullmatch(bare.strip('"'))):
                    delimiter = named[1]
                elif bare.strip() and not _is_comment(bare, names):
                    _refuse_binary(bare, name)
                    return FirstLine(number, bare, delimiter)
        except (OSError, EOFError) as error:
            raise DataError(f"cannot be unpacked: {error}", file=name) from error
    raise NoRowsError("the file is empty: there are no rows", file=name)


def _is_comment(line: str, names: Sequence[str] | None) -> bool:
    if not line.startswith(COMMENT_SIGNS):
        return False
    try:
        cells = cells_of(line, _delimiter(line))
    except csv.Error:
        return True
    if names is not None:
        return len(cells) != len(names)
    return sum(usual(cell) for cell in cells) < USUAL_NAMES_OF_HEADER


def _refuse_binary(line: str, name: str) -> None:
    if "\0" in line:
        raise DataError("is no text: its first line holds NUL bytes; if it is UTF-16, say --encoding utf-16", file=name)
    if not is_decoded(line):
        raise DataError(undecoded("the first line", line), file=name)


def _check_names(names: Sequence[str], cells: Sequence[str], line: str, file: str) -> None:
    if len(names) != len(cells):
        problem = f"header names {counted(len(names), 'column')}, and the first line has {counted(len(cells), 'cell')}"
        raise DataError(f"{problem}: {line!r}", file=file)
    if list(cells) == list(names) or sum(usual(cell) for cell in cells) >= USUAL_NAMES_OF_HEADER:
        raise ConfigurationError(f"{file}: the first line has names of columns ({line!r}): leave out header / --header")


def _split(first: FirstLine, name: str) -> tuple[str, list[str]]:
    try:
        delimiter = first.delimiter or _delimiter(first.text)
        return delimiter, cells_of(first.text, delimiter)
    except csv.Error as error:
        raise DataError(f"the first line is no header: {error}", file=name, row=1) from error


def _quote(delimiter: str, cells: Sequence[str]) -> str:
    return "" if delimiter == "::" or _is_recbole(cells) else '"'


def _delimiter(line: str) -> str:
    unusual = sorted({mark for mark in line if not mark.isalnum() and mark not in NEVER_DELIMITERS})
    colons: tuple[str, ...] = ("::",) if "::" in line else ()
    candidates = (*colons, *USUAL_DELIMITERS, *(mark for mark in unusual if mark not in USUAL_DELIMITERS), " ")
    # the first candidate that yields the most usual names, then the most cells
    return max(candidates, key=lambda mark: _fit(cells_of(line, mark)))


def _fit(cells: list[str]) -> tuple[int, int]:
    return sum(usual(cell) for cell in cells), len(cells)


def cells_of(line: str, delimiter: str) -> list[str]:
    """The cells of a line, without their quotation marks."""
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


def _is_recbole(cells: Sequence[str]) -> bool:
    return any(cell.rpartition(":")[2] in RECBOLE_TYPES for cell in cells)


def _relation(path: Path, dialect: Dialect, *, skip: int) -> str:
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(dialect.names)))
    quote = literal(dialect.quote)
    return (
        f"read_csv({path_literal(path)}, {AS_WRITTEN}, auto_detect = false, header = false, skip = {skip}, "
        f"delim = {literal(dialect.delimiter)}, quote = {quote}, escape = {quote}, "
        f"columns = {{{columns}}}, compression = '{'gzip' if is_gzip(path) else 'none'}')"
    )
