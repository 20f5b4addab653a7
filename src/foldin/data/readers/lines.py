"""JSON lines: one object a line (or an array of objects)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import duckdb

from foldin.data.readers.columns import Column
from foldin.data.readers.records import Record
from foldin.data.readers.rejects import broken_json
from foldin.data.readers.scans import Scan, refusing
from foldin.data.readers.session import AS_WRITTEN, literal, path_literal
from foldin.data.readers.spooling import in_utf8
from foldin.data.readers.text import encoding_of, is_gzip, opened
from foldin.errors import DataError

__all__ = ["is_broken_sql", "json_scan", "repeats_sql"]


def json_scan(
    connection: duckdb.DuckDBPyConnection, path: Path, name: str, encoding: str | None, resources: ExitStack
) -> Scan:
    """The scan of a JSON file, called `name` in errors; its columns are the keys of its objects.

    A line that is no object has no cell at all.

    Raises:
        DataError: the file cannot be read, or no line of it is an object.
    """
    readable = in_utf8(path, encoding_of(path, encoding), resources)
    is_array, relation = _is_array(readable), _relation(readable)
    with refusing(name):
        keys = connection.execute(
            f"SELECT DISTINCT unnest(json_keys(json)) AS key FROM {relation} "
            "WHERE json_type(json) = 'OBJECT' ORDER BY key"
        ).fetchall()
    if not keys and not is_array:
        _refuse_first_line(readable, name)
    columns = tuple(Column(key, f"json_extract(json, {literal(_pointer(key))})", "JSON") for (key,) in keys)
    return Scan(name, relation, columns, json=True, records=None if is_array else partial(_rows, readable))


def is_broken_sql() -> str:
    """Whether a line is no object, or one that has a key twice."""
    return f"coalesce(json_type(json) <> 'OBJECT', true) OR {repeats_sql()}"


def repeats_sql() -> str:
    """Whether an object has a key twice."""
    return "coalesce(len(json_keys(json)) > len(list_distinct(json_keys(json))), false)"


def _rows(path: Path) -> Iterator[Record]:
    with opened(path) as text:
        for number, line in enumerate(text, start=1):
            if line.strip():
                yield Record(number, line.rstrip("\r\n"))


def _refuse_first_line(path: Path, name: str) -> None:
    first = next(_rows(path), None)
    if first is not None:
        _, problem = broken_json(first.text)
        raise DataError(f"no line holds a JSON object; {problem}", file=name, row=first.line)


def _relation(path: Path) -> str:
    packed = "gzip" if is_gzip(path) else "none"
    form = "format = 'array'" if _is_array(path) else "format = 'newline_delimited', ignore_errors = true"
    return f"read_json_objects({path_literal(path)}, {form}, compression = '{packed}', {AS_WRITTEN})"


def _is_array(path: Path) -> bool:
    with opened(path) as text:
        return next((line.lstrip()[0] for line in text if line.strip()), "") == "["


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")
