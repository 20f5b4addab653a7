"""Tables with types: Parquet files and frames of pandas, polars and pyarrow."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from numbers import Integral
from pathlib import Path
from typing import Any, Protocol, TypeGuard, cast

import duckdb

from foldin.data.readers.columns import Column
from foldin.data.readers.scans import Scan, refusing
from foldin.data.readers.session import AS_WRITTEN, literal, path_literal
from foldin.data.readers.text import is_gzip
from foldin.errors import DataError

__all__ = ["arrow_scan", "explaining_frames", "is_arrow", "is_pandas", "pandas_scan", "parquet_scan"]

NO_ID_TYPES = (float, complex, Decimal, bool, bytes, list, tuple, dict, set, frozenset)


class ArrowTable(Protocol):
    """A table that hands itself out as an Arrow stream, again each time it is asked."""

    def __len__(self) -> int: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class PandasColumn(Protocol):
    """What we ask of a column of a pandas frame."""

    @property
    def dtype(self) -> object: ...
    def __iter__(self) -> Iterator[object]: ...


class PandasIndex(Protocol):
    """What we ask of the index of a pandas frame."""

    names: Iterable[object]


class PandasFrame(Protocol):
    """What we ask of a pandas frame."""

    columns: Iterable[object]
    index: PandasIndex

    def __len__(self) -> int: ...
    def __getitem__(self, name: Any) -> Any: ...


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
        empty = connection.execute(f"SELECT 1 FROM {relation} LIMIT 1").fetchone() is None
        return Scan(name, relation, _columns(connection, relation), empty=empty)


def arrow_scan(connection: duckdb.DuckDBPyConnection, table: ArrowTable, name: str) -> Scan:
    """The scan of a polars or pyarrow table, registered under a name.

    Raises:
        DataError: DuckDB cannot read it.
    """
    if not len(table):
        return Scan(None, name, (), empty=True)
    names = _arrow_names(table)

    def register(columns: Sequence[str]) -> None:
        # a table that can be read as a whole is not taken apart; not every one can be
        part = table if not names or len(columns) == len(names) else cast("Any", table).select(list(columns))
        connection.register(name, ArrowStream(part))

    return Scan(None, name, _readable_columns(connection, name, names, register))


def pandas_scan(connection: duckdb.DuckDBPyConnection, frame: PandasFrame, name: str) -> Scan:
    """The scan of a pandas frame, registered under a name.

    Raises:
        DataError: DuckDB cannot read it, or a column stands twice in it.
    """
    if not len(frame):
        return Scan(None, name, (), empty=True)
    labels = {str(column): column for column in frame.columns}
    if len(labels) < len(list(frame.columns)):
        names = [str(column) for column in frame.columns]
        raise DataError("the frame has this column more than once", field=next(n for n in names if names.count(n) > 1))
    decoded = _decoded(frame)

    def register(columns: Sequence[str]) -> None:
        connection.register(name, decoded[[labels[column] for column in columns]])

    columns = _readable_columns(connection, name, list(labels), register)
    traced = tuple(_with_pandas_traits(column, decoded[labels[column.name]]) for column in columns)
    return Scan(None, name, traced)


@contextmanager
def explaining_frames(source: object) -> Iterator[None]:
    """Says of a pandas frame which cell is no text, where DuckDB only says that there is one, and what its index holds.

    Raises:
        DataError: with row and field, or the way out.
    """
    try:
        yield
    except DataError as error:
        explained = _explained(source, error) if is_pandas(source) else None
        raise explained or error from error.__cause__


def _explained(frame: PandasFrame, error: DataError) -> DataError | None:
    if "surrogate" in error.problem:
        return _lone_surrogate(frame)
    names = [str(name) for name in frame.index.names if name is not None]
    if names and error.problem.startswith("no column"):
        held = " and ".join(f"'{name}'" for name in names)
        return DataError(f"{error.problem} (the index holds {held}: frame.reset_index() makes it a column)")
    return None


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
    return tuple(_column(name, type_) for name, type_, *_ in described)


def _column(name: str, type_: str) -> Column:
    cell = '"' + name.replace('"', '""') + '"'
    if type_ == '"NULL"':  # a column of nulls is of any type
        return Column(name, "NULL::VARCHAR", "VARCHAR")
    if type_ == "BLOB":
        problem = literal(f"the bytes of column '{name}' are not UTF-8 text")
        return Column(name, f"coalesce(try(decode({cell})), if({cell} IS NULL, NULL, error({problem})))", "VARCHAR")
    return Column(name, cell, type_)


def _readable_columns(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    names: Sequence[str],
    register: Callable[[Sequence[str]], None],
) -> tuple[Column, ...]:
    """The columns, of which those that DuckDB cannot read stay out of the relation."""
    with suppress(duckdb.Error):
        register(names)
        return _columns(connection, relation)
    reasons = {name: _why_unreadable(connection, relation, register, name) for name in names}
    with refusing(None):
        register([name for name in names if not reasons[name]])
        readable = {column.name: column for column in _columns(connection, relation)}
    return tuple(readable.get(name) or Column(name, "NULL", reasons[name], readable=False) for name in names)


def _why_unreadable(
    connection: duckdb.DuckDBPyConnection, relation: str, register: Callable[[Sequence[str]], None], name: str
) -> str:
    """The type that DuckDB cannot read, or why it cannot; empty where it can."""
    try:
        register([name])
        _columns(connection, relation)
    except duckdb.Error as error:
        message = str(error).splitlines()[0]
        return message.split("'")[1] if message.count("'") > 1 else message.rpartition(": ")[2]
    return ""


def _arrow_names(table: ArrowTable) -> list[str]:
    """The names of a polars or pyarrow table's columns; none of a table that cannot be taken apart."""
    names: Iterable[object] = getattr(table, "column_names", None) or getattr(table, "columns", None) or ()
    return [name for name in names if isinstance(name, str)] if hasattr(table, "select") else []


