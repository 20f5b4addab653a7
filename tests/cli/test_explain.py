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


def amounts(contributions: list[dict[str, float]]) -> float:
    return math.fsum(one["amount"] for one in contributions)


def test_everything_adds_up_to_the_score(run_json: RunJson, trained: Path, labs: list[str]) -> None:
    found = run_json("explain", "nle", labs[4], "-w", trained)
    (row,) = run_json("predict", "nle", labs[4], "-w", trained)
    assert found["additive"] is True
    assert len(found["items"]) > 3
    assert {one["name"] for one in found["attributes"]} == {"role", "experience"}
    assert amounts(found["items"]) == pytest.approx(found["basis"]["history"], abs=1e-5)
    assert amounts(found["attributes"]) == pytest.approx(found["basis"]["profile"], abs=1e-5)
    assert math.fsum(found["basis"].values()) == pytest.approx(found["score"], abs=1e-5)
    assert found["score"] == pytest.approx(row["score"], abs=1e-5)
    assert found["basis"] == pytest.approx(row["basis"], abs=1e-5)


def test_a_networks_are_changes_when_left_out(run_json: RunJson, networked: Path, labs: list[str]) -> None:
    history = labs[:4]
    found = run_json("explain", "--history", ",".join(history), labs[9], "-w", networked)
    (without,) = run_json("predict", "--history", ",".join(history[1:]), labs[9], "-w", networked)
    change = next(one["amount"] for one in found["items"] if one["name"] == history[0])
    assert found["additive"] is False
    assert change == pytest.approx(found["basis"]["history"] - without["basis"]["history"], abs=1e-5)


def test_the_table_says_which_of_the_two_it_is(run: Run, trained: Path, networked: Path, labs: list[str]) -> None:
    linear, network = (run("explain", "nle", labs[4], "-w", folder).stdout for folder in (trained, networked))
    assert "changes the term by" not in linear
    assert "need not add up" not in linear
    assert "changes the term by" in network
    assert "they need not add up" in network


def test_the_rows_of_a_short_table_still_add_up(run: Run, trained: Path, labs: list[str]) -> None:
    told = run("explain", "nle", labs[4], "-k", 3, "-w", trained).stdout
    score, profile, history = (
        [float(number) for number in re.findall(r"[+-]\d+\.\d{4}", table)]
        for table in re.split("What of the (?:profile|history) makes up its term", told.partition("\n")[2])
    )
    *terms, total = score
    names = re.findall(r"^\W*(history|profile|content|popularity|score) +[+-]", told, re.MULTILINE)
    of = dict(zip(names, score, strict=True))
    assert sum(terms) == pytest.approx(total, abs=3e-4)
    assert f": score {total:.4f}" in told
    assert sum(profile) == pytest.approx(of["profile"], abs=3e-4)
    assert len(history) == 4
    assert sum(history) == pytest.approx(of["history"], abs=3e-4)
    assert "other items, together" in told


def test_k_shortens_json_as_it_does_the_table(run_json: RunJson, trained: Path, labs: list[str]) -> None:
    whole = run_json("explain", "nle", labs[4], "-w", trained)
    short = run_json("explain", "nle", labs[4], "-k", 1, "-w", trained)
    most = max(whole["items"], key=lambda one: abs(one["amount"]))
    assert short == {**whole, "items": [most]}


def test_with_nothing_known_the_score_is_popularitys(
    run: Run, run_json: RunJson, trained: Path, labs: list[str]
) -> None:
    found = run_json("explain", "--history", "x", labs[0], "-w", trained)
    assert found["basis"] == {"history": 0, "profile": 0, "content": 0, "popularity": found["score"], "query": 0}
    assert (found["items"], found["attributes"]) == ([], [])
    assert "No item of the history is known" in run("explain", "--history", "x", labs[0], "-w", trained).stdout


def test_a_profile_is_explained_by_attribute(run: Run, run_json: RunJson, trained: Path, labs: list[str]) -> None:
    asked = ("explain", "--profile", "role=developer,experience=junior,colour=red", labs[0], "-w", trained)
    found = run_json(*asked)
    assert {one["name"] for one in found["attributes"]} == {"role", "experience"}
    assert amounts(found["attributes"]) == pytest.approx(found["basis"]["profile"], abs=1e-5)
    assert (found["items"], found["basis"]["history"]) == ([], 0)
    answer = run(*asked)
    assert "for this profile" in answer.stdout
    assert "What of the profile makes up its term" in answer.stdout
    assert "history" not in answer.stdout  # none was given
    assert answer.stderr == "note: says nothing to the model: colour=red (it knows experience, interests, role)\n"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nle"], 2, "USER and ITEM"),
        (["--history", "a"], 2, "ITEM"),
        (["--profile", "role=developer"], 2, "ITEM"),
        (["--profile", "role", "x"], 2, "'role' is not of the form name=value"),
        (["nobody", "x"], 4, "no user 'nobody'"),
        (["nle", "nowhere"], 4, "no item 'nowhere'"),
        (["nle", "x\u200b"], 3, "field 'item'"),
    ],
)
def test_wrong_use_says_what_is_wrong(run: Run, trained: Path, arguments: list[str], code: int, says: str) -> None:
    answer = run("explain", *arguments, "-w", trained)
    assert (answer.returncode, answer.stdout) == (code, "")
    assert says in answer.stderr
