"""Drivers: a query goes out, and names of columns and blocks of rows come back, whichever database answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import apsw
import apsw.ext
import duckdb

from foldin.errors import ConfigurationError, DataError
from foldin.sources.parameters import value_of, with_since
from foldin.sources.urls import file_of, masked, scheme_of, without_secrets

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["Answer", "Block", "answer"]

BLOCK = 50_000
"""Rows asked for at once."""

Block: TypeAlias = Sequence[Sequence[object]]


@dataclass(frozen=True)
class Answer:
    """What a database answers: the names of the columns, and the rows in blocks, once."""

    columns: Sequence[str]
    blocks: Iterator[Block]


def answer(url: str, query: str, since: str | None) -> AbstractContextManager[Answer]:
    """The answer to a query, to be read inside the context; nothing can be written through it where the driver allows.

    `since`: the value of the parameter `:since`, None for a query without it.

    Raises:
        ConfigurationError: the URL is none, or its driver is not installed.
        DataError: the database cannot be reached, or refuses the query.
    """
    scheme = scheme_of(url)
    return DRIVERS.get(scheme, _alchemy)(url, query.strip().rstrip(";"), since)


@contextmanager
def _postgres(url: str, query: str, since: str | None) -> Iterator[Answer]:
    try:
        import psycopg
        from psycopg.types.string import TextLoader
    except ImportError:
        raise ConfigurationError("PostgreSQL needs psycopg: pip install 'foldin[postgres]'") from None
    with _told(url, psycopg.Error), psycopg.connect(url, connect_timeout=30) as connection:
        connection.execute("SET DateStyle = 'ISO'; SET TimeZone = 'UTC'")
        connection.commit()
        connection.read_only = True
        for kind in ("date", "timestamp", "timestamptz"):  # as text: Python knows no infinity and no year 10000
            connection.adapters.register_loader(kind, TextLoader)
        with connection.cursor(name="foldin") as cursor:
            if since is None:
                cursor.execute(query.encode())
            else:
                bound = with_since(query, "%(since)s", lambda text: text.replace("%", "%%"))
                # as a text, which the server reads as whatever it is compared with
                cursor.execute(bound.encode(), {"since": str(value_of(since))})
            names = [column.name for column in cursor.description or ()]
            yield Answer(names, iter(lambda: cursor.fetchmany(BLOCK), []))


@contextmanager
def _sqlite(url: str, query: str, since: str | None) -> Iterator[Answer]:
    parameters = {} if since is None else {"since": _without_decimals(value_of(since))}
    with (
        _told(url, apsw.Error),
        closing(apsw.Connection(_existing(url), flags=apsw.SQLITE_OPEN_READONLY)) as connection,
    ):
        names = [name for name, _ in apsw.ext.query_info(connection, query).description]
        yield Answer(names, _in_blocks(connection.execute(query, parameters)))


@contextmanager
def _duckdb(url: str, query: str, since: str | None) -> Iterator[Answer]:
    bound = query if since is None else with_since(query, "$since")
    parameters = {} if since is None else {"since": value_of(since)}
    with _told(url, duckdb.Error), closing(duckdb.connect(_existing(url), read_only=True)) as connection:
        connection.execute("SET TimeZone = 'UTC'").fetchall()
        described = connection.cursor().execute(bound, parameters).description or []
        answered = connection.cursor().execute(_with_zones_as_text(bound, described), parameters)
        yield Answer([name for name, *_ in described], iter(lambda: answered.fetchmany(BLOCK), []))


@contextmanager
def _alchemy(url: str, query: str, since: str | None) -> Iterator[Answer]:
    try:
        import sqlalchemy
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError:
        problem = f"{scheme_of(url)}:// needs SQLAlchemy: pip install 'foldin[sql]', and the driver of the database"
        raise ConfigurationError(problem) from None
    statement = sqlalchemy.text(with_since(query, ":since", lambda text: text.replace(":", r"\:")))
    parameters = {} if since is None else {"since": value_of(since)}
    engine = _engine(url)
    try:
        with (
            _told(url, SQLAlchemyError),
            engine.connect().execution_options(stream_results=True) as connection,
            closing(connection.execute(statement, parameters)) as result,
        ):
            if not result.returns_rows:
                raise DataError("the query answers with no rows: it must be a SELECT", file=masked(url))
            yield Answer(list(result.keys()), result.partitions(BLOCK))
    finally:
        engine.dispose()


DRIVERS: Mapping[str, Callable[[str, str, str | None], AbstractContextManager[Answer]]] = {
    "postgresql": _postgres,
    "postgres": _postgres,
    "sqlite": _sqlite,
    "duckdb": _duckdb,
}
"""The databases we read through their own drivers; all others through SQLAlchemy."""


def _engine(url: str) -> Engine:
    import sqlalchemy
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        return sqlalchemy.create_engine(url)
    except NoSuchModuleError:
        problem = f"SQLAlchemy knows no '{scheme_of(url)}': install the dialect it needs, or put the URL right"
    except ImportError as error:
        problem = f"{scheme_of(url)}:// needs the driver {error.name}: pip install {error.name}"
    except (ArgumentError, ValueError) as error:
        problem = f"'{masked(url)}' is no URL of a database: {without_secrets(str(error), url)}"
    raise ConfigurationError(problem)


@contextmanager
def _told(url: str, *kinds: type[Exception]) -> Iterator[None]:
    try:
        yield
    except kinds as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        # the driver's own error is left behind: it may hold the password
        raise DataError(f"cannot be read: {without_secrets(lines[0], url)}", file=masked(url)) from None


def _existing(url: str) -> str:
    file = Path(file_of(url)).expanduser()
    if not file.is_file():
        raise DataError("there is no such file", file=masked(url))
    return str(file)


def _without_decimals(value: str | int | float | Decimal) -> str | int | float:
    return float(value) if isinstance(value, Decimal) else value


def _in_blocks(rows: apsw.Cursor) -> Iterator[Block]:
    block: list[Sequence[object]] = []
    for row in rows:
        block.append(row)
        if len(block) == BLOCK:
            yield block
            block = []
    if block:
        yield block


def _with_zones_as_text(query: str, described: Sequence[tuple[object, ...]]) -> str:
    # DuckDB makes Python's times with a zone only where pytz is installed
    columns = [
        f"CAST(#{place} AS VARCHAR)" if "TIME ZONE" in str(type_) else f"#{place}"
        for place, (_, type_, *_) in enumerate(described, start=1)
    ]
    return f"SELECT {', '.join(columns)} FROM ({query}\n)"
