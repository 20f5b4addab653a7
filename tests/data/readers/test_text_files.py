"""Files of text as they are met: torn rows, encodings, headers that are missing, and files that are no tables."""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickle
import sqlite3
import zipfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from foldin.data.doctor import examine
from foldin.data.readers import read, read_catalog, read_events, read_profiles
from foldin.data.readers import records as records_module
from foldin.data.readers.records import Record, State, records
from foldin.errors import ConfigurationError, DataError, RowError

pytestmark = pytest.mark.filterwarnings("ignore:columns left alone")

OPEN = "a quotation mark is not closed, or a cell goes on behind it"

# the second line of a file, and what is wrong with it
TORN = {
    "a cell goes on": ('b,"Weird" Al,1', OPEN),
    "an open mark": ('b,"12 inch,1', OPEN),
    "a mark escaped by a backslash": (r'b,"a\"b",1', OPEN),
    "too few cells": ("b,y", "the row has 2 cells and the header 3"),
    "too many cells": ("b,y,1,2", "the row has 4 cells and the header 3"),
    "two lines in a cell": ('b,"y\nz",1,2', "the row has 4 cells and the header 3; 2 lines belong to it"),
    "too long": ("b,y," + "n" * 2_000_001, "the row is longer than 2,000,000 characters"),
}


def text_file(folder: Path, content: str | bytes, name: str = "log.csv") -> Path:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder / name


@pytest.mark.parametrize("kind", TORN)
def test_a_torn_row_is_named_and_the_rest_is_taken(tmp_path: Path, kind: str) -> None:
    row, reason = TORN[kind]
    file = text_file(tmp_path, f"user,item,note\na,x,1\n{row}\nc,z,1\nd,w,2\n")
    with pytest.raises(RowError) as caught:
        read(file)
    assert caught.value.problem.startswith(reason)
    assert (caught.value.row, caught.value.field) == (3, None)
    reading = read_events(file, skip_bad=True)
    assert reading.log.user_ids.tolist() == ["a", "c", "d"]
    ((number, told, text),) = [(one.row, one.reason, one.text) for one in reading.rejected]
    assert (number, text) == (3, row)
    assert told.startswith(reason)
    with pytest.raises(RowError, match="row 3"):
        read_catalog(file)
    assert [(bad.count, bad.example.row) for bad in examine(file).bad_rows] == [(1, 3)]


def test_rows_inside_a_quotation_mark_are_an_error_that_counts_them(tmp_path: Path) -> None:
    # the mark of line 3 is closed by the stray one of line 5: DuckDB sees one row
    file = text_file(tmp_path, 'user,item,n\na,x,1\nb,"12 inch,2\nc,y,3\nd,z",1\ne,w,1\n')
    with pytest.raises(DataError, match=r"2 lines that look like rows, up to line 5, .* opens in line 3") as caught:
        read_events(file, skip_bad=True)
    assert not isinstance(caught.value, RowError)


def test_sentences_over_several_lines_are_one_cell(tmp_path: Path) -> None:
    plot = "Of love, war\nand peace, hope, and rain,\n\nby the sea"
    file = text_file(tmp_path, f'item,plot,year\nx,"{plot}",1999\ny, "a ""b""" ,2000\nz,5" disc,2001,\n')
    catalog = read_catalog(file)
    assert catalog.attributes["plot"].tolist() == [plot, 'a "b"', '5" disc']
    assert catalog.attributes["year"].tolist() == ["1999", "2000", "2001"]


def test_records_go_on_behind_the_first_line_of_a_torn_one() -> None:
    lines = ['a,"b\n', "c,d\n", "\n", 'e,"f\n', 'g"\n', 'h,"i']
    found = list(records(lines, delimiter=",", quoted=True, width=2, first_line=2))
    assert found == [Record(2, 'a,"b', OPEN), Record(3, "c,d"), Record(5, 'e,"f\ng"'), Record(7, 'h,"i', OPEN)]


def test_marks_that_never_close_are_followed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def parsed(line: str, delimiter: str, *, inside: bool) -> tuple[int, State]:
        looked_at.append(line)
        return parse(line, delimiter, inside=inside)

    parse = records_module._parsed
    monkeypatch.setattr(records_module, "_parsed", parsed)
    lines = ['u,27","monitor\n'] * 100
    found = list(records(lines, delimiter=",", quoted=True, width=3))
    assert [row.fault for row in found] == [OPEN] * 100
    assert len(looked_at) < 3 * len(lines)


