from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import foldin
from foldin.data.doctor import examine, examine_log
from foldin.data.readers import read_events
from foldin.data.suspicious_ids import suspicious_notes
from foldin.errors import DataWarning


def test_words_for_a_missing_value_are_counted_the_most_frequent_first() -> None:
    (note,) = suspicious_notes(["ann", "nan", "NULL", "\\N"], [5, 1, 12, 2], "user")
    assert note.startswith(
        "user ids that usually stand for a missing value: 'NULL' (12 rows), '\\N' (2 rows), 'nan' (1 row); "
    )


@pytest.mark.parametrize("item_id", ["9.78014E+12", "9,78014E+12", "-8.8e+18", "5E+11"])
def test_numbers_that_a_spreadsheet_rounded_are_named(item_id: str) -> None:
    (note,) = suspicious_notes(["7", item_id], [1, 3], "item")
    assert f"in scientific notation, as a spreadsheet rounds long numbers: '{item_id}' (3 rows)" in note


def test_ordinary_ids_need_no_note() -> None:
    ids = ["ann", "1E5", "12E+5", "nano", "E+12", "1.0", "null-1", "a+b"]
    assert list(suspicious_notes(ids, [1] * len(ids), "item")) == []


def test_every_reading_says_so(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user": ["NULL", "ann", "bob"], "item": ["9.78014E+12", "9.78014E+12", "x"]})
    frame.to_csv(tmp_path / "log.csv", index=False)
    frame.to_json(tmp_path / "log.jsonl", orient="records", lines=True)
    for source in (tmp_path / "log.csv", tmp_path / "log.jsonl", frame):
        words, rounded = read_events(source).notes
        assert "missing value: 'NULL' (1 row)" in words
        assert "'9.78014E+12' (2 rows)" in rounded
        assert {words, rounded} <= set(examine(source).warnings)
    with pytest.warns(DataWarning, match="missing value|scientific notation"):
        log = foldin.read(frame)
    assert {words, rounded} <= set(examine_log(log).warnings)
    with pytest.warns(DataWarning, match="user ids that usually stand for a missing value"):
        foldin.read_profiles(frame)


def test_what_was_taken_off_ids_is_counted_in_rows(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text('user,item\n="00123",cream cheese \n="00123", cream cheese\nann,"x"\n')
    reading = read_events(tmp_path / "log.csv")
    assert reading.log.user_ids.tolist() == ["00123", "ann"]
    assert reading.log.item_ids.tolist() == ["cream cheese", "x"]
    assert reading.notes == (
        'user ids written as a spreadsheet\'s formula: 2 rows, for example ="00123" taken as 00123',
        "item ids with spaces around them: 2 rows, taken without, for example ' cream cheese' as 'cream cheese'",
    )
