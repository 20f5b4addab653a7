"""Times: numbers since the epoch, ISO 8601, calendar days in digits or a format of one's own become microseconds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
from numpy.typing import NDArray

from foldin.data.interactions import NO_TIME
from foldin.data.readers.columns import Column
from foldin.data.readers.notation import Notation
from foldin.data.readers.session import literal
from foldin.data.readers.values import is_number
from foldin.errors import ConfigurationError, DataError

__all__ = [
    "GOOD_TIME",
    "WITHOUT_ZONE",
    "WITHOUT_ZONE_REASON",
    "Times",
    "check_time_format",
    "refuse_time_type",
    "settled_times",
    "time_sql",
    "zone",
]

# what stands in a cell
EMPTY, NUMBER, INSTANT, NAIVE, NO_SENSE = range(5)

GOOD_TIME, NOT_A_TIME, OTHER_FORMAT, WITHOUT_ZONE, IN_FUTURE, NUMBER_IN_FUTURE, TOO_EARLY, OTHER_UNIT = range(8)
OTHER_FORMAT_HINT = "name another format with time_format / --time-format, as '%d/%m/%Y %H:%M'"
TIME_REFUSALS = (
    "",
    "the time is neither epoch seconds (or milli-, micro-, nanoseconds) nor ISO 8601; "
    "say how it is written with time_format / --time-format, as '%d/%m/%Y %H:%M'",
    "the time is not written as time_format / --time-format says",
    "the time has no time zone; name it with timezone / --timezone, as UTC or Europe/Berlin",
    "the time lies in the future",
    f"the time lies in the future (the number was read as epoch {{unit}}; {OTHER_FORMAT_HINT})",
    "the time lies before the year 1",
)
"""Why a time is refused, by its verdict; from `OTHER_UNIT` on, a number is in one of `UNITS` and the column is not."""

WITHOUT_ZONE_REASON = TIME_REFUSALS[WITHOUT_ZONE]

ISO_8601 = (
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?"
    r" ?(Z|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)?"
)
WITH_OFFSET = r".*:[0-9.]+(Z|[+-][0-9]{2}(:?[0-9]{2})?)"

UNITS = ("seconds", "milliseconds", "microseconds", "nanoseconds")
# 1e11 seconds are the year 5138, 1e11 milliseconds the year 1973: what is larger is no second of any log, and so on
LEAST_OF_UNITS = (1e11, 1e14, 1e17)
MICROSECONDS_PER_UNIT = (1e6, 1e3, 1.0, 1e-3)
MICROSECONDS = 1_000_000
DAY = 86_400 * MICROSECONDS
QUARTER_HOUR = 900 * MICROSECONDS
# the second day of the year 1: the first one whose midnight is a date in every time zone
EARLIEST = -719_161 * DAY

DIGITS_OF_CLOCK = (0, 4, 6)
"""Behind a day in digits, as 20210113: nothing, hour and minute, or the second as well."""
FIRST_DAY, LAST_DAY = 19_000_101, 21_001_231
NEAR_THE_EPOCH = {"numbers": 366 * DAY, "others": DAY}
"""No log of a shop lies wholly in 1970: dates, or numbers in another unit, were taken for seconds."""


@dataclass(frozen=True, eq=False)
class Times:
    """The settled times of a column.

    `times`: microseconds since the epoch, UTC; `NO_TIME` where the cell is empty or refused.
    `verdicts`: positions in `TIME_REFUSALS`, or `OTHER_UNIT` and a position in `UNITS`.
    `unit`: the position in `UNITS` of what the numbers were taken for.
    `naive`: how many times stood without a time zone. `notes`: what is to be said of the column, in sentences.
    """

    times: NDArray[np.int64]
    verdicts: NDArray[np.uint8]
    unit: int
    naive: int
    notes: tuple[str, ...] = ()

    def refusal(self, row: int) -> str:
        """Why the time of a row is refused."""
        verdict = int(self.verdicts[row])
        if verdict < OTHER_UNIT:
            return TIME_REFUSALS[verdict].format(unit=UNITS[self.unit])
        own = verdict - OTHER_UNIT
        far = ", or lies in the far future" if own > self.unit else ""
        return f"the time is in {UNITS[own]} where the column is in {UNITS[self.unit]}{far}"


def time_sql(column: Column, notation: Notation) -> tuple[str, str]:
    """The expressions of a column's times (DOUBLE: the number itself, or microseconds) and of their forms."""
    if column.type == "DATE" or column.type.startswith("TIMESTAMP"):
        return _stamp_sql(column)
    if notation.time_format is not None:
        return _formatted_sql(_text(column), notation.time_format)
    if not is_number(column):
        return _text_sql(_text(column))
    number = f"CAST({column.sql} AS DOUBLE)"
    return f"coalesce({number}, 0)", (
        f"CASE WHEN {number} IS NULL THEN {EMPTY} WHEN isfinite({number}) THEN {NUMBER} ELSE {NO_SENSE} END"
    )


