from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

import pytest

from foldin.workspace import open_workspace

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]


def test_the_whole_row_is_there_with_what_is_in_the_history(run_json: RunJson, trained: Path, labs: list[str]) -> None:
    row = run_json("predict", "nle", "-w", trained)
    with open_workspace(trained).store() as store:
        history = set(store.history("nle").item_ids)
    assert sorted(one["item_id"] for one in row) == sorted(labs)
    assert {one["item_id"] for one in row if one["in_history"]} == history
    # a probability is about what somebody likes besides the history
    assert all((one["probability"] is None) == one["in_history"] for one in row)
    scores = [one["score"] for one in row]
    assert scores == sorted(scores, reverse=True)


def test_a_row_of_ratings_has_the_highest_first(run_json: RunJson, rated: Path) -> None:
    ratings = [one["rating"] for one in run_json("predict", "nle", "-w", rated)]
    assert ratings == sorted(ratings, reverse=True)
    assert all(1 <= rating <= 5 for rating in ratings)
    assert len(set(ratings)) > 10


def test_only_the_items_named(run_json: RunJson, trained: Path, labs: list[str]) -> None:
    row = run_json("predict", "nle", labs[3], labs[5], "-w", trained)
    whole = {one["item_id"]: one for one in run_json("predict", "nle", "-w", trained)}
    assert {one["item_id"] for one in row} == {labs[3], labs[5]}
    assert row == sorted([whole[labs[3]], whole[labs[5]]], key=lambda one: -one["score"])


def test_a_typed_history_leaves_all_names_to_items(run_json: RunJson, trained: Path, labs: list[str]) -> None:
    row = run_json("predict", "--history", f"{labs[0]},{labs[1]}", labs[0], labs[2], "-w", trained)
    assert {one["item_id"]: one["in_history"] for one in row} == {labs[0]: True, labs[2]: False}


def test_a_profile_leaves_all_names_to_items_too(run_json: RunJson, trained: Path, labs: list[str]) -> None:
    asked = ("predict", "--profile", "role=developer,interests=storage", "-w", trained)
    whole = run_json(*asked)
    assert sorted(one["item_id"] for one in whole) == sorted(labs)
    assert not any(one["in_history"] for one in whole)
    assert any(one["basis"]["profile"] < 0 for one in whole)
    some = run_json(*asked[:3], labs[2], labs[5], *asked[3:])
    assert some == [one for one in whole if one["item_id"] in (labs[2], labs[5])]


def test_a_table_shows_the_best_twenty_and_says_so(run: Run, trained: Path) -> None:
    answer = run("predict", "nle", "-w", trained)
    assert answer.stdout.count("HOL-") == 20
    assert all((" - " in line) == (" yes" in line) for line in answer.stdout.splitlines() if "HOL-" in line)
    assert "probability" in answer.stdout
    assert "20 of 40 items" in answer.stdout
    assert run("predict", "nle", "-k", 40, "-w", trained).stdout.count("HOL-") == 40


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [([], 2, "say whose row"), (["nobody"], 4, "no user 'nobody'"), (["nle", "nowhere"], 4, "no item 'nowhere'")],
)
def test_wrong_use_says_what_is_wrong(run: Run, trained: Path, arguments: list[str], code: int, says: str) -> None:
    answer = run("predict", *arguments, "-w", trained)
    assert (answer.returncode, answer.stdout) == (code, "")
    assert says in answer.stderr
