from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

import pytest

from foldin.data.doctor import as_json, examine

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]

ROUGH = """user,item,rating,timestamp,shop
ann,x,4,2024-01-01T10:00:00Z,north
Ann,y,5,2024-01-02T10:00:00,north
,x,3,2024-01-03T10:00:00Z,south
bob,x,nan,2024-01-04T10:00:00Z,south
bob,y,1,2024-01-05T10:00:00Z,south
"""


def test_json_is_the_doctors_diagnosis(run_json: RunJson, world: Path) -> None:
    found = run_json("inspect", world / "events.csv")
    expected = json.loads(json.dumps(as_json(examine(world / "events.csv"))))
    free, also_free = found["memory"].pop("available"), expected["memory"].pop("available")
    assert found.pop("training_seconds") < 10
    assert found == expected
    assert 0 < free < 4 * also_free
    assert found["items"] == 40


def test_no_row_is_refused_and_warnings_come_first(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rough.csv").write_text(ROUGH)
    answer = run("inspect", tmp_path / "rough.csv")
    assert (answer.returncode, answer.stderr) == (0, "")
    lines = answer.stdout.splitlines()
    warnings = [line for line in lines if line.startswith("! ")]
    assert lines[1 : 1 + len(warnings)] == warnings
    assert len(warnings) >= 3
    assert lines[0] == f"{tmp_path}/rough.csv: {len(warnings)} warnings"
    assert "rows that cannot be taken: 2 of 5" in warnings[0]
    assert "the id is empty" in answer.stdout
    assert "is NaN" in answer.stdout


def test_the_tables_show_columns_sizes_and_a_histogram(run: Run, world: Path) -> None:
    said = run("inspect", world / "ratings.csv").stdout
    found = examine(world / "ratings.csv")
    assert found.values is not None
    bars = {line.split()[0]: line for line in said.splitlines() if "█" in line}
    assert list(bars) == ["1", "2", "3", "4", "5"]
    for bar in found.values.histogram:
        assert f"{bar.count:,}" in bars[f"{bar.low:g}"]
    highest = max(found.values.histogram, key=lambda bar: bar.count)
    assert bars[f"{highest.low:g}"].count("█") == 40
    assert "value" in said
    assert f"{found.density:.3%}" in said


def test_the_columns_named_are_taken_and_the_others_listed(run_json: RunJson, run: Run, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("who;what;how much;when;else\na;x;2;2024-01-01 00:00:00;1\n")
    options = ("--user", "who", "--item", "what", "--value", "how much", "--time", "when", "--timezone", "UTC")
    found = run_json("inspect", tmp_path / "odd.csv", *options)
    assert found["columns"] == {"user": "who", "item": "what", "value": "how much", "time": "when"}
    assert found["other_columns"] == ["else"]
    assert "(not used)" in run("inspect", tmp_path / "odd.csv", *options).stdout


def test_several_files_are_one_log(run_json: RunJson, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user,item\na,x\n")
    (tmp_path / "b.csv").write_text("user,item\nb,x\n")
    assert run_json("inspect", tmp_path / "a.csv", tmp_path / "b.csv")["users"] == 2
    assert run_json("inspect", tmp_path / "*.csv")["users"] == 2


def test_a_log_of_bad_rows_alone_is_still_examined(run: Run, run_json: RunJson, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("user,item\n,x\n,y\n")
    found = run_json("inspect", tmp_path / "bad.csv")
    assert (found["rows"], found["events"], found["bad_rows"][0]["count"]) == (2, 0, 2)
    assert run("inspect", tmp_path / "bad.csv").returncode == 0


@pytest.mark.parametrize(
    ("name", "says"), [("missing.csv", "there is no such file"), ("empty.csv", "there are no rows")]
)
def test_a_file_that_is_no_log_is_an_error(run: Run, tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "empty.csv").write_text("user,item\n")
    answer = run("inspect", tmp_path / name)
    assert (answer.returncode, f"{name}: {says}" in answer.stderr) == (3, True)
