"""Times: epoch seconds or milliseconds, or ISO 8601, become microseconds since the epoch."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from foldin.data.interactions import NO_TIME
from foldin.data.readers.columns import Column
from foldin.data.readers.values import is_number
from foldin.errors import ConfigurationError

__all__ = [
    "GOOD_TIME",
    "WITHOUT_ZONE",
    "WITHOUT_ZONE_REASON",
    "Times",
    "settled_times",
    "time_refusal",
    "time_sql",
    "zone",
]

# what stands in a cell
EMPTY, NUMBER, INSTANT, NAIVE, NO_SENSE = range(5)

GOOD_TIME, NOT_A_TIME, WITHOUT_ZONE, IN_FUTURE, MILLISECONDS, SECONDS, TOO_EARLY = range(7)
TIME_REFUSALS = (
    "",
    "the time is neither epoch seconds, epoch milliseconds nor ISO 8601",
    "the time has no time zone; name it with timezone / --timezone, as UTC or Europe/Berlin",
    "the time lies in the future (numbers were read as epoch {unit})",
    "the time is in milliseconds where the column is in seconds, or lies in the far future",
    "the time is in seconds where the column is in milliseconds",
    "the time lies before the year 1",
)
"""Why a time is refused, by its verdict."""

WITHOUT_ZONE_REASON = TIME_REFUSALS[WITHOUT_ZONE]

ISO_8601 = (
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?"
    r" ?(Z|z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)?"
)
WITH_OFFSET = r".*:[0-9.]+ ?(Z|z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)"

# 1e11 seconds are the year 5138, 1e11 milliseconds the year 1973: what is larger is no second of any log
LEAST_MILLISECONDS = 1e11
MICROSECONDS = 1_000_000
DAY = 86_400 * MICROSECONDS
QUARTER_HOUR = 900 * MICROSECONDS
# the second day of the year 1: the first one whose midnight is a date in every time zone
EARLIEST = -719_161 * DAY


@dataclass(frozen=True, eq=False)
class Times:
    """The settled times of a column.

    `times`: microseconds since the epoch, UTC; `NO_TIME` where the cell is empty or refused.
    `verdicts`: positions in `TIME_REFUSALS`. `unit`: what the numbers were taken for.
    `naive`: how many times stood without a time zone.
    """

    times: NDArray[np.int64]
    verdicts: NDArray[np.uint8]
    unit: str
    naive: int


def time_sql(column: Column) -> tuple[str, str]:
    """The expressions of a column's times (DOUBLE: the number itself, or microseconds) and of their forms."""
    if column.type in ("VARCHAR", "JSON"):
        return _text_sql(column.sql if column.type == "VARCHAR" else f"({column.sql} ->> '$')")
    if column.type == "DATE" or column.type.startswith("TIMESTAMP"):
        return _stamp_sql(column)
    if not is_number(column):
        return "0::DOUBLE", f"if({column.sql} IS NULL, {EMPTY}, {NO_SENSE})"
    number = f"CAST({column.sql} AS DOUBLE)"
    return f"coalesce({number}, 0)", (
        f"CASE WHEN {number} IS NULL THEN {EMPTY} WHEN isfinite({number}) THEN {NUMBER} ELSE {NO_SENSE} END"
    )


def settled_times(numbers: NDArray[np.float64], forms: NDArray[np.uint8], timezone: str | None) -> Times:
    """The times of a whole column: seconds or milliseconds are decided for all of its numbers together.

    Raises:
        ConfigurationError: there is no such time zone.
    """
    home = None if timezone is None else zone(timezone)
    is_number, is_naive = forms == NUMBER, forms == NAIVE
    times, verdicts, unit = _epoch(numbers, is_number)
    if home is not None:
        dated = is_naive & (times >= EARLIEST) & (times <= _tomorrow() + DAY)
        times[dated] -= _offsets(times[dated], home)
    verdicts[forms == NO_SENSE] = NOT_A_TIME
    judged = (forms != EMPTY) & (verdicts == GOOD_TIME)
    verdicts[judged & (times > _tomorrow())] = IN_FUTURE
    verdicts[judged & (times < EARLIEST)] = TOO_EARLY
    if home is None:
        verdicts[is_naive] = WITHOUT_ZONE
    times[(forms == EMPTY) | (verdicts != GOOD_TIME)] = NO_TIME
    return Times(times, verdicts, unit, int(is_naive.sum()))


