from __future__ import annotations

import gzip
import os
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from foldin.data.readers import read, read_catalog, read_events
from foldin.data.readers.session import session
from foldin.data.readers.sources import scans_of
from foldin.data.readers.spooling import BLOCK
from foldin.data.readers.text import TextFormat
from foldin.errors import DataError


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, to see that none stays behind."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def piped(pipe: Path, content: bytes) -> Path:
    """A pipe into which the content is written once somebody reads it."""
    os.mkfifo(pipe)
    threading.Thread(target=pipe.write_bytes, args=(content,), daemon=True).start()
    return pipe


@pytest.mark.parametrize(
    "content",
    [
        b"user,item\na,x\nb,y\n",
        gzip.compress(b"user\titem\na\tx\nb\ty\n", mtime=0),
        b'{"user":"a","item":"x"}\n{"user":"b","item":"y"}',
    ],
)
def test_a_pipe_is_read(tmp_path: Path, scratch: Path, content: bytes) -> None:
    log = read(piped(tmp_path / "pipe", content))
    assert (log.user_ids.tolist(), log.item_ids.tolist()) == (["a", "b"], ["x", "y"])
    assert list(scratch.iterdir()) == []


def test_parquet_through_a_pipe(tmp_path: Path) -> None:
    import pandas as pd

    pd.DataFrame({"user": ["a"], "item": ["x"]}).to_parquet(tmp_path / "log")
    assert read(piped(tmp_path / "pipe", (tmp_path / "log").read_bytes())).user_ids.tolist() == ["a"]


def test_errors_of_a_pipe_name_it_and_the_line(tmp_path: Path) -> None:
    pipe = piped(tmp_path / "pipe", b'user,item,note\na,x,"two\nlines"\n,y,\n')
    with pytest.raises(DataError, match="the id is empty") as caught:
        read(pipe)
    assert (caught.value.file, caught.value.row) == (str(pipe), 4)


def test_standard_input_is_a_dash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log.csv").write_text("user,item\na,x\n,y\n")
    with (tmp_path / "log.csv").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        with pytest.raises(DataError, match="the id is empty") as caught:
            read("-")
    assert (caught.value.file, caught.value.row) == ("-", 3)


def test_an_empty_device_has_no_rows() -> None:
    with pytest.raises(DataError, match="no rows"):
        read("/dev/null")


MIXED = [b"user,item\r\na,x\nb,y\r\n", b"user,item\na,x\r\nb,y", b"user,item\r\na,x\r\nb,y\n"]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("content", MIXED)
def test_mixed_line_ends_are_taken(tmp_path: Path, content: bytes, packed: bool, scratch: Path) -> None:
    (tmp_path / "log.csv").write_bytes(gzip.compress(content) if packed else content)
    log = read(tmp_path / "log.csv")
    assert (log.user_ids.tolist(), log.item_ids.tolist()) == (["a", "b"], ["x", "y"])
    assert read_catalog(tmp_path / "log.csv").item_ids.tolist() == ["x", "y"]
    assert list(scratch.iterdir()) == []


def test_lines_are_counted_in_the_file_itself(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(b'user,item,note\r\na,x,"1\r\n2"\n\r\n,y,\r\nc\n')
    rejected = read_events(tmp_path / "log.csv", skip_bad=True).rejected
    assert [(row.row, row.field) for row in rejected] == [(5, "user"), (6, None)]


@pytest.mark.parametrize("ends", [b"\r\n", b"\n", b"\r"])
def test_files_of_one_line_end_are_read_where_they_are(tmp_path: Path, ends: bytes, scratch: Path) -> None:
    (tmp_path / "log.csv").write_bytes(b"user,item" + ends + b"a,x" + ends)
    with session() as connection, ExitStack() as resources:
        (scan,) = scans_of(connection, tmp_path / "log.csv", resources, TextFormat())
        assert str(tmp_path / "log.csv") in scan.relation
    assert read(tmp_path / "log.csv").item_ids.tolist() == ["x"]


@pytest.mark.filterwarnings("ignore:columns left alone")
def test_a_line_end_between_two_blocks(tmp_path: Path) -> None:
    # CR is the last byte of the first block
    content = b"item,user,note\nx,a," + b"n" * (BLOCK - 20) + b"\r\n" + b"y,b,"
    (tmp_path / "log.csv").write_bytes(content)
    assert content[BLOCK - 1 : BLOCK + 1] == b"\r\n"
    assert read(tmp_path / "log.csv").item_ids.tolist() == ["x", "y"]


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/l\xffg.csv"
    with open(name, "w") as file:  # noqa: PTH123 - a Path takes no bytes
        file.write("user,item\na,x\n")
    for source in (os.fsdecode(name), str(tmp_path / "l*.csv")):
        with pytest.raises(DataError, match="name is not UTF-8") as caught:
            read(source)
        assert str(caught.value.file).endswith("l\ufffdg.csv")
    with pytest.raises(DataError, match="no such file"):
        read(os.fsdecode(name + b".gone"))
