from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

import pytest

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]


def test_a_linear_models_contributions_add_up_to_the_score(run_json: RunJson, trained: Path, labs: list[str]) -> None:
    found = run_json("explain", "nle", labs[4], "-w", trained)
    (row,) = run_json("predict", "nle", labs[4], "-w", trained)
    assert found["additive"] is True
    assert len(found["contributions"]) > 3
    assert found["score"] == pytest.approx(math.fsum(one["amount"] for one in found["contributions"]), abs=1e-12)
    assert found["score"] == pytest.approx(row["score"], abs=1e-5)


def test_a_networks_are_changes_when_left_out(run_json: RunJson, networked: Path, labs: list[str]) -> None:
    history = labs[:4]
    found = run_json("explain", "--history", ",".join(history), labs[9], "-w", networked)
    without = run_json("predict", "--history", ",".join(history[1:]), labs[9], "-w", networked)[0]["score"]
    change = next(one["amount"] for one in found["contributions"] if one["item_id"] == history[0])
    assert found["additive"] is False
    assert change == pytest.approx(found["score"] - without, abs=1e-5)


def test_the_table_says_which_of_the_two_it_is(run: Run, trained: Path, networked: Path, labs: list[str]) -> None:
    linear, network = (run("explain", "nle", labs[4], "-w", folder).stdout for folder in (trained, networked))
    assert "adds" in linear
    assert "makes up the score exactly" in linear
    assert "need not add up" in network


def test_the_rows_of_a_short_table_still_add_up(run: Run, trained: Path, labs: list[str]) -> None:
    table = run("explain", "nle", labs[4], "-k", 3, "-w", trained).stdout
    amounts = [float(number) for number in re.findall(r"[+-]\d+\.\d{4}", table)]
    total = re.search(r"score +(-?\d+\.\d{4})", table)
    assert total is not None
    assert len(amounts) == 4
    assert sum(amounts) == pytest.approx(float(total[1]), abs=3e-4)
    assert "other items, together" in table


def test_k_shortens_json_as_it_does_the_table(run_json: RunJson, trained: Path, labs: list[str]) -> None:
    whole = run_json("explain", "nle", labs[4], "-w", trained)
    short = run_json("explain", "nle", labs[4], "-k", 1, "-w", trained)
    most = max(whole["contributions"], key=lambda one: abs(one["amount"]))
    assert short == {**whole, "contributions": [most]}


def test_with_nothing_known_the_score_is_popularitys(
    run: Run, run_json: RunJson, trained: Path, labs: list[str]
) -> None:
    assert run_json("explain", "--history", "x", labs[0], "-w", trained)["basis"] == "popularity"
    assert "the share of people" in run("explain", "--history", "x", labs[0], "-w", trained).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nle"], 2, "USER and ITEM"),
        (["--history", "a"], 2, "ITEM"),
        (["nobody", "x"], 4, "no user 'nobody'"),
        (["nle", "nowhere"], 4, "no item 'nowhere'"),
        (["nle", " x"], 3, "field 'item'"),
    ],
)
def test_wrong_use_says_what_is_wrong(run: Run, trained: Path, arguments: list[str], code: int, says: str) -> None:
    answer = run("explain", *arguments, "-w", trained)
    assert (answer.returncode, answer.stdout) == (code, "")
    assert says in answer.stderr
