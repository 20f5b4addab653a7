from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb
import pytest

from foldin.data.readers import read
from foldin.data.readers.scans import refusing
from foldin.data.readers.session import INTERRUPTED, session


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
    (tmp_path / "log.csv").write_text("user,item\na,x\n")
    assert len(read(tmp_path / "log.csv")) == 1
