"""Sources: a path, a glob, a list of paths or a frame become scans."""

from __future__ import annotations

import glob
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import duckdb

from foldin.data.readers.delimited import delimited_scan
from foldin.data.readers.lines import json_scan
from foldin.data.readers.remote import fetched, is_url
from foldin.data.readers.rows import Rows, rows_scan
from foldin.data.readers.scans import Scan
from foldin.data.readers.signatures import refuse_by_signature
from foldin.data.readers.spooling import is_stream, spooled
from foldin.data.readers.text import TextFormat, encoding_of, opened, opened_bytes
from foldin.data.readers.typed import arrow_scan, is_arrow, is_pandas, pandas_scan, parquet_scan
from foldin.errors import ConfigurationError, DataError, NoRowsError

__all__ = ["Source", "scans_of"]

Source: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | object
"""A path, a glob, a list of these, or a pandas, polars or pyarrow table."""

PARQUET_ENDINGS = (".parquet", ".pq")
JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
PARQUET_MAGIC = b"PAR1"
JSON_BEGINNING = re.compile(r"\s*(\{|\[\s*(\{|\]|\Z))")
LOOKED_AT = 1_000
"""Characters that tell JSON from other text."""


def scans_of(
    connection: duckdb.DuckDBPyConnection, source: Source, resources: ExitStack, form: TextFormat
) -> list[Scan]:
    """The scans of a source, files in the order given, those of a glob by name.

    `form`: how its files are written.

    Raises:
        ConfigurationError: a form is given for a source that is no file of text.
        DataError: a file is not there, or the source is of no kind we can read.
        NoRowsError: there are no rows in any of it.
    """
    if (is_pandas(source) or is_arrow(source) or isinstance(source, Rows)) and form != TextFormat():
        raise ConfigurationError("encoding and header are those of files; a table or a query has neither")
    if is_pandas(source):
        return _with_rows([pandas_scan(connection, source, "frame")])
    if is_arrow(source):
        return _with_rows([arrow_scan(connection, source, "frame")])
    if isinstance(source, Rows):
        return [rows_scan(connection, source)]
    files = _files(source, resources)
    # parts of no bytes, such as Spark's _SUCCESS, and of no rows bring nothing and stop nothing
    written = [file for file in files if file.path.stat().st_size] or files[:1]
    scans = [_file_scan(connection, file, resources, form) for file in written]
    return _with_rows(scans)


def _with_rows(scans: list[Scan]) -> list[Scan]:
    kept = [scan for scan in scans if not scan.empty]
    if not kept:
        raise NoRowsError("there are no rows", file=scans[0].file)
    return kept


@dataclass(frozen=True)
class File:
    """A file to read: where its bytes are, and what it is called."""

    path: Path
    name: str

    @property
    def ending(self) -> str:
        """The ending that tells the format: `.csv` of `log.csv.gz`."""
        name = Path(urlsplit(self.name).path if is_url(self.name) else self.name)
        return (name.with_suffix("").suffix if name.suffix.lower() == ".gz" else name.suffix).lower()


def _files(source: Source, resources: ExitStack) -> list[File]:
    if isinstance(source, str | os.PathLike):
        return _matches(os.fspath(source), resources)
    if isinstance(source, list | tuple) and source:
        return [file for one in source for file in _files_of_one(one, resources)]
    kind = "an empty list" if isinstance(source, list | tuple) else type(source).__name__
    raise DataError(f"cannot read {kind}; give a path, a glob, a list of paths, or a pandas, polars or pyarrow table")


def _files_of_one(source: object, resources: ExitStack) -> list[File]:
    if isinstance(source, str | os.PathLike):
        return _matches(os.fspath(source), resources)
    kind = "rows" if isinstance(source, list | tuple | Mapping) else f"{type(source).__name__} objects"
    problem = (
        f"cannot read a list of {kind}; make a frame of it first: pandas.DataFrame(rows, columns=['user', 'item'])"
    )
    raise DataError(problem)


def _matches(name: str, resources: ExitStack) -> list[File]:
    if is_url(name):
        return [File(path, called) for path, called in fetched(name, resources)]
    path = Path(name).expanduser()
    if is_stream(str(path)):
        return [File(spooled(str(path), resources), name)]
    if path.is_file():
        return [_named(path)]
    if path.is_dir():
        raise DataError("is a folder; name its files, for example with a glob like 'folder/*.csv'", file=name)
    found = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
    files = [_named(Path(one)) for one in found if Path(one).is_file()]
    if not files:
        raise DataError("no file matches" if glob.has_magic(name) else "there is no such file", file=_printable(name))
    return files


def _named(path: Path) -> File:
    name = str(path)
    if _printable(name) != name:
        raise DataError("the name is not UTF-8, and cannot be read by it; rename the file", file=_printable(name))
    return File(path, name)


def _printable(name: str) -> str:
    return os.fsencode(name).decode("utf-8", errors="replace")


def _file_scan(connection: duckdb.DuckDBPyConnection, file: File, resources: ExitStack, form: TextFormat) -> Scan:
    try:
        refuse_by_signature(file.path, file.name)
        if file.ending in PARQUET_ENDINGS or _begins(file, PARQUET_MAGIC):
            return parquet_scan(connection, file.path, file.name, resources)
        if file.ending in JSON_ENDINGS or _is_json(file, form):
            return json_scan(connection, file.path, file.name, form.encoding, resources)
        return delimited_scan(connection, file.path, file.name, form, resources)
    except UnicodeError as error:
        raise DataError(f"is no text of the encoding it is read by: {error}", file=file.name) from error
    except (OSError, EOFError, zlib.error) as error:
        problem = getattr(error, "strerror", None) or error
        raise DataError(f"cannot be opened: {problem}", file=file.name) from error


def _begins(file: File, beginning: bytes) -> bool:
    with opened_bytes(file.path) as content:
        return content.read(len(beginning)) == beginning


def _is_json(file: File, form: TextFormat) -> bool:
    with opened(file.path, encoding_of(file.path, form.encoding)) as text:
        return JSON_BEGINNING.match(text.read(LOOKED_AT)) is not None
