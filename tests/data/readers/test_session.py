from __future__ import annotations

import os
import signal
import tempfile
import threading
from pathlib import Path

import duckdb
import pytest

from foldin.data.readers import read
from foldin.data.readers.scans import refusing
from foldin.data.readers.session import INTERRUPTED, session

# many short tasks, as in a reading: DuckDB looks for Ctrl-C between them
LONG = "SELECT sum(length(sha256(repeat(range::VARCHAR, 60)))) FROM numbers"


def test_an_interrupted_query_is_an_interrupted_program() -> None:
    with session() as connection:
        connection.execute("CREATE TEMP TABLE numbers AS FROM range(3000000)")
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(RuntimeError, match=INTERRUPTED):
            connection.execute(LONG).fetchall()
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
