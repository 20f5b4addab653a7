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
import pytest

from foldin.data.doctor import examine
from foldin.data.interactions import NO_TIME
from foldin.data.readers import read
from foldin.errors import ConfigurationError, DataError


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


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2020-01-01T00:00:00Z", micro(2020, 1, 1)),
        ("2020-01-01T02:00:00+02:00", micro(2020, 1, 1)),
        ("2020-01-01 02:00:00+0200", micro(2020, 1, 1)),
        ("2020-01-01T02:00+02", micro(2020, 1, 1)),
        ("2019-12-31T22:30:00.000001-01:30", micro(2020, 1, 1) + 1),
        ("1969-12-31T23:59:59Z", -1_000_000),
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
    "microseconds": (["1478120363123456"] * 4, "future"),
    "future seconds": (["0", "0", "0", "4102444800"], "future"),
    "future": (["0", "0", "0", "2100-01-01T00:00:00Z"], "future"),
    "words": (["0", "0", "0", "yesterday"], "neither epoch"),
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
