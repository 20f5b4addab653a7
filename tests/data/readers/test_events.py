from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from foldin.data.readers import Reading, read, read_events
from foldin.errors import DataError, DataWarning


def event_ids(reading: Reading) -> list[str]:
    assert reading.event_ids is not None
    return [str(event_id) for event_id in reading.event_ids]


def by_item(reading: Reading) -> dict[str, str]:
    """The event id of each item, where every item has one event."""
    items = reading.log.item_ids[reading.log.item_codes]
    return dict(zip(items, event_ids(reading), strict=True))


ROWS = pd.DataFrame({"user": ["a", "b", "a"], "item": ["x", "y", "z"], "event_id": ["e1", "e2", "e3"]})


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "pandas", "polars"])
def test_every_event_keeps_its_id(tmp_path: Path, form: str) -> None:
    ROWS.to_csv(tmp_path / "log.csv", index=False)
    ROWS.to_json(tmp_path / "log.jsonl", orient="records", lines=True)
    ROWS.to_parquet(tmp_path / "log.parquet")
    source: object = {"pandas": ROWS, "polars": pl.DataFrame(ROWS)}.get(form, tmp_path / f"log.{form}")
    reading = read_events(source)
    assert by_item(reading) == {"x": "e1", "y": "e2", "z": "e3"}
    assert reading.columns["event"] == "event_id"


def test_many_events_keep_their_ids() -> None:
    count = 300_000  # several blocks and threads
    numbers = pa.array(range(count))
    texts = numbers.cast(pa.string())
    reading = read_events(pa.table({"user": numbers, "item": texts, "event_id": texts}))
    items = reading.log.item_ids[reading.log.item_codes]
    assert (items == reading.event_ids).all()


@pytest.mark.parametrize("name", ["event_id", "EventID", "event-uuid", "event_guid"])
def test_usual_names(name: str) -> None:
    assert event_ids(read_events(ROWS.rename(columns={"event_id": name}))) == ["e1", "e2", "e3"]


@pytest.mark.parametrize("name", ["event", "id", "uuid", "key"])
def test_names_that_may_mean_anything_are_taken_only_when_named(name: str) -> None:
    frame = ROWS.rename(columns={"event_id": name})
    assert read_events(frame).event_ids is None
    assert event_ids(read_events(frame, event=name)) == ["e1", "e2", "e3"]


def test_a_column_of_kinds_stays_one() -> None:
    reading = read_events(ROWS.assign(event=["view", "buy", "view"]))
    assert (reading.columns["kind"], reading.columns["event"]) == ("event", "event_id")


def test_read_has_no_use_for_event_ids() -> None:
    with pytest.warns(DataWarning, match="left alone: event_id"):
        assert len(read(ROWS.assign(event_id=["", " ", ""]))) == 3


def test_whole_numbers_are_their_digits(tmp_path: Path) -> None:
    assert event_ids(read_events(ROWS.assign(event_id=[7, 8, 9]))) == ["7", "8", "9"]
    (tmp_path / "log.jsonl").write_text(
        '{"user": 1, "item": 2, "event_id": 7}\n{"user": 1, "item": 2, "event_id": "8"}'
    )
    assert sorted(map(str, event_ids(read_events(tmp_path / "log.jsonl")))) == ["7", "8"]


def test_an_id_keeps_its_spelling() -> None:
    spellings = ["caf\u00e9", "cafe\u0301", "a b"]
    assert event_ids(read_events(ROWS.assign(event_id=spellings))) == spellings


BAD = {
    "": "the id is empty",
    "  ": "the id is empty",
    "e\u200b": "invisible",
    "e\te": "invisible",
    "x" * 257: "longer than 256 bytes",
    "é" * 129: "longer than 256 bytes",
}


