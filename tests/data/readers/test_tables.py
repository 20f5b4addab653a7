from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from foldin.data.availability import unavailable
from foldin.data.readers import Rejected, read_catalog, read_profiles
from foldin.errors import DataError, DataWarning


def test_a_catalogue_keeps_its_order_and_its_texts(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text(
        'item,title,job,minutes,notes\nz,"The ""A"",\nsecond line",N/A,10,\na,b,null,7.50,"x"\n', encoding="utf-8"
    )
    catalog = read_catalog(tmp_path / "items.csv")
    assert catalog.item_ids.tolist() == ["z", "a"]
    assert catalog.item(0) == {"title": 'The "A",\nsecond line', "job": "N/A", "minutes": "10"}
    assert catalog.item(1) == {"title": "b", "job": "null", "minutes": "7.50", "notes": "x"}
    assert catalog.attributes["notes"].tolist() == [None, "x"]


def test_a_large_catalogue_keeps_its_order(tmp_path: Path) -> None:
    ids = [str(number * 7_919 % 150_007) for number in range(150_000)]  # several threads
    (tmp_path / "items.csv").write_text("item,title\n" + "".join(f"{name},t{name}\n" for name in ids))
    catalog = read_catalog(tmp_path / "items.csv")
    assert catalog.item_ids.tolist() == ids
    assert catalog.attributes["title"].tolist() == [f"t{name}" for name in ids]


def test_profiles_from_frames() -> None:
    frame = pd.DataFrame({"user_id": [2, 1], "age": [30, None], "name": ["Ann", None]})
    for source in (frame, pl.DataFrame(frame)):
        profiles = read_profiles(source)
        assert profiles.user_ids.tolist() == ["2", "1"]
        assert profiles.profile("2") == {"age": "30.0", "name": "Ann"}
        assert profiles.profile("1") == {}


def test_json_lines_and_recbole_headers(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text('{"id": 7, "title": "a", "tags": ["x"]}\n{"id": "8", "year": 1999}\n')
    catalog = read_catalog(tmp_path / "items.jsonl")
    assert [catalog.item(index) for index in (0, 1)] == [{"title": "a", "tags": '["x"]'}, {"year": "1999"}]
    (tmp_path / "x.item").write_text("item_id:token\ttitle:token_seq\n1\tToy Story\n")
    assert read_catalog(tmp_path / "x.item").title(0) == "Toy Story"


def test_several_files_are_one_catalogue(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("item,title\nb,B\n")
    (tmp_path / "b.csv").write_text("item,year\na,1999\n")
    catalog = read_catalog(str(tmp_path / "*.csv"))
    assert catalog.item_ids.tolist() == ["b", "a"]
    assert [catalog.item(index) for index in (0, 1)] == [{"title": "B"}, {"year": "1999"}]


REFUSED = {
    "twice": ("item,title\na,1\nb,2\na,3\n", "row 4, field 'item': the id 'a' stands twice"),
    "twice by form": ("item,title\n\u00e9,1\ne\u0301,2\n", "row 3, field 'item': .*stands twice"),
    "empty": ("item,title\na,1\n,2\n", "row 3, field 'item': the id is empty"),
    "twice by space": ("item,title\na,1\n a,2\n", "row 3, field 'item': .*stands twice"),
    "ragged": ("item,title\na,1\nb\n", "row 3: the row has 1 cell and the header 2"),
    "no rows": ("item,title\n", "no rows"),
    "no id": ("foo,title\na,1\n", "the columns are 'foo', 'title'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_catalogue_names_file_row_and_field(tmp_path: Path, name: str) -> None:
    text, message = REFUSED[name]
    (tmp_path / "items.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=rf"items\.csv.*{message}"):
        read_catalog(tmp_path / "items.csv")


SPOILED = {
    "csv": "item,title,hidden\na,A,\nb,B\nb,B,\na,A,\na,Other,\n,E,\nf,F,perhaps\ng,G,true\n",
    "jsonl": (
        '{"item": "a", "title": "A"}\n{"item": "c", "item": "d"}\n{"item": "b", "title": "B"}\n'
        '{"item": "a", "title": "A"}\n'
        '{"item": "a", "title": "Other"}\n{"item": "", "title": "E"}\n{"item": "f", "hidden": "perhaps"}\n'
        '{"item": "g", "title": "G", "hidden": true}\n'
    ),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_bad_rows_are_set_aside_with_their_reasons_and_the_others_taken(kind: str, tmp_path: Path) -> None:
    (tmp_path / f"items.{kind}").write_text(SPOILED[kind])
    rejected: list[Rejected] = []
    with pytest.warns(DataWarning, match=rf"items.{kind}: 1 row that only repeats another"):
        catalog = read_catalog(tmp_path / f"items.{kind}", set_aside=rejected.append)
    assert catalog.item_ids.tolist() == ["a", "b", "g"]
    assert catalog.attributes["title"].tolist() == ["A", "B", "G"]
    reasons = ["stands twice, with other attributes: keep one row of it", "the id is empty", "neither true nor false"]
    torn = {"csv": "the row has 2 cells and the header 3", "jsonl": "the key stands twice"}[kind]
    assert len(rejected) == len(reasons) + 1
    for one, reason in zip(rejected, [torn, *reasons], strict=True):
        assert reason in one.reason
    with pytest.raises(DataError, match=r"row [23]"):
        read_catalog(tmp_path / f"items.{kind}")


def test_profiles_of_which_no_row_is_good_are_refused(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("user,age\n,1\n,2\n")
    with pytest.raises(
        DataError, match=r"2 rows, and none can be taken; the first: .*row 2, field 'user': the id is empty"
    ):
        read_profiles(tmp_path / "users.csv", set_aside=print)


def test_a_named_id_column(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,login\n1,ann\n")
    assert read_profiles(tmp_path / "people.csv").user_ids.tolist() == ["1"]
    assert read_profiles(tmp_path / "people.csv", user="login").profile("ann") == {"id": "1"}


def test_fractions_are_no_ids() -> None:
    with pytest.raises(DataError, match=r"field 'item': .*DOUBLE; cast it"):
        read_catalog(pd.DataFrame({"item": [1.0, 2.0]}))


def test_a_normalised_id_is_said(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item,title\ne\u0301,1\n", encoding="utf-8")
    with pytest.warns(DataWarning, match="NFC"):
        assert read_catalog(tmp_path / "items.csv").item_ids.tolist() == ["\u00e9"]


def test_the_row_numbers_that_pandas_writes_are_no_attribute(tmp_path: Path) -> None:
    pd.DataFrame({"item": ["b", "a"], "title": ["B", "A"]}).to_csv(tmp_path / "items.csv")
    catalog = read_catalog(tmp_path / "items.csv")
    assert catalog.item_ids.tolist() == ["b", "a"]
    assert [catalog.item(index) for index in (0, 1)] == [{"title": "B"}, {"title": "A"}]


def test_an_attribute_that_stands_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item,title,title\na,b,c\n")
    with pytest.raises(DataError, match=r"items\.csv, field 'title': .*more than once"):
        read_catalog(tmp_path / "items.csv")


def test_names_with_an_effect_are_told_as_columns_of_a_log_are(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("item,Title,HIDDEN\na,A,true\n")
    (tmp_path / "b.jsonl").write_text('{"item": "b", "title": "B", "Hidden": false}\n')
    frame = pd.DataFrame({"item": ["c"], "Title": ["C"], "Hidden": [True]})
    assert read_catalog([tmp_path / "a.csv", tmp_path / "b.jsonl"]).item(1) == {"title": "B", "hidden": "false"}
    assert unavailable(read_catalog([tmp_path / "a.csv", tmp_path / "b.jsonl"])) == ["a"]
    assert unavailable(read_catalog(frame)) == ["c"]
    assert list(read_profiles(frame.rename(columns={"item": "user"})).attributes) == ["Title", "Hidden"]
    (tmp_path / "c.csv").write_text("item,Hidden,hidden\na,true,false\n")
    with pytest.raises(DataError, match=r"c.csv, field 'hidden': the attributes 'Hidden' and 'hidden' would both be"):
        read_catalog(tmp_path / "c.csv")


@pytest.mark.parametrize(("name", "cell"), [("hidden", "perhaps"), ("available_from", "soon")])
def test_when_an_item_can_be_had_must_be_understood(name: str, cell: str, tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text(f"item,{name}\na,\nb,{cell}\n", encoding="utf-8")
    with pytest.raises(DataError, match=f"items.csv, field '{name}': item 'b': '{cell}'"):
        read_catalog(file)
