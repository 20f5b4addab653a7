from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foldin.data.doctor import examine
from foldin.data.interactions import NO_TIME
from foldin.data.readers import read
from foldin.errors import ConfigurationError, DataError, DataWarning


def log_of(times: list[str], path: Path) -> Path:
    """A log with these times, one user each."""
    path.write_text("user,item,time\n" + "".join(f"u{row:03},x,{time}\n" for row, time in enumerate(times)))
    return path


def times_of(source: object, timezone: str | None = None) -> list[int]:
    """The times of a log, in the order of its users."""
    log = read(source, timezone=timezone)
    assert log.times is not None
    assert log.times.dtype == np.int64
    return [int(time) for time in log.times[np.argsort(log.user_codes)]]


def micro(year: int, month: int, day: int, hour: int = 0) -> int:
    """A moment, in UTC, in microseconds since the epoch."""
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp()) * 1_000_000


def test_epoch_seconds(tmp_path: Path) -> None:
    source = log_of(["0", "-5", "1478120363", "1478120363.25", "1.5e9", ""], tmp_path / "log.csv")
    expected = [0, -5_000_000, 1478120363_000_000, 1478120363_250_000, 1_500_000_000_000_000, NO_TIME]
    assert times_of(source) == expected


def test_epoch_milliseconds(tmp_path: Path) -> None:
    source = log_of(["1478120363123", "1478120364000"], tmp_path / "log.csv")
    assert times_of(source) == [1478120363_123_000, 1478120364_000_000]


def test_epoch_microseconds_and_nanoseconds(tmp_path: Path) -> None:
    source = log_of(["1478120363123456", "1478120364000000"], tmp_path / "log.csv")
    assert times_of(source) == [1478120363_123_456, 1478120364_000_000]
    frame = pd.DataFrame({"user": ["a", "b"], "item": "x", "time": [1478120363_123_456_000, 1478120364_000_000_000]})
    assert times_of(frame) == [1478120363_123_456, 1478120364_000_000]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["20210113", "20200229"], [micro(2021, 1, 13), micro(2020, 2, 29)]),
        (["202101131015", "202002290000"], [micro(2021, 1, 13, 10) + 900_000_000, micro(2020, 2, 29)]),
        (["20210113100001", "20200229000000"], [micro(2021, 1, 13, 10) + 1_000_000, micro(2020, 2, 29)]),
    ],
)
def test_calendar_days_in_digits_are_days(tmp_path: Path, written: list[str], expected: list[int]) -> None:
    source = log_of([*written, ""], tmp_path / "log.csv")
    with pytest.raises(DataError, match=r"row 2, field 'time': the time has no time zone"):
        read(source)
    frame = pd.DataFrame({"user": ["a", "b", "c"], "item": "x", "time": [*map(float, written), None]})
    for log in (source, frame, pl.from_pandas(frame)):
        with pytest.warns(DataWarning, match="read as days of the calendar: 2020-02-29 to 2021-01-13"):
            assert times_of(log, "UTC") == [*expected, NO_TIME]


def test_a_log_that_lies_in_1970_is_suspicious(tmp_path: Path) -> None:
    source = log_of(["20210113", "20210230"], tmp_path / "log.csv")  # no day of the calendar is the second
    with pytest.warns(DataWarning, match=r"1970-08-22 21:55 to .* --time-format"):
        read(source)
    assert any("1970" in warning for warning in examine(source).warnings)


@pytest.mark.parametrize(
    ("written", "time_format", "expected"),
    [
        ("31/12/2020 10:00", "%d/%m/%Y %H:%M", micro(2020, 12, 31, 9)),
        ("31 Dec 2020 10:00 -0100", "%d %b %Y %H:%M %z", micro(2020, 12, 31, 11)),
        ("2020366", "%Y%j", micro(2020, 12, 30, 23)),
    ],
)
def test_a_format_of_times(tmp_path: Path, written: str, time_format: str, expected: int) -> None:
    source = log_of([written, ""], tmp_path / "log.csv")
    log = read(source, timezone="Europe/Berlin", time_format=time_format)
    assert log.times is not None
    assert sorted(log.times.tolist()) == [NO_TIME, expected]
    frame = pd.DataFrame({"user": ["a"], "item": ["x"], "time": [int(written) if written.isdecimal() else written]})
    assert read(frame, timezone="Europe/Berlin", time_format=time_format).times == [expected]
    with pytest.raises(DataError, match=r"row 2, field 'time': .*not written as time_format / --time-format says"):
        read(source, time_format="%d.%m.%Y")


