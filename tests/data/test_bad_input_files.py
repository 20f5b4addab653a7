"""Bad input as files and frames can carry it: the error names file, row and field."""

from __future__ import annotations

import gzip
import json
import re
from itertools import cycle
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foldin.data.readers import read, read_catalog, read_events
from foldin.errors import ConfigurationError, DataError

VALUES = {
    "nan": "is NaN",
    "NaN": "is NaN",
    "inf": "is infinite",
    "-Infinity": "is infinite",
    "1e400": "past the largest float32",
    "3.5e38": "past the largest float32",
    "true": "is a boolean",
    "False": "is a boolean",
    "9223372036854775808": "past 2^63",
    "-99999999999999999999": "past 2^63",
    "five": "is not a number",
    "1_000": "is not a number",
    "3,5": "is not a number",
}

IDS = {
    "": "the id is empty",
    "  ": "the id is blank",
    "a\x00b": "invisible",
    "a\tb": "invisible",
    "a\u200bb": "invisible",
    "x" * 257: "longer than 256 bytes",
    "é" * 129: "longer than 256 bytes",
}


def refused(source: object, *, file: str | None, row: int | None, field: str | None, reason: str) -> None:
    """Expects the error, with its place in the message and as attributes."""
    with pytest.raises(DataError, match=re.escape(reason)) as caught:
        read(source)
    found = caught.value
    assert (found.file and Path(found.file).name, found.row, found.field) == (file, row, field)
    for place in (file, f"row {row}" if row else None, f"field '{field}'" if field else None):
        assert place is None or place in str(found)


@pytest.mark.parametrize("value", VALUES)
def test_bad_values_in_delimited_files(tmp_path: Path, value: str) -> None:
    (tmp_path / "log.csv").write_text(f"user;item;rating\na;x;1\nb;y;{value}\n")
    refused(tmp_path / "log.csv", file="log.csv", row=3, field="rating", reason=VALUES[value])


def test_a_decimal_comma_is_named_or_refused(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("user;item;rating\na;x;3,5\nb;y;-0,25\nc;z;2\n")
    refused(log, file="log.csv", row=2, field="rating", reason="--decimal ,")
    assert read(log, decimal=",").values == pytest.approx([3.5, -0.25, 2])
    log.write_text("user;item;rating\na;x;3,5\nb;y;1.234\n")
    with pytest.raises(DataError, match="row 3, field 'rating': the value has a point"):
        read(log, decimal=",")
    (tmp_path / "log.jsonl").write_text(
        '{"user":"a","item":"x","rating":"3,5"}\n{"user":"b","item":"x","rating":2.5}\n'
    )
    assert read(tmp_path / "log.jsonl", decimal=",").values == pytest.approx([3.5, 2.5])
    assert read(pd.DataFrame({"user": ["a"], "item": ["x"], "rating": ["3,5"]}), decimal=",").values == [3.5]
    with pytest.raises(ConfigurationError, match="decimal mark"):
        read(log, decimal=";")


@pytest.mark.parametrize("value", VALUES)
def test_bad_values_in_json_and_parquet_texts(tmp_path: Path, value: str) -> None:
    rows = [{"user": "a", "item": "x", "rating": "1"}, {"user": "b", "item": "y", "rating": value}]
    (tmp_path / "log.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    refused(tmp_path / "log.jsonl", file="log.jsonl", row=2, field="rating", reason=VALUES[value])
    pd.DataFrame(rows).to_parquet(tmp_path / "log.parquet")
    refused(tmp_path / "log.parquet", file="log.parquet", row=2, field="rating", reason=VALUES[value])


@pytest.mark.parametrize(
    ("value", "reason"),
    [("true", "is a boolean"), ("1e400", "past the largest float32"), ("9223372036854775808", "past 2^63"),
     ("NaN", "is NaN"), ("Infinity", "is infinite"), ("[1]", "is not a number"), ('"nan"', "is NaN")],
)  # fmt: skip
def test_bad_values_as_json_has_them(tmp_path: Path, value: str, reason: str) -> None:
    (tmp_path / "log.jsonl").write_text(f'{{"user": 1, "item": 2}}\n{{"user": 1, "item": 2, "rating": {value}}}\n')
    refused(tmp_path / "log.jsonl", file="log.jsonl", row=2, field="rating", reason=reason)


FRAME_VALUES = {
    "NaN": ([1.0, float("nan")], "is NaN"),
    "infinity": ([1.0, float("-inf")], "is infinite"),
    "past float32": ([1.0, 1e39], "past the largest float32"),
    "past 2^63": (pd.Series([1, 2**63], dtype="uint64"), "past 2^63"),
    "object": (pd.Series([1, True], dtype=object), "is a boolean"),
    "big object": (pd.Series([1, 2**70], dtype=object), "past 2^63"),
}


@pytest.mark.parametrize("name", FRAME_VALUES)
def test_bad_values_in_pandas(name: str) -> None:
    values, reason = FRAME_VALUES[name]
    frame = pd.DataFrame({"user": ["a", "b"], "item": ["x", "y"], "rating": values})
    refused(frame, file=None, row=2, field="rating", reason=reason)


def test_booleans_and_days_are_no_ratings() -> None:
    for values, reason in ([True, False], "is a boolean"), (pd.to_datetime(["2020-01-01"] * 2), "is not a number"):
        frame = pd.DataFrame({"user": ["a", "b"], "item": ["x", "y"], "rating": values})
        refused(frame, file=None, row=1, field="rating", reason=reason)
        refused(pl.DataFrame(frame), file=None, row=1, field="rating", reason=reason)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e39])
