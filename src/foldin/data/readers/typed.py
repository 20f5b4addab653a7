"""Tables with types: Parquet files and frames of pandas, polars and pyarrow."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol, TypeGuard

import duckdb

from foldin.data.readers.columns import Column
from foldin.data.readers.delimited import is_gzip
from foldin.data.readers.scans import Scan, refusing
from foldin.data.readers.session import AS_WRITTEN, path_literal
from foldin.errors import DataError

__all__ = ["arrow_scan", "is_arrow", "is_pandas", "naming_surrogates", "pandas_scan", "parquet_scan"]

MIXED_KINDS = ("mixed-integer",)
FRACTION_KINDS = ("floating", "mixed-integer-float", "decimal", "mixed", "complex")


class ArrowTable(Protocol):
    """A table that hands itself out as an Arrow stream, again each time it is asked."""

    def __len__(self) -> int: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class PandasColumn(Protocol):
    """What we ask of a column of a pandas frame."""

    @property
    def dtype(self) -> object: ...
    def __iter__(self) -> Iterator[object]: ...


class PandasFrame(Protocol):
    """What we ask of a pandas frame."""

    columns: Iterable[object]

    def __len__(self) -> int: ...
    def __getitem__(self, name: object) -> PandasColumn: ...


class ArrowStream:
    """A table behind the one method DuckDB needs, so that it reads polars and pyarrow without importing pyarrow."""

    def __init__(self, table: ArrowTable) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


def is_pandas(source: object) -> TypeGuard[PandasFrame]:
    """Whether a source is a pandas frame."""
    return type(source).__module__.partition(".")[0] == "pandas" and hasattr(source, "columns")


def is_arrow(source: object) -> TypeGuard[ArrowTable]:
    """Whether a source hands itself out as an Arrow stream, more than once."""
    return hasattr(source, "__arrow_c_stream__") and hasattr(source, "__len__")


def parquet_scan(connection: duckdb.DuckDBPyConnection, path: Path, name: str, resources: ExitStack) -> Scan:
    """The scan of a Parquet file, called `name` in errors; a gzipped one is unpacked to a temporary file first.

    Raises:
        DataError: the file is not Parquet.
    """
    readable = _unpacked(path, name, resources) if is_gzip(path) else path
    relation = f"read_parquet({path_literal(readable)}, {AS_WRITTEN})"
    with refusing(name):
        return Scan(name, relation, _columns(connection, relation))


def arrow_scan(connection: duckdb.DuckDBPyConnection, table: ArrowTable, name: str) -> Scan:
    """The scan of a polars or pyarrow table, registered under a name.

    Raises:
        DataError: DuckDB cannot read it.
    """
    with refusing(None):
        connection.register(name, ArrowStream(table))
        return Scan(None, name, _columns(connection, name))


def pandas_scan(connection: duckdb.DuckDBPyConnection, frame: PandasFrame, name: str) -> Scan:
    """The scan of a pandas frame, registered under a name.

    Raises:
        DataError: DuckDB cannot read it.
    """
    names = [str(column) for column in frame.columns]
    for column in names:
        if names.count(column) > 1:
            raise DataError("the frame has this column more than once", field=column)
    with refusing(None):
        connection.register(name, frame)
        columns = _columns(connection, name)
    return Scan(None, name, tuple(_with_pandas_traits(column, frame) for column in columns))


@contextmanager
def naming_surrogates(source: object) -> Iterator[None]:
    """Says which cell of a pandas frame is no text; DuckDB only says that there is one.

    Raises:
        DataError: with row and field.
    """
    try:
        yield
    except DataError as error:
        place = _lone_surrogate(source) if is_pandas(source) and "surrogate" in error.problem else None
        raise place or error from error.__cause__


def _unpacked(path: Path, name: str, resources: ExitStack) -> Path:
    folder = Path(resources.enter_context(tempfile.TemporaryDirectory()))
    target = folder / "unpacked.parquet"
    try:
        with gzip.open(path) as packed, target.open("wb") as file:
            shutil.copyfileobj(packed, file)
    except (OSError, EOFError) as error:
        raise DataError(f"cannot be unpacked: {error}", file=name) from error
    return target


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> tuple[Column, ...]:
    described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return tuple(Column(name, '"' + name.replace('"', '""') + '"', type_) for name, type_, *_ in described)


def _with_pandas_traits(column: Column, frame: PandasFrame) -> Column:
    if column.name not in list(frame.columns):
        return column
    dtype = str(frame[column.name].dtype)
    if dtype.startswith("float"):
        return Column(column.name, column.sql, column.type, null_is_nan=True)
    if dtype == "object":
        return _with_object_traits(column, frame[column.name])
    return column


def _with_object_traits(column: Column, cells: PandasColumn) -> Column:
    from pandas.api.types import infer_dtype  # a pandas frame is here, so pandas is

    kind = infer_dtype(cells, skipna=True)
    fractions = kind in FRACTION_KINDS or (kind in MIXED_KINDS and any(_is_fraction(cell) for cell in cells))
    type_ = "DOUBLE" if fractions else "BOOLEAN" if kind == "boolean" else column.type
    return Column(column.name, column.sql, type_, mixed=kind in MIXED_KINDS)


def _is_fraction(cell: object) -> bool:
    return isinstance(cell, float) and cell == cell  # a NaN is a missing cell


def _lone_surrogate(frame: PandasFrame) -> DataError | None:
    for name in frame.columns:
        for row, cell in enumerate(frame[name], start=1):
            if isinstance(cell, str) and any("\ud800" <= letter <= "\udfff" for letter in cell):
                return DataError(f"half of a surrogate pair is no text: {cell[:60]!a}", row=row, field=str(name))
    return None
