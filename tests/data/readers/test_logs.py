from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foldin.data.interactions import NO_KIND, NO_TIME, Interactions
from foldin.data.readers import read, read_events
from foldin.errors import DataError, DataWarning

Event = tuple[str, str, str | None, float | None, int | None]

ROWS = [("ann", "x", "view", 4.0, 1_500_000_000), ("bob", "y", "buy", 2.5, 1_500_000_001), ("ann", "y", "view", 1.0, 5)]
EVENTS = Counter((user, item, kind, value, time * 1_000_000) for user, item, kind, value, time in ROWS)
HEADER = ("user", "item", "kind", "value", "time")


def events(log: Interactions) -> Counter[Event]:
    """The events of a log, in no order."""
    counted: Counter[Event] = Counter()
    for row in range(len(log)):
        kind = None
        if log.kind_codes is not None and log.kind_names is not None and log.kind_codes[row] != NO_KIND:
            kind = str(log.kind_names[log.kind_codes[row]])
        value = None if log.values is None or np.isnan(log.values[row]) else float(log.values[row])
        time = None if log.times is None or log.times[row] == NO_TIME else int(log.times[row])
        user, item = str(log.user_ids[log.user_codes[row]]), str(log.item_ids[log.item_codes[row]])
        counted[user, item, kind, value, time] += 1
    return counted


def delimited(delimiter: str) -> str:
    return "\n".join(delimiter.join(str(cell) for cell in row) for row in [HEADER, *ROWS])


def json_lines() -> str:
    return "\n".join(json.dumps(dict(zip(HEADER, row, strict=True))) for row in ROWS)


def pandas_frame() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=list(HEADER))


TEXTS = {
    "log.csv": delimited(","),
    "log.tsv": delimited("\t"),
    "semicolon.csv": delimited(";"),
    "pipe.txt": delimited("|"),
    "caret.txt": delimited("^"),
    "space.txt": delimited(" "),
    "colons.txt": delimited("::"),
    "blank.csv": "\n\n" + delimited(",").replace("\n", "\n\n"),
    "windows.csv": delimited(",").replace("\n", "\r\n"),
    "mark.csv": "\ufeff" + delimited(","),
    "log.jsonl": json_lines(),
    "log.ndjson": json_lines(),
    "log.json": json_lines(),
    "array.json": "[" + json_lines().replace("\n", ",\n") + "]",
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", TEXTS)
def test_every_text_format_gives_the_same_log(tmp_path: Path, name: str, packed: bool) -> None:
    raw = TEXTS[name].encode()
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(raw) if packed else raw)
    assert events(read(path)) == EVENTS


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(gzip.compress(delimited(",").encode()))
    assert events(read(tmp_path / "log.csv")) == EVENTS


@pytest.mark.parametrize("packed", [False, True])
def test_parquet(tmp_path: Path, packed: bool) -> None:
    pandas_frame().to_parquet(tmp_path / "log.parquet")
    raw = (tmp_path / "log.parquet").read_bytes()
    path = tmp_path / ("packed.parquet.gz" if packed else "log.parquet")
    path.write_bytes(gzip.compress(raw) if packed else raw)
    assert events(read(path)) == EVENTS


@pytest.mark.parametrize(
    "frame",
    [pandas_frame(), pl.DataFrame(ROWS, schema=list(HEADER), orient="row"), pa.Table.from_pandas(pandas_frame())],
)
def test_frames(frame: object) -> None:
    assert events(read(frame)) == EVENTS


def test_ids_and_kinds_may_be_categories() -> None:
    frame = pandas_frame().astype({"user": "category", "item": "category", "kind": "category"})
    assert events(read(frame)) == EVENTS
    dictionary = pa.table({"user": pa.array(["b", "a"]).dictionary_encode(), "item": ["x", "y"]})
    assert read(dictionary).user_ids.tolist() == ["a", "b"]


def test_a_glob_and_a_list_are_one_log(tmp_path: Path) -> None:
    for number, row in enumerate(ROWS):
        lines = [",".join(HEADER), ",".join(str(cell) for cell in row)]
        (tmp_path / f"part{number}.csv").write_text("\n".join(lines))
    assert events(read(str(tmp_path / "part*.csv"))) == EVENTS
    assert events(read(sorted(tmp_path.glob("part*.csv")))) == EVENTS