def refuse_time_type(column: Column, file: str | None) -> None:
    """Refuses a column whose type cannot hold times.

    Raises:
        DataError: it holds durations, times of day, lists or the like.
    """
    if column.type in ("VARCHAR", "JSON", "DATE") or is_number(column):
        return
    if column.type.startswith(("TIMESTAMP", "ENUM(")) and not column.type.endswith("]"):
        return
    problem = f"the times are of type {column.type}; cast it to timestamps, or leave the column alone with --time none"
    raise DataError(problem, file=file, field=column.name)


def check_time_format(connection: duckdb.DuckDBPyConnection, notation: Notation) -> None:
    """Refuses a format of times that is none.

    Raises:
        ConfigurationError: a directive is not known, or there is none.
    """
    if notation.time_format is None:
        return
    try:
        connection.execute(f"SELECT try_strptime('', {literal(notation.time_format)})")
    except duckdb.Error as error:
        reason = str(error).rpartition(": ")[2]
        problem = f"no format of times: '{notation.time_format}' ({reason}); write it as '%d/%m/%Y %H:%M'"
        raise ConfigurationError(problem) from None


def settled_times(numbers: NDArray[np.float64], forms: NDArray[np.uint8], notation: Notation) -> Times:
    """The times of a whole column: what its numbers are is decided for all of them together.

    Raises:
        ConfigurationError: there is no such time zone.
    """
    home = None if notation.timezone is None else zone(notation.timezone)
    days = _calendar_days(numbers, forms == NUMBER)
    if days is not None:
        numbers, forms = days, np.where(forms == NUMBER, NAIVE, forms).astype(np.uint8)
    is_number, is_naive = forms == NUMBER, forms == NAIVE
    times, verdicts, unit = _epoch(numbers, is_number)
    if home is not None:
        dated = is_naive & (times >= EARLIEST) & (times <= _tomorrow() + DAY)
        times[dated] -= _offsets(times[dated], home)
    verdicts[forms == NO_SENSE] = NOT_A_TIME if notation.time_format is None else OTHER_FORMAT
    judged = (forms != EMPTY) & (verdicts == GOOD_TIME)
    verdicts[judged & (times > _tomorrow())] = IN_FUTURE
    verdicts[(verdicts == IN_FUTURE) & is_number] = NUMBER_IN_FUTURE
    verdicts[judged & (times < EARLIEST)] = TOO_EARLY
    if home is None:
        verdicts[is_naive] = WITHOUT_ZONE
    times[(forms == EMPTY) | (verdicts != GOOD_TIME)] = NO_TIME
    return Times(times, verdicts, unit, int(is_naive.sum()), _notes(times, is_number, in_digits=days is not None))


