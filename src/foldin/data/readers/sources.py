"""Sources: a path, a glob, a list of paths or a frame become scans."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import duckdb

from foldin.data.readers.delimited import delimited_scan
from foldin.data.readers.lines import json_scan
from foldin.data.readers.scans import Scan
from foldin.data.readers.typed import arrow_scan, is_arrow, is_pandas, pandas_scan, parquet_scan
from foldin.errors import DataError

__all__ = ["Source", "scans_of"]

Source: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | object
"""A path, a glob, a list of these, or a pandas, polars or pyarrow table."""

PARQUET_ENDINGS = (".parquet", ".pq")
JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
PARQUET_MAGIC = b"PAR1"


def scans_of(connection: duckdb.DuckDBPyConnection, source: Source, resources: ExitStack) -> list[Scan]:
    """The scans of a source, files in the order given, those of a glob by name.

    Raises:
        DataError: a file is not there, or the source is of no kind we can read.
    """
    if is_pandas(source):
        return [pandas_scan(connection, source, "frame")]
    if is_arrow(source):
        return [arrow_scan(connection, source, "frame")]
    return [_file_scan(connection, path, resources) for path in _paths(source)]


def _paths(source: Source) -> list[Path]:
    if isinstance(source, str | os.PathLike):
        return _matches(os.fspath(source))
    if isinstance(source, list | tuple) and source:
        return [path for one in source for path in _paths(one)]
    kind = "an empty list" if isinstance(source, list | tuple) else type(source).__name__
    raise DataError(f"cannot read {kind}; give a path, a glob, a list of paths, or a pandas, polars or pyarrow table")


def _matches(name: str) -> list[Path]:
    path = Path(name).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        raise DataError("is a folder; name its files, for example with a glob like 'folder/*.csv'", file=name)
    found = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
    files = [Path(one) for one in found if Path(one).is_file()]
    if not files:
        raise DataError("no file matches" if glob.has_magic(name) else "there is no such file", file=name)
    return files


def _file_scan(connection: duckdb.DuckDBPyConnection, path: Path, resources: ExitStack) -> Scan:
    try:
        ending = path.with_suffix("").suffix if path.suffix.lower() == ".gz" else path.suffix
        if ending.lower() in PARQUET_ENDINGS or _starts_as_parquet(path):
            return parquet_scan(connection, path, resources)
        if ending.lower() in JSON_ENDINGS:
            return json_scan(connection, path)
        return delimited_scan(path)
    except OSError as error:
        raise DataError(f"cannot be opened: {error.strerror or error}", file=str(path)) from error


def _starts_as_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == PARQUET_MAGIC