def test_a_header_inside_the_file_is_noted(tmp_path: Path) -> None:
    file = text_file(tmp_path, "user,item\na,x\nuser,item\nb,y\n")
    notes = read_events(file).notes
    assert [note.split(";")[0] for note in notes] == [
        "user ids that are the name of their column: 'user' (1 row)",
        "item ids that are the name of their column: 'item' (1 row)",
    ]


LATIN = "user,item,title\na,café,1\nb,crème,2\n"


@pytest.mark.parametrize("encoding", ["latin-1", "windows-1252", "utf-16", "utf-8-sig"])
def test_an_encoding_is_named_or_known_by_its_mark(tmp_path: Path, encoding: str) -> None:
    file = text_file(tmp_path, LATIN.encode(encoding))
    given = None if encoding.startswith("utf") else encoding
    assert read(file, encoding=given).item_ids.tolist() == ["café", "crème"]
    assert read_catalog(file, encoding=given).item_ids.tolist() == ["café", "crème"]
    assert read_profiles(file, encoding=given).attributes["item"].tolist() == ["café", "crème"]
    lines = text_file(tmp_path, '{"user":"a","item":"café"}\n'.encode(encoding), "log.jsonl")
    assert read(lines, encoding=given).item_ids.tolist() == ["café"]


@pytest.mark.parametrize(("letter", "likely"), [("é", "latin-1"), ("€", "windows-1252")])
def test_text_that_is_not_utf8_gets_the_likely_encoding(tmp_path: Path, letter: str, likely: str) -> None:
    file = text_file(tmp_path, f"user,item,title\na,x,1\nb,{letter},2\n".encode("windows-1252"))
    for reader in (read, read_catalog, read_profiles):
        with pytest.raises(RowError, match=f"--encoding {likely}") as caught:
            reader(file)
        assert (caught.value.row, caught.value.field) == (3, "item")
    lines = text_file(tmp_path, f'{{"user":1,"item":"{letter}"}}\n{{"user":1,"item":2}}'.encode("cp1252"), "log.jsonl")
    with pytest.raises(RowError, match=f"--encoding {likely}"):
        read(lines)
    with pytest.raises(DataError, match="the first line is not UTF-8"):
        read(text_file(tmp_path, f"user,item,{letter}\na,x,1\n".encode("cp1252")))


def test_encoding_and_header_are_checked(tmp_path: Path) -> None:
    file = text_file(tmp_path, "1,2\n3,4\n")
    for options in ({"encoding": "latin-9000"}, {"encoding": "hex"}, {"header": ["user", "user"]}, {"header": "user"}):
        with pytest.raises(ConfigurationError):
            read(file, **options)
    with pytest.raises(ConfigurationError, match="those of files"):
        read(pd.DataFrame({"user": ["a"], "item": ["x"]}), encoding="latin-1")


HEADERLESS = {
    "words": "u0,i2,view\nu0,i3,view\nu1,i2,buy\n",
    "numbers": "7,8,2\n1,2,3\n",
    "a name and a day": "ann,x,2024-01-01\nbob,y,2024-01-02\n",
}


@pytest.mark.parametrize("kind", HEADERLESS)
def test_a_missing_header_is_asked_for_and_can_be_given(tmp_path: Path, kind: str) -> None:
    file = text_file(tmp_path, HEADERLESS[kind])
    for reader in (read, read_catalog, examine):
        with pytest.raises(DataError, match="header / --header") as caught:
            reader(file)
        assert not isinstance(caught.value, RowError)
    names = ["user", "item", "label"]
    assert len(read(file, header=names)) == HEADERLESS[kind].count("\n")
    if kind != "words":
        assert len(read_catalog(file, header=names)) == 2
    with pytest.raises(DataError, match="names 2 columns, and the first line has 3 cells"):
        read(file, header=names[:2])


def test_naming_columns_of_a_missing_header_loses_no_row(tmp_path: Path) -> None:
    file = text_file(tmp_path, HEADERLESS["words"])
    with pytest.raises(DataError, match="is there a header"):
        read(file, user="u0", item="i2")
    with pytest.raises(DataError, match="is there a header"):
        read_catalog(text_file(tmp_path, "u0,i2\nu1,i2\n"), item="i2")


