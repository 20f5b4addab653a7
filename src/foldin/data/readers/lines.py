"""JSON lines: one object a line (or an array of objects)."""

from __future__ import annotations

import codecs
from pathlib import Path

import duckdb

from foldin.data.readers.columns import Column
from foldin.data.readers.delimited import is_gzip, opened
from foldin.data.readers.scans import Scan, refusing
from foldin.data.readers.session import AS_WRITTEN, literal, path_literal
from foldin.errors import DataError

__all__ = ["is_broken_sql", "json_scan", "repeats_sql"]


def json_scan(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> Scan:
    """The scan of a JSON file, called `name` in errors; its columns are the keys of its objects.

    A line that is no object has no cell at all.

    Raises:
        DataError: the file cannot be read, or begins with a byte order mark.
    """
    _refuse_mark(path, name)
    relation = _relation(path)
    with refusing(name):
        keys = connection.execute(
            f"SELECT DISTINCT unnest(json_keys(json)) AS key FROM {relation} "
            "WHERE json_type(json) = 'OBJECT' ORDER BY key"
        ).fetchall()
    columns = tuple(Column(key, f"json_extract(json, {literal(_pointer(key))})", "JSON") for (key,) in keys)
    return Scan(name, relation, columns, json=True, by_line=not _is_array(path), content=path)


def is_broken_sql() -> str:
    """Whether a line is no object, or one that has a key twice."""
    return f"coalesce(json_type(json) <> 'OBJECT', true) OR {repeats_sql()}"


def repeats_sql() -> str:
    """Whether an object has a key twice."""
    return "coalesce(len(json_keys(json)) > len(list_distinct(json_keys(json))), false)"


def _refuse_mark(path: Path, name: str) -> None:
    with path.open("rb") as file:
        if file.read(3) in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE + b"{", codecs.BOM_UTF16_BE + b"\x00"):
            raise DataError("begins with a byte order mark; save it as UTF-8 without one", file=name, row=1)


def _relation(path: Path) -> str:
    packed = "gzip" if is_gzip(path) else "none"
    form = "format = 'array'" if _is_array(path) else "format = 'newline_delimited', ignore_errors = true"
    return f"read_json_objects({path_literal(path)}, {form}, compression = '{packed}', {AS_WRITTEN})"


def _is_array(path: Path) -> bool:
    with opened(path) as text:
        return next((line.lstrip()[0] for line in text if line.strip()), "") == "["


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")
