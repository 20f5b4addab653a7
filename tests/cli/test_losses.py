"""What an import leaves alone, and what new rows of catalogue and profiles take away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

import pytest

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]


def test_columns_of_a_log_that_play_no_role_are_told(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("user,item,device,place\na,x,phone,here\n")
    answer = run("ingest", log, "-w", tmp_path / "w")
    assert answer.stderr == "note: log.csv: columns left alone: device, place\n"
    log.write_text("user,item\nb,x\n")
    assert run("ingest", log, "-w", tmp_path / "w").stderr == ""


@pytest.mark.parametrize(("option", "noun"), [("--items", "item"), ("--users", "user")])
def test_attributes_that_new_rows_do_not_name_are_told(
    run: Run, run_json: RunJson, tmp_path: Path, option: str, noun: str
) -> None:
    whole, part = tmp_path / "whole.csv", tmp_path / "part.csv"
    whole.write_text(f"{noun},title,level\nx,X,1\ny,Y,\nz,Z,3\n")
    part.write_text(f"{noun},title\nx,New\ny,Y\n")
    assert run("ingest", option, whole, "-w", tmp_path / "w").stderr == ""
    assert run("ingest", option, whole, "-w", tmp_path / "w").stderr == ""
    answer = run("ingest", option, part, "-w", tmp_path / "w")
    gone = f"a row replaces all that was known of its {noun}; gone is: level of 1 {noun}"
    assert answer.stderr == f"note: {gone}\n"
    run("ingest", option, whole, "-w", tmp_path / "w")
    assert run_json("ingest", option, part, "-w", tmp_path / "w")["notes"] == [gone]