@pytest.mark.parametrize(
    ("form", "bad"),
    [*(("csv", bad) for bad in BAD), *((form, bad) for form in ("jsonl", "parquet") for bad in ("", "e\u200b"))],
)
def test_the_rules_are_those_of_other_ids(tmp_path: Path, bad: str, form: str) -> None:
    frame = ROWS.assign(event_id=["e1", bad, "e3"])
    if form == "csv":
        frame.to_csv(tmp_path / "log.csv", index=False)
    elif form == "jsonl":
        frame.to_json(tmp_path / "log.jsonl", orient="records", lines=True)
    else:
        frame.to_parquet(tmp_path / "log.parquet")
    with pytest.raises(DataError, match=BAD[bad]) as caught:
        read_events(tmp_path / f"log.{form}")
    assert (caught.value.row, caught.value.field) == (3 if form == "csv" else 2, "event_id")
    skipped = read_events(tmp_path / f"log.{form}", skip_bad=True)
    assert (event_ids(skipped), len(skipped.log), len(skipped.rejected)) == (["e1", "e3"], 2, 1)


def test_spaces_around_an_event_id_are_taken_off() -> None:
    spaced = read_events(ROWS.assign(event_id=[" e1", "e2\u3000", "\te3\u00a0"]))
    assert event_ids(spaced) == ["e1", "e2", "e3"]


@pytest.mark.parametrize("length", [1, 2, 255, 256])
def test_lengths_that_are_fine(length: int) -> None:
    assert event_ids(read_events(ROWS[:1].assign(event_id=["x" * length]))) == ["x" * length]


@pytest.mark.parametrize("bad", ["1.5", "true", "[1]", "{}", "null"])
def test_what_is_no_id_in_json(tmp_path: Path, bad: str) -> None:
    (tmp_path / "log.jsonl").write_text(f'{{"user": 1, "item": 2, "event_id": {bad}}}\n')
    with pytest.raises(DataError, match="the id is") as caught:
        read_events(tmp_path / "log.jsonl")
    assert (caught.value.row, caught.value.field) == (1, "event_id")


def test_a_column_of_fractions_is_refused_whole() -> None:
    with pytest.raises(DataError, match="event ids are of type DOUBLE"):
        read_events(ROWS.assign(event_id=[1.5, 2, 3]))


TWICE = {
    "user,item,rating,time,event_id\na,x,1,5,e\nb,y,,,f\na,x,1,5,e\nb,y,,,f\n": None,
    "user,item,event_id\na,x,e\nb,x,f\nb,x,e\n": 4,
    "user,item,event_id\na,x,e\na,y,e\na,x,e\n": 3,
    "user,item,rating,event_id\na,x,1,e\na,x,2,e\n": 3,
    "user,item,rating,event_id\na,x,1,e\na,x,,e\n": 3,
    "user,item,kind,event_id\na,x,view,e\na,x,,e\n": 3,
    "user,item,time,event_id\na,x,1,e\na,x,2,e\n": 3,
}


@pytest.mark.parametrize("text", TWICE)
def test_an_id_may_stand_twice_only_with_the_same_event(tmp_path: Path, text: str) -> None:
    (tmp_path / "log.csv").write_text(text)
    if TWICE[text] is None:
        assert sorted(event_ids(read_events(tmp_path / "log.csv"))) == ["e", "e", "f", "f"]
        return
    with pytest.raises(DataError, match="stands further up with another event") as caught:
        read_events(tmp_path / "log.csv")
    assert (caught.value.row, caught.value.field) == (TWICE[text], "event_id")
    rejected = read_events(tmp_path / "log.csv", skip_bad=True).rejected
    assert [row.row for row in rejected] == [TWICE[text]]


def test_a_bad_row_is_no_event_that_another_could_contradict(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item,event_id\n,x,e\na,y,e\n")
    reading = read_events(tmp_path / "log.csv", skip_bad=True)
    assert ([row.row for row in reading.rejected], event_ids(reading)) == ([2], ["e"])


def test_ids_of_several_files_stay_with_their_events(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user,item,event_id\na,x,e1\n,x,e2\n")
    (tmp_path / "b.jsonl").write_text(json.dumps({"user": "b", "item": "y", "event_id": "e3"}))
    reading = read_events([tmp_path / "a.csv", tmp_path / "b.jsonl"], skip_bad=True)
    assert by_item(reading) == {"x": "e1", "y": "e3"}
