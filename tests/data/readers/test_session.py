from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from foldin.data.readers import read
from foldin.data.readers.scans import refusing
from foldin.data.readers.session import INTERRUPTED, _database, session


def test_an_interrupted_query_is_an_interrupted_program() -> None:
    with pytest.raises(KeyboardInterrupt), session(), refusing("log.csv"):
        raise RuntimeError(INTERRUPTED)


def test_what_duckdb_calls_an_interruption_is_one() -> None:
    with pytest.raises(KeyboardInterrupt), session(), refusing("log.csv"):
        raise duckdb.InterruptException("INTERRUPT Error: Interrupted!")


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="something else"), session():
        raise RuntimeError("something else")


def test_the_temporary_folder_may_have_an_apostrophe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "it's"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr("foldin.data.readers.session._database", _database.__wrapped__)
    with session() as connection:
        [place] = connection.execute("SELECT current_setting('temp_directory')").fetchone() or []
    assert str(place).startswith(f"{folder}/foldin-duckdb-")


def test_readings_at_the_same_time_have_tables_of_their_own() -> None:
    with session() as one, session() as other:
        for number, connection in enumerate((one, other)):
            connection.execute(f"CREATE TEMP TABLE cells AS SELECT {number} AS number")
        assert one.execute("SELECT number FROM cells").fetchall() == [(0,)]
    with session() as later, pytest.raises(duckdb.CatalogException):
        later.execute("SELECT number FROM cells")


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_no_column_comes_from_the_name_of_a_folder(tmp_path: Path, form: str) -> None:
    # as Spark and Hive name folders; `c0` is what the first column of a delimited file is called inside
    folder = tmp_path / "user=ann" / "rating=5" / "time=2024-01-01" / "c0=x" / "json=1"
    folder.mkdir(parents=True)
    frame = pd.DataFrame({"user": ["a", "b"], "item": ["x", "y"]})
    if form == "parquet":
        frame.to_parquet(folder / "part.parquet")
    elif form == "csv":
        frame.to_csv(folder / "part.csv", index=False)
    else:
        frame.to_json(folder / "part.jsonl", orient="records", lines=True)
    for source in (folder / f"part.{form}", tmp_path / "*/*/*/*/*" / f"*.{form}"):
        log = read(source)
        assert (log.user_ids.tolist(), log.values, log.times) == (["a", "b"], None, None)
