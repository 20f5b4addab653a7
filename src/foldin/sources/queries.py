"""Queries: a database's answer becomes a log, a catalogue or profiles, and tells how far it has been read."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import chain

from foldin.data.catalog import Catalog
from foldin.data.profiles import Profiles
from foldin.data.readers import Reading, read_catalog, read_events, read_profiles
from foldin.data.readers.columns import Column, Role, find_columns
from foldin.data.readers.rows import Rows
from foldin.data.readers.tables import SetAside
from foldin.errors import ConfigurationError, DataError
from foldin.sources.drivers import Answer, Block, answer
from foldin.sources.parameters import has_since, written
from foldin.sources.urls import masked

__all__ = ["SqlReading", "read_sql", "read_sql_catalog", "read_sql_profiles", "source_name"]

NEVER_FURTHEST = ("infinity", "-infinity")
COMPARABLE: Mapping[str, tuple[type, ...]] = {
    "number": (int, float, Decimal),
    "text": (str,),
    "time": (datetime,),
    "day": (date,),
}


@dataclass(frozen=True, eq=False)
class SqlReading:
    """What a query brought.

    `reading`: the log, None where there is nothing since then. `cursor`: the greatest cell of the cursor column, as
    the `since` of the next time; None where there is no such column or no cell that counts.
    """

    reading: Reading | None
    cursor: str | None


@dataclass
class Furthest:
    """The greatest cell of a column so far, taken down while the rows pass by."""

    cell: object = None
    kinds: set[str] = field(default_factory=set)

    def note(self, cells: Sequence[object]) -> None:
        """Takes down cells; missing ones, infinite times and numbers that are infinite or none do not count."""
        known = [cell for cell in cells if _counts(cell)]
        self.kinds |= {_kind(type_) for type_ in set(map(type, known))}
        if known and len(self.kinds) == 1:
            self.cell = max(known if self.cell is None else [self.cell, *known])  # type: ignore[type-var]

    def text(self) -> str | None:
        """The cell as the value that stands for it in the next query.

        Raises:
            ValueError: the cells are of several types, or of one that no text can stand for.
        """
        if len(self.kinds) > 1 or not self.kinds <= COMPARABLE.keys():
            raise ValueError(f"a cursor is a number, a time or a text, not {' and '.join(sorted(self.kinds))}")
        return None if self.cell is None else written(self.cell)


def read_sql(
    url: str,
    query: str,
    *,
    since: str | None = None,
    cursor: str | None = None,
    user: str | None = None,
    item: str | None = None,
    kind: str | None = None,
    value: str | None = None,
    time: str | None = None,
    event: str | None = None,
    timezone: str | None = None,
    decimal: str | None = None,
    time_format: str | None = None,
    skip_bad: bool = False,
) -> SqlReading:
    """Reads a log from a database. Columns, ids, values and times are judged as those of a file.

    `url`: `postgresql://...`, `sqlite:///file`, `duckdb:///file`, or any URL SQLAlchemy knows. A password is better
        kept out of it, in PGPASSWORD or .pgpass for example; it is never shown or stored.
    `query`: a SELECT. `since`: what the query's parameter `:since` stands for, a number if it looks like one, or else
        a text, as is what stands behind `text:`; it is bound, never pasted in.
    `cursor`: the column whose greatest cell tells how far this reading came; the column of times, if not said. A time
        that is refused counts no more than a missing one.
    The other options are those of `foldin.data.readers.read_events`.

    Raises:
        DataError: the database cannot be read, a column is missing, or a row cannot be taken (by its number in the
            result and its field).
        ConfigurationError: the driver is not installed, or query and `since` do not fit together.
    """
    _check_since(query, since)
    given: dict[Role, str | None] = {"user": user, "item": item, "kind": kind, "value": value, "time": time}
    given["event"] = event
    with answer(url, query, since) as answered:
        place, is_time = _place_of_cursor(answered, given, cursor, masked(url))
        furthest, unjudged = Furthest(), list[Sequence[object]]()
        first = next(answered.blocks, None)
        if first is None and since is not None:
            return SqlReading(None, None)
        note = unjudged.append if is_time and skip_bad else furthest.note
        blocks = _noting(chain([first] if first else [], answered.blocks), place, note)
        rows = Rows(masked(url), answered.columns, blocks)
        written = {"timezone": timezone, "decimal": decimal, "time_format": time_format}
        reading = read_events(rows, **_options(given), **written, skip_bad=skip_bad)
    furthest.note(_without(chain.from_iterable(unjudged), set(reading.refused_times.tolist())))
    return SqlReading(reading, _text(furthest, cursor or since, answered.columns, place, masked(url)))


def read_sql_catalog(url: str, query: str, *, item: str | None = None, set_aside: SetAside | None = None) -> Catalog:
    """Reads a catalogue from a database: an item per row, every other column is an attribute.

    `set_aside`: as for `read_catalog`.

    Raises:
        DataError: the database cannot be read, or an id stands twice or cannot be one.
        ConfigurationError: the driver is not installed.
    """
    with _rows(url, query) as rows:
        return read_catalog(rows, item=item, set_aside=set_aside)


def read_sql_profiles(url: str, query: str, *, user: str | None = None, set_aside: SetAside | None = None) -> Profiles:
    """Reads profiles from a database, as `read_sql_catalog` does a catalogue.

    Raises:
        DataError: the database cannot be read, or an id stands twice or cannot be one.
        ConfigurationError: the driver is not installed.
    """
    with _rows(url, query) as rows:
        return read_profiles(rows, user=user, set_aside=set_aside)


def source_name(url: str, query: str) -> str:
    """What a query's events are filed under, if nothing is said: the URL without a password, and a mark of the query.

    Two queries on one database have two names, and so each is read up to a place of its own.
    """
    return f"{masked(url)}#{hashlib.sha256(query.strip().encode()).hexdigest()[:8]}"


@contextmanager
def _rows(url: str, query: str) -> Iterator[Rows]:
    with answer(url, query, None) as answered:
        yield Rows(masked(url), answered.columns, answered.blocks)


def _check_since(query: str, since: str | None) -> None:
    if has_since(query) and since is None:
        raise ConfigurationError("the query has the parameter :since: say what it stands for with --since")
    if since is not None and not has_since(query):
        raise ConfigurationError("--since needs the parameter :since in the query, as in WHERE time > :since")


def _place_of_cursor(
    answered: Answer, given: Mapping[Role, str | None], cursor: str | None, source: str
) -> tuple[int | None, bool]:
    """Which column is the cursor's, and whether it is that of the times."""
    columns = list(answered.columns)
    if cursor is not None and cursor not in columns:
        raise DataError(f"the result has no column '{cursor}' for the cursor", file=source, field=cursor)
    taken = find_columns([Column(name, name, "JSON") for name in columns], given, source)
    time = taken["time"].name if "time" in taken else None
    name = cursor or time
    return None if name is None else columns.index(name), name == time


def _noting(blocks: Iterator[Block], place: int | None, note: Callable[[Sequence[object]], None]) -> Iterator[Block]:
    for block in blocks:
        if place is not None:
            note([row[place] for row in block])
        yield block


def _without(cells: Iterable[object], rows: Container[int]) -> list[object]:
    return [cell for row, cell in enumerate(cells) if row not in rows]


def _options(given: Mapping[Role, str | None]) -> dict[str, str | None]:
    return {str(role): name for role, name in given.items()}


def _text(furthest: Furthest, wanted: str | None, columns: Sequence[str], place: int | None, source: str) -> str | None:
    try:
        return furthest.text()
    except ValueError as error:
        if wanted is None:  # nobody asked for a cursor; the rows are good without one
            return None
        raise DataError(str(error), file=source, field=columns[place or 0]) from None


def _counts(cell: object) -> bool:
    if isinstance(cell, Decimal):
        return cell.is_finite()
    if isinstance(cell, float):
        return math.isfinite(cell)
    return cell is not None and cell not in NEVER_FURTHEST


def _kind(type_: type) -> str:
    """What can be compared with what."""
    fitting = (kind for kind, types in COMPARABLE.items() if issubclass(type_, types) and type_ is not bool)
    return next(fitting, type_.__name__)
