from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

from foldin.workspace import open_workspace

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]


def test_it_is_what_the_model_makes_of_the_history_of_that_item(
    run_json: RunJson, trained: Path, labs: list[str]
) -> None:
    found = run_json("similar", labs[7], "-k", 6, "-w", trained)
    everything = run_json("recommend", "--history", labs[7], "-k", len(labs), "-w", trained)
    terms = sorted((one["basis"]["history"] for one in everything), reverse=True)
    assert [one["score"] for one in found] == terms[:6]
    others = {"profile": 0, "content": 0, "popularity": 0, "query": 0}
    assert all(one["basis"] == {"history": one["score"], **others} for one in found)
    assert labs[7] not in [one["item_id"] for one in found]


def test_the_table_names_the_item_by_its_title_and_has_a_score_alone(run: Run, trained: Path, labs: list[str]) -> None:
    title = open_workspace(trained).current().catalog.title(7)
    heading, columns, *_ = run("similar", labs[7], "-w", trained).stdout.splitlines()
    assert heading == f"Goes with {title}"
    # all that speaks for an item is the history of that one item
    assert columns.split() == ["item", "title", "score"]


def test_an_unknown_item_is_not_found(run: Run, trained: Path) -> None:
    answer = run("similar", "nowhere", "-w", trained)
    assert (answer.returncode, answer.stderr.count("\n")) == (4, 1)
    assert "no item 'nowhere'" in answer.stderr