def test_a_format_of_times_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no format of times: '%Q' \(.*%Q\); write it as '%d/%m/%Y %H:%M'"):
        read(log_of(["2020-01-01"], tmp_path / "log.csv"), time_format="%Q")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2020-01-01T00:00:00Z", micro(2020, 1, 1)),
        ("2020-01-01T02:00:00+02:00", micro(2020, 1, 1)),
        ("2020-01-01 02:00:00+0200", micro(2020, 1, 1)),
        ("2020-01-01T02:00+02", micro(2020, 1, 1)),
        ("2020-01-01 09:00:00 +0900", micro(2020, 1, 1)),
        ("2020-01-01 09:00 +09:00", micro(2020, 1, 1)),
        ("2019-12-31 22:30:00 -0130", micro(2020, 1, 1)),
        ("2020-01-01 00:00:00 GMT", micro(2020, 1, 1)),
        ("2020-01-01 00:00:00 utc", micro(2020, 1, 1)),
        ("2020-01-01 00:00:00 Z", micro(2020, 1, 1)),
        ("2019-12-31T22:30:00.000001-01:30", micro(2020, 1, 1) + 1),
        ("1969-12-30T23:59:59Z", -86_401_000_000),
    ],
)
def test_iso_8601_with_an_offset_becomes_utc(tmp_path: Path, written: str, expected: int) -> None:
    assert times_of(log_of([written], tmp_path / "log.csv")) == [expected]


@pytest.mark.parametrize("written", ["2020-07-01T12:00:00", "2020-07-01 12:00:00", "2020-07-01T12:00"])
def test_naive_times_need_a_time_zone(tmp_path: Path, written: str) -> None:
    source = log_of(["2020-07-01T00:00:00Z", written], tmp_path / "log.csv")
    with pytest.raises(DataError, match=r"row 3, field 'time': .*timezone / --timezone, as UTC"):
        read(source)
    assert times_of(source, "UTC")[1] == micro(2020, 7, 1, 12)
    assert times_of(source, "Europe/Berlin")[1] == micro(2020, 7, 1, 10)


def test_a_day_begins_at_midnight_of_its_zone(tmp_path: Path) -> None:
    source = log_of(["2020-01-01", "1900-01-01"], tmp_path / "log.csv")
    assert times_of(source, "America/New_York")[0] == micro(2020, 1, 1, 5)


def test_the_machine_s_own_zone_plays_no_part(tmp_path: Path) -> None:
    source = log_of(["2020-07-01T12:00:00"], tmp_path / "log.csv")
    program = f"import foldin.data.readers as r; print(r.read({str(source)!r}, timezone='UTC').times[0])"
    away = os.environ | {"TZ": "Asia/Tokyo"}
    told = subprocess.run([sys.executable, "-c", program], env=away, capture_output=True, text=True, check=True).stdout
    assert int(told) == micro(2020, 7, 1, 12)


def test_a_zone_changes_no_time_that_has_an_offset(tmp_path: Path) -> None:
    source = log_of(["2020-01-01T00:00:00Z", "1577836800"], tmp_path / "log.csv")
    assert times_of(source, "Asia/Tokyo") == [micro(2020, 1, 1)] * 2


def test_an_unknown_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no time zone 'Mars/Base'"):
        read(log_of(["2020-01-01"], tmp_path / "log.csv"), timezone="Mars/Base")


UNITS = ("s", "ms", "us", "ns")
OFFSET_TYPES = [pa.timestamp(unit, "+05:30") for unit in UNITS]
ZONED_TYPES = [pa.timestamp(unit, zone) for unit in UNITS for zone in (None, "UTC")]
STAMP_TYPES = [*ZONED_TYPES, *OFFSET_TYPES, pa.date32(), pa.date64()]


def test_every_type_of_time_by_every_reader(tmp_path: Path) -> None:
    for kind in STAMP_TYPES:
        day = pa.array([datetime(2020, 7, 1, tzinfo=UTC), None])
        # cast by way of its zone: only so the same moment is meant
        cells = day.cast(pa.timestamp("us", getattr(kind, "tz", None))).cast(kind)
        table = pa.table({"user": ["a", "b"], "item": ["x", "x"], "time": cells})
        pq.write_table(table, tmp_path / "log.parquet")
        logs = [tmp_path / "log.parquet", table, table.to_pandas(), table.to_pandas(types_mapper=pd.ArrowDtype)]
        if kind not in OFFSET_TYPES:  # polars knows zones by name only
            logs.append(pl.DataFrame(table))
        for log in logs:
            assert times_of(log, "UTC") == [micro(2020, 7, 1), NO_TIME], (kind, type(log))