def test_bad_values_in_polars_pyarrow_and_parquet(tmp_path: Path, value: float) -> None:
    table = pa.table({"user": ["a", "b"], "item": ["x", "y"], "rating": [1.0, value]})
    pq.write_table(table, tmp_path / "log.parquet")
    refused(table, file=None, row=2, field="rating", reason="the value is")
    refused(pl.DataFrame(table), file=None, row=2, field="rating", reason="the value is")
    refused(tmp_path / "log.parquet", file="log.parquet", row=2, field="rating", reason="the value is")


def test_a_missing_value_of_a_nullable_column_is_missing() -> None:
    frame = pd.DataFrame({"user": ["a"], "item": ["x"], "rating": pd.array([None], dtype="Float64")})
    values = read(frame).values
    assert values is not None
    assert pd.isna(values[0])


@pytest.mark.parametrize(("bad", "field"), list(zip(IDS, cycle(["user", "item"]))))
def test_bad_ids(tmp_path: Path, bad: str, field: str) -> None:
    frame = pd.DataFrame({"user": ["a", "b", "c"], "item": ["x", "y", "z"]})
    frame.loc[1, field] = bad
    frame.to_csv(tmp_path / "log.csv", index=False)
    frame.to_json(tmp_path / "log.jsonl", orient="records", lines=True)
    frame.to_parquet(tmp_path / "log.parquet")
    refused(tmp_path / "log.csv", file="log.csv", row=3, field=field, reason=IDS[bad])
    refused(tmp_path / "log.jsonl", file="log.jsonl", row=2, field=field, reason=IDS[bad])
    refused(tmp_path / "log.parquet", file="log.parquet", row=2, field=field, reason=IDS[bad])
    refused(frame, file=None, row=2, field=field, reason=IDS[bad])
    refused(pl.DataFrame(frame), file=None, row=2, field=field, reason=IDS[bad])


def test_lone_surrogates(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"user": "a", "item": "x"}\n{"user": "a", "item": "\\ud800"}\n')
    refused(tmp_path / "log.jsonl", file="log.jsonl", row=2, field="item", reason="surrogate")
    frame = pd.DataFrame({"user": ["a", "b"], "item": pd.Series(["x", "y\ud800"], dtype=object)})
    refused(frame, file=None, row=2, field="item", reason="surrogate")