def time_refusal(verdict: int, unit: str) -> str:
    """Why a time is refused, by its verdict and what the numbers were taken for."""
    return TIME_REFUSALS[verdict].format(unit=unit)


def zone(name: str) -> ZoneInfo:
    """A time zone by its name.

    Raises:
        ConfigurationError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ConfigurationError(f"no time zone '{name}'; give a name like 'UTC' or 'Europe/Berlin'") from None


def _stamp_sql(column: Column) -> tuple[str, str]:
    # infinity has no microseconds, nor has a date past the year 294247
    stamp = f"epoch_us({f'TRY_CAST({column.sql} AS TIMESTAMP)' if column.type == 'DATE' else column.sql})"
    form = INSTANT if "TIME ZONE" in column.type else NAIVE
    return f"coalesce({stamp}, 0)::DOUBLE", (
        f"CASE WHEN {column.sql} IS NULL THEN {EMPTY} WHEN {stamp} IS NULL THEN {NO_SENSE} ELSE {form} END"
    )


def _text_sql(cell: str) -> tuple[str, str]:
    text, number = f"trim({cell})", f"TRY_CAST(trim({cell}) AS DOUBLE)"
    # without an offset this is UTC, the session's time zone
    stamp = f"epoch_us(TRY_CAST(upper({text}) AS TIMESTAMPTZ))"
    form = (
        f"CASE WHEN coalesce({text}, '') = '' THEN {EMPTY} WHEN isfinite({number}) THEN {NUMBER} "
        f"WHEN {stamp} IS NULL OR NOT regexp_full_match({text}, '{ISO_8601}') THEN {NO_SENSE} "
        f"WHEN regexp_full_match({text}, '{WITH_OFFSET}') THEN {INSTANT} ELSE {NAIVE} END"
    )
    return f"coalesce(if(isfinite({number}), {number}, {stamp}::DOUBLE), {stamp}::DOUBLE, 0)", form


def _epoch(
    numbers: NDArray[np.float64], is_number: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.uint8], str]:
    verdicts = np.zeros(len(numbers), dtype=np.uint8)
    large = is_number & (np.abs(numbers) >= LEAST_MILLISECONDS)
    if 2 * np.count_nonzero(large) > np.count_nonzero(is_number):
        verdicts[is_number & ~large] = SECONDS
        scale, unit = 1_000.0, "milliseconds"
    else:
        verdicts[large] = MILLISECONDS
        scale, unit = 1_000_000.0, "seconds"
    scaled = np.where(is_number, numbers * scale, numbers)
    return np.rint(np.clip(scaled, -9.2e18, 9.2e18)).astype(np.int64), verdicts, unit


def _tomorrow() -> int:
    return int(time.time() * MICROSECONDS) + DAY


def _offsets(local: NDArray[np.int64], home: ZoneInfo) -> NDArray[np.int64]:
    # every zone's offset is the same within a quarter of an hour of local time
    quarters, places = np.unique(local // QUARTER_HOUR, return_inverse=True)
    offsets = np.array([_offset(int(quarter), home) for quarter in quarters], dtype=np.int64)
    return offsets[places]


def _offset(quarter: int, home: ZoneInfo) -> int:
    local = datetime(1970, 1, 1) + timedelta(minutes=15 * quarter)
    offset = home.utcoffset(local)
    return 0 if offset is None else int(offset / timedelta(microseconds=1))