def _decoded(frame: PandasFrame) -> PandasFrame:
    """The frame with bytes as the text they are in UTF-8; a column in which one is none stays as it is."""
    with_bytes = [label for label in _object_columns(frame) if bytes in set(map(type, frame[label]))]
    if not with_bytes:
        return frame
    changed = cast("Any", frame).copy(deep=False)
    for label in with_bytes:
        with suppress(UnicodeDecodeError):
            changed[label] = frame[label].map(lambda cell: cell.decode() if isinstance(cell, bytes) else cell)
    return cast("PandasFrame", changed)


def _object_columns(frame: PandasFrame) -> list[object]:
    return [label for label in frame.columns if str(frame[label].dtype) == "object"]


def _with_pandas_traits(column: Column, cells: PandasColumn) -> Column:
    dtype = str(cells.dtype)
    if dtype.startswith("float"):
        return replace(column, null_is_nan=True)
    if dtype != "object" or not column.readable:
        return column
    types = set(map(type, cells))
    whole = any(issubclass(one, Integral) and not issubclass(one, bool) for one in types)
    return replace(column, holds=_no_ids(types, cells), mixed=whole and str in types)


def _no_ids(types: set[type], cells: Iterable[object]) -> str:
    """The name of a type that can be no id, where there is one among the objects."""
    fractions = {one for one in types if issubclass(one, float)}
    if fractions and not any(_is_fraction(cell) for cell in cells):
        types = types - fractions
    return next((one.__name__ for one in types if issubclass(one, NO_ID_TYPES) or one.__name__ == "ndarray"), "")


def _is_fraction(cell: object) -> bool:
    return isinstance(cell, float) and cell == cell  # a NaN is a missing cell


def _lone_surrogate(frame: PandasFrame) -> DataError | None:
    for name in frame.columns:
        for row, cell in enumerate(frame[name], start=1):
            if isinstance(cell, str) and any("\ud800" <= letter <= "\udfff" for letter in cell):
                return DataError(f"half of a surrogate pair is no text: {cell[:60]!a}", row=row, field=str(name))
    return None
