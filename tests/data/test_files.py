from __future__ import annotations

import os
from pathlib import Path

import pytest

from foldin.data.files import replaced


def test_a_file_takes_the_place_of_the_former(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("former")
    with replaced(tmp_path / "file") as draft:
        draft.write_text("new")
        assert (tmp_path / "file").read_text() == "former"
    assert (tmp_path / "file").read_text() == "new"
    assert [place.name for place in tmp_path.iterdir()] == ["file"]


def test_what_fails_leaves_the_former(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("former")
    with pytest.raises(UnicodeEncodeError), replaced(tmp_path / "file") as draft:
        draft.write_text("half \udc80", encoding="utf-8")
    assert (tmp_path / "file").read_text() == "former"
    assert [place.name for place in tmp_path.iterdir()] == ["file"]


def test_what_is_no_regular_file_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileExistsError, match="No regular file"), replaced(tmp_path / "pipe") as draft:
        draft.write_text("new")
    assert (tmp_path / "pipe").is_fifo()


def test_two_at_once_have_a_draft_each(tmp_path: Path) -> None:
    with replaced(tmp_path / "file") as first, replaced(tmp_path / "file") as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert (tmp_path / "file").read_text() == "first"
