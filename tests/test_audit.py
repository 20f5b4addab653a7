"""The audit: a whole line for every action, whoever else writes, and no action that waits for one."""

from __future__ import annotations

import json
import logging
import stat
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from foldin.audit import FILE, audit, audited
from foldin.errors import BundleError


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / FILE).read_bytes().split(b"\n") if line]


def test_an_action_leaves_a_line_that_only_its_owner_may_read(tmp_path: Path) -> None:
    with audited(tmp_path, "http:shop", "use", model="2") as said:
        said["model"] = "2-ease"
    (line,) = lines(tmp_path)
    assert datetime.fromisoformat(line.pop("time")).utcoffset() == timedelta(0)
    assert line == {"by": "http:shop", "action": "use", "model": "2-ease", "outcome": "done"}
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_what_failed_is_told_with_its_reason_and_fails_as_before(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="damaged"), audited(tmp_path, "http", "use", model="2-ease"):
        raise BundleError("2-ease is damaged")
    (line,) = lines(tmp_path)
    assert (line["model"], line["outcome"], line["reason"]) == ("2-ease", "failed", "2-ease is damaged")


def test_where_an_error_could_name_a_user_it_is_told_by_its_kind(tmp_path: Path) -> None:
    with pytest.raises(BundleError), audited(tmp_path, "http", "forget", nameless=True):
        raise BundleError("ann is nobody")
    (line,) = lines(tmp_path)
    assert (line["outcome"], line["reason"]) == ("failed", "BundleError")


def test_an_error_without_words_is_told_by_its_kind(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), audited(tmp_path, "command line", "train"):
        raise KeyboardInterrupt
    assert lines(tmp_path)[0]["reason"] == "KeyboardInterrupt"


@pytest.mark.parametrize("name", ["two\nlines", "\ud800", '"quoted"', "é\u2028"])
def test_whatever_is_told_is_one_line(name: str, tmp_path: Path) -> None:
    audit(tmp_path, "command line", "use", model=name)
    audit(tmp_path, "command line", "use", model="after")
    first, second = (tmp_path / FILE).read_bytes().splitlines()
    assert json.loads(first)["model"] in (name, name.encode(errors="backslashreplace").decode())
    assert json.loads(second)["model"] == "after"


def write(folder: Path, writer: int) -> None:
    for number in range(200):
        audit(folder, f"http:{writer}", "use", model=f"{number}-ease", reason="x" * (number * 37 % 5_000))


def test_many_processes_write_at_once_and_no_line_is_lost_or_torn(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(write, [tmp_path] * 4, range(4)))
    found = lines(tmp_path)
    for writer in range(4):
        own = [line["model"] for line in found if line["by"] == f"http:{writer}"]
        assert own == [f"{number}-ease" for number in range(200)]


FULL = """
import resource, sys
from pathlib import Path
from foldin.audit import audit, audited
folder, room = Path(sys.argv[1]), int(sys.argv[2])
audit(folder, "http:shop", "use", model="1-ease")
resource.setrlimit(resource.RLIMIT_FSIZE, ((folder / "audit.jsonl").stat().st_size + room, resource.RLIM_INFINITY))
with audited(folder, "http:shop", "use", model="2-ease"):
    print("done")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
audit(folder, "http:shop", "use", model="3-ease")
"""


@pytest.mark.parametrize("room", [0, 1, 50])
def test_on_a_full_disk_the_action_stands_the_log_has_the_line_and_the_next_is_whole(room: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL, str(tmp_path), str(room)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == "done\n"
    assert f"{FILE} cannot be written" in ended.stderr
    assert json.loads(ended.stderr.partition("lacks: ")[2])["model"] == "2-ease"
    first, *torn, last = (tmp_path / FILE).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["model"] for line in (first, last)] == ["1-ease", "3-ease"]
    assert [len(line) for line in torn] == ([room] if room else [])


def test_where_there_is_no_folder_nothing_breaks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "foldin.audit"):
        audit(tmp_path / "gone", "http:shop", "use", model="1-ease")
    assert "No such file or directory" in caplog.text
    assert '"model": "1-ease"' in caplog.text