def test_unusual_names_are_a_header_all_the_same(tmp_path: Path) -> None:
    file = text_file(tmp_path, "who,what,view\na,x,view\nb,y,view\n")
    assert read(file, user="who", item="what").user_ids.tolist() == ["a", "b"]
    with pytest.raises(ConfigurationError, match="leave out header"):
        read(text_file(tmp_path, "user,item\na,x\n"), header=["who", "what"])


@pytest.mark.parametrize(
    ("before", "delimiter"), [("sep=;\n", ";"), ("# of a shop\n% 2024, again\n\n", ","), ("\n#one, two\n", "\t")]
)
def test_lines_before_the_header_are_passed_over(tmp_path: Path, before: str, delimiter: str) -> None:
    rows = "\n".join(delimiter.join(cells) for cells in (["user", "item"], ["#a", "x"], ["", "y"]))
    reading = read_events(text_file(tmp_path, before + rows), skip_bad=True)
    assert reading.log.user_ids.tolist() == ["#a"]
    assert [one.row for one in reading.rejected] == [before.count("\n") + 3]


def test_a_header_may_begin_with_a_sign_of_comments(tmp_path: Path) -> None:
    assert read(text_file(tmp_path, "#,user,item\n1,a,x\n")).user_ids.tolist() == ["a"]


@pytest.mark.parametrize("name", ["log.txt", "log.csv", "log"])
def test_json_is_known_by_its_beginning(tmp_path: Path, name: str) -> None:
    rows = '{"user":"a","item":"x"}\n{"user":"b","item":"y"}'
    for content in (rows, "\n " + rows, "[" + rows.replace("\n", ",\n") + "]", gzip.compress(rows.encode())):
        assert read(text_file(tmp_path, content, name)).user_ids.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    "content", ["{'user': 'a', 'item': 'x'}\n", '{\n"user": "a",\n"item": "x"\n}\n', '{"user":"a","item":"x"},\n']
)
def test_what_is_no_line_of_json_says_what_is_wanted(tmp_path: Path, content: str) -> None:
    file = text_file(tmp_path, content, "log.json")
    for reader in (read, read_catalog, examine):
        with pytest.raises(DataError, match=r"row 1.* the line is not JSON .* one object a line is wanted") as caught:
            reader(file)
        assert not isinstance(caught.value, RowError)


def workbook(part: str, file: Path) -> bytes:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(part, "user,item")
    return file.read_bytes()


def database(file: Path) -> bytes:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE log (user, item)")
    return file.read_bytes()


def test_a_file_that_is_no_table_says_what_it_is(tmp_path: Path) -> None:
    table = b"user,item\na,x\n"
    frame = pd.DataFrame({"user": ["a"], "item": ["x"]})
    frame.to_feather(tmp_path / "frame")
    files: Sequence[tuple[bytes, str]] = (
        (workbook("log.csv", tmp_path / "zip"), "ZIP archive: unpack it"),
        (workbook("xl/workbook.xml", tmp_path / "xlsx"), "workbook: save it as CSV"),
        (bz2.compress(table), "packed with bzip2"),
        (lzma.compress(table), "packed with xz"),
        (b"\x28\xb5\x2f\xfd" + table, "Zstandard"),
        ((tmp_path / "frame").read_bytes(), "Feather or Arrow"),
        (pickle.dumps(frame), "pickle"),
        (b"\x89PNG\r\n\x1a\n\x00", "picture"),
        (b"Obj\x01\x04\x14avro.codec", "Avro"),
        (b"ORC\x11\x00\x00\n", "ORC"),
        (database(tmp_path / "db"), "SQLite database"),
        (b"\n<!DOCTYPE html>\n<html>user,item", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b"\x00\x01\x02\x03,\x04", "is no text"),
    )
    for content, reason in files:
        for name in ("log.csv", "log.parquet" if reason != "is no text" else "log"):
            for reader in (read, read_catalog):
                with pytest.raises(DataError, match=reason) as caught:
                    reader(text_file(tmp_path, content, name))
                assert str(caught.value).isprintable()
    with pytest.raises(DataError, match="HTML"):
        read(text_file(tmp_path, gzip.compress(b"<html>"), "log.csv.gz"))