def zone(name: str) -> ZoneInfo:
    """A time zone by its name.

    Raises:
        ConfigurationError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ConfigurationError(f"no time zone '{name}'; give a name like 'UTC' or 'Europe/Berlin'") from None


def _text(column: Column) -> str:
    if column.type == "JSON":
        return f"({column.sql} ->> '$')"
    return column.sql if column.type == "VARCHAR" else f"CAST({column.sql} AS VARCHAR)"


def _stamp_sql(column: Column) -> tuple[str, str]:
    aware = column.type.startswith("TIMESTAMPTZ") or column.type.endswith("TIME ZONE")
    # infinity has no microseconds, nor has a date past the year 294247
    stamp = f"epoch_us(TRY_CAST({column.sql} AS {'TIMESTAMPTZ' if aware else 'TIMESTAMP'}))"
    return f"coalesce({stamp}, 0)::DOUBLE", (
        f"CASE WHEN {column.sql} IS NULL THEN {EMPTY} WHEN {stamp} IS NULL THEN {NO_SENSE} "
        f"ELSE {INSTANT if aware else NAIVE} END"
    )


def _formatted_sql(cell: str, time_format: str) -> tuple[str, str]:
    text = f"trim({cell})"
    stamp = f"epoch_us(try_strptime({text}, {literal(time_format)}))"
    form = INSTANT if "%z" in time_format or "%Z" in time_format else NAIVE
    return f"coalesce({stamp}, 0)::DOUBLE", (
        f"CASE WHEN coalesce({text}, '') = '' THEN {EMPTY} WHEN {stamp} IS NULL THEN {NO_SENSE} ELSE {form} END"
    )


def _text_sql(cell: str) -> tuple[str, str]:
    text, number = f"trim({cell})", f"TRY_CAST(trim({cell}) AS DOUBLE)"
    # DuckDB takes an offset behind a space for the name of a zone
    tidy = f"regexp_replace(regexp_replace(upper({text}), ' ?(UTC|GMT)$', 'Z'), ' ([+Z-])', '\\1')"
    # without an offset this is UTC, the session's time zone
    stamp = f"epoch_us(TRY_CAST({tidy} AS TIMESTAMPTZ))"
    form = (
        f"CASE WHEN coalesce({text}, '') = '' THEN {EMPTY} WHEN isfinite({number}) THEN {NUMBER} "
        f"WHEN {stamp} IS NULL OR NOT regexp_full_match(upper({text}), '{ISO_8601}') THEN {NO_SENSE} "
        f"WHEN regexp_full_match({tidy}, '{WITH_OFFSET}') THEN {INSTANT} ELSE {NAIVE} END"
    )
    return f"coalesce(if(isfinite({number}), {number}, {stamp}::DOUBLE), {stamp}::DOUBLE, 0)", form


def _calendar_days(numbers: NDArray[np.float64], is_number: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """The numbers in microseconds, where all that are no moments yet are days of the calendar in digits; else None."""
    written = numbers[is_number]
    for digits in DIGITS_OF_CLOCK:
        least, past = FIRST_DAY * 10**digits, (LAST_DAY + 1) * 10**digits
        if len(written) and least <= written.min() and written.max() < past and not (written % 1).any():
            moments = _moments(written.astype(np.int64), digits)
            if moments is not None:
                days = numbers.copy()
                days[is_number] = moments
                return days
    return None


def _moments(written: NDArray[np.int64], digits: int) -> NDArray[np.int64] | None:
    """20210113 (and so many digits of hour, minute and second) in microseconds; None where one of them is no moment."""
    day, clock = np.divmod(written, 10**digits)
    clock *= 10 ** (max(DIGITS_OF_CLOCK) - digits)
    hour, minute, second = clock // 10_000, clock // 100 % 100, clock % 100
    month = day // 100 % 100
    if not ((month >= 1) & (month <= 12) & (hour < 24) & (minute < 60) & (second < 60)).all():
        return None
    months = ((day // 10_000 - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day % 100 - 1)
    if (days.astype("datetime64[M]") != months).any():
        return None
    midnight: NDArray[np.int64] = days.astype("datetime64[us]").astype(np.int64)
    midnight += MICROSECONDS * (3_600 * hour + 60 * minute + second)
    return midnight


def _epoch(
    numbers: NDArray[np.float64], is_number: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.uint8], int]:
    verdicts = np.zeros(len(numbers), dtype=np.uint8)
    units = np.digitize(np.abs(numbers[is_number]), LEAST_OF_UNITS)
    unit = int(np.bincount(units, minlength=len(UNITS)).argmax())  # what most of the numbers are
    verdicts[is_number] = np.where(units == unit, GOOD_TIME, OTHER_UNIT + units)
    scaled = np.where(is_number, numbers * MICROSECONDS_PER_UNIT[unit], numbers)
    return np.rint(np.clip(scaled, -9.2e18, 9.2e18)).astype(np.int64), verdicts, unit


def _notes(times: NDArray[np.int64], is_number: NDArray[np.bool_], *, in_digits: bool) -> tuple[str, ...]:
    known = times[times != NO_TIME]
    if not len(known):
        return ()
    first, last = (
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(t)) for t in (known.min(), known.max())
    )
    if in_digits:
        return (f"the times are numbers that were read as days of the calendar: {first:%Y-%m-%d} to {last:%Y-%m-%d}",)
    if np.abs(known).max() < NEAR_THE_EPOCH["numbers" if is_number.any() else "others"]:
        return (
            f"all times lie near 1970 ({first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}), as where dates, or numbers in "
            f"another unit, were taken for seconds; {OTHER_FORMAT_HINT}, or leave the column alone with --time none",
        )
    return ()


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