def test_files_of_different_formats_are_one_log(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user,item\n7,x\n")
    (tmp_path / "b.jsonl").write_text('{"item": "y", "user": 7}\n{"item": "y", "user": "8"}\n')
    pq.write_table(pa.table({"uid": [7], "item_id": ["z"]}), tmp_path / "c.parquet")
    log = read([tmp_path / "a.csv", tmp_path / "b.jsonl", tmp_path / "c.parquet"])
    expected = Counter([("7", "x", None, None, None), ("7", "y", None, None, None), ("7", "z", None, None, None)])
    assert events(log) == expected + Counter([("8", "y", None, None, None)])


def test_a_name_with_signs_of_a_glob_is_a_name(tmp_path: Path) -> None:
    (tmp_path / "it's [1]*.csv").write_text("user,item\na,x\n")
    (tmp_path / "it's 1.csv").write_text("user,item\nb,y\n")
    assert read(tmp_path / "it's [1]*.csv").user_ids.tolist() == ["a"]


def test_movielens_reads_without_options(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_text("196\t242\t3\t881250949\n186\t302\t3\t891717742\n")
    (tmp_path / "ratings.dat").write_text("196::242::3::881250949\n186::302::3::891717742\n")
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n196,242,3,881250949\n186,302,3,891717742\n")
    expected = Counter([("196", "242", None, 3.0, 881250949 * 10**6), ("186", "302", None, 3.0, 891717742 * 10**6)])
    for name in ("u.data", "ratings.dat", "ratings.csv"):
        assert events(read(tmp_path / name)) == expected, name


def test_quotation_marks_mean_nothing_between_colons(tmp_path: Path) -> None:
    (tmp_path / "log.dat").write_text('user::item\n"a::x\nb"::"y"\n')
    assert events(read(tmp_path / "log.dat")) == Counter(
        [('"a', "x", None, None, None), ('b"', '"y"', None, None, None)]
    )


def test_colons_inside_a_name_part_no_columns(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item,meta::x\na,x,1\n")
    with pytest.warns(DataWarning, match="left alone: meta::x"):
        assert events(read(tmp_path / "log.csv")) == Counter([("a", "x", None, None, None)])


def test_recbole_headers_and_unquoted_marks(tmp_path: Path) -> None:
    (tmp_path / "x.inter").write_text(
        'user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t"7" inch\t4.5\t881250949.0\n'
    )
    assert events(read(tmp_path / "x.inter")) == Counter([("1", '"7" inch', None, 4.5, 881250949 * 10**6)])
    assert read(tmp_path / "x.inter", user="user_id", item="item_id").user_ids.tolist() == ["1"]


def test_ids_are_sorted_by_code_point_and_whole_numbers_are_digits() -> None:
    log = read(pd.DataFrame({"user": [10, 9, 100], "item": ["b", "Z", "é"]}))
    assert log.user_ids.tolist() == ["10", "100", "9"]
    assert log.item_ids.tolist() == ["Z", "b", "é"]
    assert all(type(name) is str for name in [*log.user_ids, *log.item_ids])


STRANGE = ["[PAD]", "null", "NULL", "NaN", "nan", "N/A", "None", "../x", "01", "1.0", "1", "true", "a,b", 'q"q', "#x"]


def test_strange_ids_are_ordinary(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user": STRANGE, "item": STRANGE[::-1]})
    frame.to_csv(tmp_path / "log.csv", index=False)
    frame.to_json(tmp_path / "log.jsonl", orient="records", lines=True)
    frame.to_parquet(tmp_path / "log.parquet")
    for source in (tmp_path / "log.csv", tmp_path / "log.jsonl", tmp_path / "log.parquet", frame, pl.DataFrame(frame)):
        with pytest.warns(DataWarning, match="usually stand for a missing value"):
            log = read(source)
        assert log.user_ids.tolist() == sorted(STRANGE)
        assert log.item_ids.tolist() == sorted(STRANGE)


def test_json_numbers_and_texts_are_the_same_id_and_the_import_says_so(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(
        '{"user": 7, "item": "a"}\n{"user": "7", "item": "b"}\n{"user": "07", "item": 1}\n'
    )
    with pytest.warns(DataWarning, match=r'user ids that stand both as number and as text .*7 and "7"'):
        log = read(tmp_path / "log.jsonl")
    assert log.user_ids.tolist() == ["07", "7"]


def test_mixed_objects_of_pandas_are_the_same_id_and_the_import_says_so() -> None:
    with pytest.warns(DataWarning, match="numbers and texts mixed"):
        log = read(pd.DataFrame({"user": pd.Series([7, "7", "a"], dtype=object), "item": [1, 2, 3]}))
    assert log.user_ids.tolist() == ["7", "a"]


def test_nfd_is_normalised_and_the_import_says_so(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item\ne\u0301,a\n\u00e9,b\n", encoding="utf-8")
    with pytest.warns(DataWarning, match="NFC"):
        log = read(tmp_path / "log.csv")
    assert log.user_ids.tolist() == ["\u00e9"]
    assert len(log) == 2


def test_empty_cells_are_missing(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text('user,item,kind,value,time\na,x,,,\nb,y,"","",""\nc,z,view,1,1600000002\n')
    expected: Counter[Event] = Counter([("a", "x", None, None, None), ("b", "y", None, None, None)])
    expected["c", "z", "view", 1.0, 1_600_000_002_000_000] = 1
    assert events(read(tmp_path / "log.csv")) == expected


def test_named_columns_win(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item,who,what,score,stars\na,b,c,d,1,2\n")
    with pytest.warns(DataWarning, match=r"^columns left alone: user, item, score$"):
        log = read(tmp_path / "log.csv", user="who", item="what", value="stars")
    assert events(log) == Counter([("c", "d", None, 2.0, None)])


def test_skipping_sets_bad_rows_aside_and_forgets_their_ids(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text('user,item,value\na,x,1\n\nb,y,nan\n"c\nd",z,1\ne,,2\nf,g\nh,x,3\n')
    reading = read_events(path, skip_bad=True)
    assert events(reading.log) == Counter([("a", "x", None, 1.0, None), ("h", "x", None, 3.0, None)])
    assert reading.log.user_ids.tolist() == ["a", "h"]
    assert [(row.row, row.field, row.text) for row in reading.rejected] == [
        (4, "value", "b,y,nan"),
        (5, "user", '"c\nd",z,1'),
        (7, "item", "e,,2"),
        (8, None, "f,g"),
    ]
    assert all(row.file == str(path) for row in reading.rejected)
    assert reading.columns == {"user": "user", "item": "item", "value": "value"}


def test_skipping_names_the_file_of_each_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user,item\na,x\n,y\n")
    (tmp_path / "b.csv").write_text("user,item\n,z\nb,x\n")
    rejected = read_events([tmp_path / "a.csv", tmp_path / "b.csv"], skip_bad=True).rejected
    assert [(Path(row.file or "").name, row.row) for row in rejected] == [("a.csv", 3), ("b.csv", 2)]


def test_all_rows_bad_is_an_empty_log_when_skipping(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item\n,x\n")
    reading = read_events(tmp_path / "log.csv", skip_bad=True)
    assert len(reading.log) == len(reading.log.user_ids) == 0
    assert len(reading.rejected) == 1


def test_many_rows_keep_their_number(tmp_path: Path) -> None:
    # joins reorder rows, and files of this size are read by several threads
    rows = [f"u{row % 997},i{row % 13},{row % 5}" for row in range(300_000)]
    rows[123_456], rows[250_000] = "u1,i1,x", "u1,i1"
    (tmp_path / "log.csv").write_text("user,item,value\n" + "\n".join(rows))
    reading = read_events(tmp_path / "log.csv", skip_bad=True)
    assert [(row.row, row.text) for row in reading.rejected] == [(123_458, "u1,i1,x"), (250_002, "u1,i1")]
    assert len(reading.log) == 299_998
    assert reading.log.values is not None
    assert float(reading.log.values.sum()) == sum(row % 5 for row in range(300_000) if row not in (123_456, 250_000))


CELLS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, categories=["L", "N", "P", "S"]), min_size=1)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=20))
def test_any_pairs_survive_a_delimited_file(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("pairs") / "log.csv"
    pd.DataFrame(pairs, columns=["user", "item"]).to_csv(path, index=False)
    log = read_events(path, skip_bad=True).log
    expected = Counter((user, item, None, None, None) for user, item in pairs)
    assert events(log) == expected


def test_any_names_of_other_columns_are_fine() -> None:
    names = [
        "user_cell",
        "item_cell",
        "number",
        "verdict",
        "moment",
        "form",
        "position",
        "cell",
        "code",
        "frame",
        "json",
    ]
    frame = pd.DataFrame({"user": ["a", "b"], "item": ["x", ""]} | {name: [1, 2] for name in names})
    reading = read_events(frame, value="number", time="moment", kind="form", skip_bad=True)
    assert events(reading.log) == Counter([("a", "x", "1", 1.0, 1_000_000)])
    assert [row.row for row in reading.rejected] == [2]


def test_a_frame_without_rows_or_an_unknown_source() -> None:
    with pytest.raises(DataError, match="no rows"):
        read(pd.DataFrame({"user": [], "item": []}, dtype=str))
    with pytest.raises(DataError, match="cannot read dict"):
        read({"user": ["a"], "item": ["b"]})
    with pytest.raises(DataError, match="an empty list"):
        read([])