@pytest.mark.parametrize("kind", [pa.time64("us"), pa.duration("s"), pa.bool_()])
def test_a_column_that_holds_no_times_is_named(kind: pa.DataType) -> None:
    cells = pa.array([1], pa.int64()).cast(kind)
    table = pa.table({"user": ["a"], "item": ["x"], "time": cells})
    for log in (table, table.to_pandas(types_mapper=pd.ArrowDtype), pl.DataFrame(table)):
        with pytest.raises(
            DataError, match=r"field 'time': the times are of type (TIME|INTERVAL|BOOLEAN).*--time none"
        ):
            read(log)


def test_timestamp_columns_of_frames_and_parquet(tmp_path: Path) -> None:
    stamps = pd.to_datetime(["2020-07-01T12:00:00", "NaT"])
    naive = pd.DataFrame({"user": ["a", "b"], "item": ["x", "x"], "time": stamps})
    aware = naive.assign(time=naive.time.dt.tz_localize("Europe/Berlin"))
    aware.to_parquet(tmp_path / "aware.parquet")
    for source in (aware, tmp_path / "aware.parquet"):
        assert times_of(source) == [micro(2020, 7, 1, 10), NO_TIME]
    for frame in (naive, naive.astype({"time": "datetime64[ns]"}), pl.DataFrame(naive), naive.astype({"time": object})):
        assert times_of(frame, "Europe/Berlin") == [micro(2020, 7, 1, 10), NO_TIME]
        with pytest.raises(DataError, match=r"row 1, field 'time': .*no time zone"):
            read(frame)


REFUSED = {
    "milliseconds": (["1478120363"] * 3 + ["1478120363123"], "milliseconds where the column is in seconds"),
    "seconds": (["1478120363123"] * 3 + ["1478120363"], "seconds where the column is in milliseconds"),
    "microseconds": (["1478120363123"] * 3 + ["1478120363123456"], "microseconds where the column is in milliseconds"),
    "nanoseconds": (["1478120363"] * 3 + ["1478120363123456789"], "nanoseconds where the column is in seconds, or"),
    "future seconds": (["0", "0", "0", "4102444800"], "future .*read as epoch seconds; .*--time-format"),
    "future": (["0", "0", "0", "2100-01-01T00:00:00Z"], "future; the row"),
    "words": (["0", "0", "0", "yesterday"], "neither epoch.*--time-format"),
    "no day": (["0", "0", "0", "2020-02-30T00:00:00Z"], "neither epoch"),
    "infinite": (["0", "0", "0", "inf"], "neither epoch"),
    "NaN": (["0", "0", "0", "nan"], "neither epoch"),
    "past int64": (["0", "0", "0", "1e300"], "milliseconds|future"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_times_that_cannot_be(tmp_path: Path, name: str) -> None:
    times, reason = REFUSED[name]
    row = 2 if len(set(times)) == 1 else 5
    with pytest.raises(DataError, match=rf"log\.csv, row {row}, field 'time': .*({reason})"):
        read(log_of(times, tmp_path / "log.csv"))


def test_a_day_ahead_is_taken_for_clocks_that_go_fast(tmp_path: Path) -> None:
    soon = int(datetime.now(UTC).timestamp()) + 3_600
    assert times_of(log_of([str(soon)], tmp_path / "log.csv")) == [soon * 1_000_000]


STAMPS = {
    "'290000-01-01'::TIMESTAMP": "future",
    "'0044-03-15 (BC)'::TIMESTAMP": "before the year 1",
    "'0044-03-15 (BC)'::DATE": "before the year 1",
    "'5000000-01-01'::DATE": "neither epoch",
    "'infinity'::TIMESTAMP": "neither epoch",
    "'-infinity'::TIMESTAMPTZ": "neither epoch",
    "-90000000000": "before the year 1",
}


@pytest.mark.parametrize("stamp", STAMPS)
def test_times_past_all_calendars_are_bad_rows(tmp_path: Path, stamp: str) -> None:
    path = tmp_path / "log.parquet"
    rows = f"VALUES ('a', 'x', NULL), ('b', 'y', {stamp})"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT * FROM ({rows}) AS log(\"user\", item, time)) TO '{path}'")
    for timezone in ("UTC", "Europe/Berlin"):
        with pytest.raises(DataError, match=rf"log\.parquet, row 2, field 'time': .*({STAMPS[stamp]})"):
            read(path, timezone=timezone)
    assert [bad.count for bad in examine(path).bad_rows] == [1]