@pytest.mark.parametrize("bad", ["7.5", "7.0", "true", "null", "{}", "[7]", "1e3"])
def test_json_ids_are_texts_or_whole_numbers(tmp_path: Path, bad: str) -> None:
    (tmp_path / "log.jsonl").write_text(f'{{"user": 7, "item": "x"}}\n{{"user": {bad}, "item": "x"}}\n')
    refused(tmp_path / "log.jsonl", file="log.jsonl", row=2, field="user", reason="the id is")


def test_fractions_and_other_types_are_no_ids(tmp_path: Path) -> None:
    columns: list[object] = [[1.0, 2.0], [True, False], pd.to_datetime(["2020-01-01"] * 2)]
    columns += [pd.Series([1.5, "a"], dtype=object), pd.Series([True, False], dtype=object)]
    for column in columns:
        frame = pd.DataFrame({"user": column, "item": ["x", "y"]})
        refused(frame, file=None, row=None, field="user", reason="the user ids are of type")
    refused(pl.DataFrame({"user": [1.5], "item": [1]}), file=None, row=None, field="user", reason="DOUBLE")
    pd.DataFrame({"user": [1.0], "item": [1]}).to_parquet(tmp_path / "log.parquet")
    refused(tmp_path / "log.parquet", file="log.parquet", row=None, field="user", reason="cast it")


def test_whole_numbers_that_pandas_made_fractions_get_the_hint() -> None:
    frame = pd.DataFrame({"user": [1, None], "item": ["x", "y"]})
    refused(frame, file=None, row=None, field="user", reason="frame['user'].astype('Int64')")
    refused(frame.astype({"user": "Int64"}), file=None, row=2, field="user", reason="the id is empty")


def test_a_ragged_row_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text('user,item,note\na,x,"two\nlines"\n\nb,y\nc,z,1\n')
    refused(tmp_path / "log.csv", file="log.csv", row=5, field=None, reason="2 cells and the header 3")
    (tmp_path / "log.csv.gz").write_bytes(gzip.compress(b"user,item\na,x\nb,y,z\n"))
    refused(tmp_path / "log.csv.gz", file="log.csv.gz", row=3, field=None, reason="3 cells and the header 2")


def test_an_open_quotation_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text('user,item\na,x\n"b,y\nc,z\n')
    refused(tmp_path / "log.csv", file="log.csv", row=3, field=None, reason="quotation mark")


def test_what_is_not_utf8_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes("user,item\na,x\ncafé,y\n".encode("latin-1"))
    refused(tmp_path / "log.csv", file="log.csv", row=3, field="user", reason="not UTF-8")
    (tmp_path / "log.jsonl").write_bytes(b'{"user": 1, "item": 2}\n{"user": 1, "item": "\xff"}\n')
    refused(tmp_path / "log.jsonl", file="log.jsonl", row=2, field="item", reason="not UTF-8")


def test_broken_json_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"user": 1, "item": 2}\n\n{"user": 1, "item"\n')
    refused(tmp_path / "log.jsonl", file="log.jsonl", row=3, field=None, reason="not JSON")
    (tmp_path / "log.jsonl").write_text('{"user": 1, "item": 2}\n[1, 2]\n')
    refused(tmp_path / "log.jsonl", file="log.jsonl", row=2, field=None, reason="no JSON object")


@pytest.mark.parametrize("text", ["", "\n\n", "user,item\n", "user,item"])
def test_no_rows(tmp_path: Path, text: str) -> None:
    (tmp_path / "log.csv").write_text(text)
    refused(tmp_path / "log.csv", file="log.csv", row=None, field=None, reason="no rows")


def test_no_rows_in_other_formats(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("\n")
    refused(tmp_path / "log.jsonl", file="log.jsonl", row=None, field=None, reason="no rows")
    pd.DataFrame({"user": [], "item": []}, dtype=str).to_parquet(tmp_path / "log.parquet")
    refused(tmp_path / "log.parquet", file="log.parquet", row=None, field=None, reason="no rows")


def test_files_that_are_not_there_or_not_what_they_seem(tmp_path: Path) -> None:
    refused(tmp_path / "gone.csv", file="gone.csv", row=None, field=None, reason="no such file")
    refused(str(tmp_path / "*.csv"), file="*.csv", row=None, field=None, reason="no file matches")
    refused(tmp_path, file=tmp_path.name, row=None, field=None, reason="is a folder")
    (tmp_path / "log.parquet").write_text("user,item\na,x\n")
    refused(tmp_path / "log.parquet", file="log.parquet", row=None, field=None, reason="cannot be read")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"user,item\n" + b"a,x\n" * 10_000)[:-20])
    refused(tmp_path / "cut.csv.gz", file="cut.csv.gz", row=None, field=None, reason="cannot be")


