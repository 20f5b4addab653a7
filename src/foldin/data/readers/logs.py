"""Reading a log of events: the first bad row raises, or bad rows are set aside."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import duckdb
import numpy as np
from numpy.typing import NDArray

from foldin.data.interactions import Interactions
from foldin.data.readers.columns import ColumnName, Role
from foldin.data.readers.leftovers import unused_note
from foldin.data.readers.notation import Notation
from foldin.data.readers.raw import RawLog, read_raw
from foldin.data.readers.rejects import Rejected, rejected_rows
from foldin.data.readers.session import session
from foldin.data.readers.sources import Source, scans_of
from foldin.data.readers.text import TextFormat
from foldin.data.readers.times import WITHOUT_ZONE, WITHOUT_ZONE_REASON
from foldin.data.readers.typed import explaining_frames
from foldin.errors import DataWarning

__all__ = ["Reading", "read", "read_events", "rejections"]


@dataclass(frozen=True, eq=False)
class Reading:
    """What a reading that sets bad rows aside brings.

    `log`: the good rows. `rejected`: the others, in the order of files and rows. `notes`: what was changed on the
    way, in sentences. `columns`: the column that was taken for each role. `event_ids`: one per event, None where there
    is no such column or none was asked for. `refused_times`: the rows, counted from 0, whose time is no good one.
    `unused`: what is to be said of the columns that play no role, if there are any.
    """

    log: Interactions
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...]
    columns: Mapping[Role, str]
    event_ids: NDArray[np.object_] | None = None
    refused_times: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    unused: tuple[str, ...] = ()


def read(
    source: Source,
    *,
    user: ColumnName | None = None,
    item: ColumnName | None = None,
    kind: ColumnName | None = None,
    value: ColumnName | None = None,
    time: ColumnName | None = None,
    timezone: str | None = None,
    decimal: str | None = None,
    time_format: str | None = None,
    encoding: str | None = None,
    header: Sequence[str] | None = None,
) -> Interactions:
    """Reads a log of events from files or a frame; all of it, or nothing.

    `source`: a path, a glob, a list of paths (delimited text, Parquet or JSON lines, gzipped or not), or a pandas,
        polars or pyarrow table.
    `user`, `item`, `kind`, `value`, `time`: names of the columns, where they are not the usual ones. "none" for kind,
        value or time: no column is, whatever the columns are called.
    `timezone`: where times without an offset were written down, for example "UTC" or "Europe/Berlin".
    `decimal`: the decimal mark of values that are texts, "," for 3,5.
    `time_format`: how times are written, in the directives of `strptime`, as "%d/%m/%Y %H:%M". Without it they are
        seconds, milliseconds, microseconds or nanoseconds since the epoch, decided for the whole column, days of the
        calendar in digits (20210113), or ISO 8601.
    `encoding`: that of files that are not UTF-8, as "latin-1"; UTF-16 is known by its mark.
    `header`: the names of the columns, for delimited files without a line that has them.

    Raises:
        DataError: a column is missing, or a row cannot be taken; file, row and field are named.
        ConfigurationError: there is no such time zone, decimal mark, encoding or format of times.

    Warns:
        DataWarning: ids were normalised, a number and a text became the same id, times look misread, or columns were
            left alone.
    """
    given: dict[Role, ColumnName | None] = {"user": user, "item": item, "kind": kind, "value": value, "time": time}
    reading = _reading(
        source, given, TextFormat.given(encoding, header), Notation(timezone, decimal, time_format), most_rejected=1
    )
    for rejected in reading.rejected:
        raise rejected.error()
    for note in (*reading.notes, *reading.unused):
        warnings.warn(note, DataWarning, stacklevel=2)
    return reading.log


def read_events(
    source: Source,
    *,
    user: ColumnName | None = None,
    item: ColumnName | None = None,
    kind: ColumnName | None = None,
    value: ColumnName | None = None,
    time: ColumnName | None = None,
    event: ColumnName | None = None,
    timezone: str | None = None,
    decimal: str | None = None,
    time_format: str | None = None,
    encoding: str | None = None,
    header: Sequence[str] | None = None,
    skip_bad: bool = False,
) -> Reading:
    """Reads a log as `read` does, together with the ids of its events, and tells what was done on the way.

    `event`: the column of event ids, where it is not called `event_id`. The rules are those for other ids; an id may
        stand twice only with the same event.
    `skip_bad`: set bad rows aside instead of raising.

    Raises:
        DataError: a column is missing, or a row cannot be taken; file, row and field are named.
        ConfigurationError: there is no such time zone, decimal mark, encoding or format of times.
    """
    given: dict[Role, ColumnName | None] = {"user": user, "item": item, "kind": kind, "value": value, "time": time}
    reading = _reading(
        source,
        given | {"event": event},
        TextFormat.given(encoding, header),
        Notation(timezone, decimal, time_format),
        most_rejected=None if skip_bad else 1,
    )
    for rejected in reading.rejected if not skip_bad else ():
        raise rejected.error()
    return reading


def _reading(
    source: Source,
    given: Mapping[Role, ColumnName | None],
    form: TextFormat,
    notation: Notation,
    most_rejected: int | None,
) -> Reading:
    with explaining_frames(source), session() as connection, ExitStack() as resources:
        raw = read_raw(connection, scans_of(connection, source, resources, form), given, notation)
        if most_rejected is None:
            _refuse_naive_times(connection, raw)
        rejected = rejections(connection, raw, np.flatnonzero(raw.bad), most_rejected)
    columns = {role: column.name for role, column in raw.columns[0].items()}
    return Reading(
        raw.interactions(),
        tuple(rejected),
        raw.notes,
        columns,
        raw.event_ids(),
        raw.refused_times(),
        unused_note(raw.unused, raw.questions),
    )


def _refuse_naive_times(connection: duckdb.DuckDBPyConnection, raw: RawLog) -> None:
    if raw.times is None or not (naive := raw.times.verdicts == WITHOUT_ZONE).any():
        return
    rejected = rejections(connection, raw, np.flatnonzero(naive)[:1])
    raise next(one for one in rejected if one.reason.startswith(WITHOUT_ZONE_REASON)).error()


def rejections(
    connection: duckdb.DuckDBPyConnection, raw: RawLog, rows: NDArray[np.intp], most: int | None = None
) -> list[Rejected]:
    """What is to be said of bad rows, and of the torn ones; at most so many, from the first on."""
    rejected: list[Rejected] = []
    for number, scan in enumerate(raw.scans):
        start = int(raw.ends[number - 1]) if number else 0
        of_scan = rows[(rows >= start) & (rows < raw.ends[number])][:most]
        faults = [raw.fault(number, int(row)) for row in of_scan]
        rejected += rejected_rows(connection, scan, faults, scan.torn)
        if most is not None and len(rejected) >= most:
            return rejected[:most]
    return rejected