def test_a_column_that_stands_twice_in_a_frame() -> None:
    frame = pd.DataFrame([["a", "b", "c"]], columns=["user", "item", "user"])
    refused(frame, file=None, row=None, field="user", reason="more than once")


@pytest.mark.parametrize("bad", ['{"user": "b", "item": "y", "user": "c"}', '{"user": "b", "item": "y", "item": "y"}'])
def test_a_key_that_stands_twice(tmp_path: Path, bad: str) -> None:
    (tmp_path / "log.jsonl").write_text(f'{{"user": "a", "item": "x"}}\n{bad}\n')
    field = "user" if "c" in bad else "item"
    refused(tmp_path / "log.jsonl", file="log.jsonl", row=2, field=field, reason="the key stands twice")
    assert [row.row for row in read_events(tmp_path / "log.jsonl", skip_bad=True).rejected] == [2]
    (tmp_path / "array.json").write_text(f'[{{"user": "a", "item": "x"}},\n{bad}]')
    refused(tmp_path / "array.json", file="array.json", row=2, field=field, reason="the key stands twice")
    with pytest.raises(DataError, match="the key stands twice") as caught:
        read_catalog(tmp_path / "log.jsonl")
    assert (caught.value.row, caught.value.field) == (2, field)


def test_leading_blank_lines_count_as_lines(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("\n\nuser,item\n\na,x\n,y\nc\n")
    refused(tmp_path / "log.csv", file="log.csv", row=6, field="user", reason="empty")
    assert [row.row for row in read_events(tmp_path / "log.csv", skip_bad=True).rejected] == [6, 7]


def test_too_many_kinds(tmp_path: Path) -> None:
    rows = "".join(f"a,x,k{number}\n" for number in range(128))
    (tmp_path / "log.csv").write_text("user,item,event\n" + rows)
    refused(tmp_path / "log.csv", file="log.csv", row=None, field="event", reason="128 different kinds")


def test_the_first_bad_row_is_named_whatever_is_wrong_with_it(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item,value\na,x,1\nb,y,z\n,y,1\nc\n")
    refused(tmp_path / "log.csv", file="log.csv", row=3, field="value", reason="not a number")
    assert [row.row for row in read_events(tmp_path / "log.csv", skip_bad=True).rejected] == [3, 4, 5]


def test_a_first_line_with_an_endless_cell(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item," + "x" * 140_000 + "\na,x,1\n")
    refused(tmp_path / "log.csv", file="log.csv", row=1, field=None, reason="the first line is no header")


@pytest.mark.parametrize("kind", ["vi\x1bew", "view\t", "vi\u200bew"])
def test_a_kind_with_an_invisible_character(tmp_path: Path, kind: str) -> None:
    (tmp_path / "log.csv").write_text(f"user,item,event\na,x,view\nb,y,\nc,z,{kind}\n", encoding="utf-8")
    refused(tmp_path / "log.csv", file="log.csv", row=4, field="event", reason="the kind holds an invisible character")
    log = read_events(tmp_path / "log.csv", skip_bad=True).log
    assert log.kind_names is not None
    assert (log.kind_names.tolist(), len(log)) == (["view"], 2)
