from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

from foldin.workspace import open_workspace

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]


def test_it_is_the_ranking_of_the_history_of_that_item(run_json: RunJson, trained: Path, labs: list[str]) -> None:
    found = run_json("similar", labs[7], "-k", 6, "-w", trained)
    assert found == run_json("recommend", "--history", labs[7], "-k", 6, "-w", trained)
    assert len(found) == 6
    assert labs[7] not in [one["item_id"] for one in found]


def test_the_table_names_the_item_by_its_title(run: Run, trained: Path, labs: list[str]) -> None:
    title = open_workspace(trained).current().catalog.title(7)
    assert run("similar", labs[7], "-w", trained).stdout.startswith(f"Goes with {title}\n")


def test_an_unknown_item_is_not_found(run: Run, trained: Path) -> None:
    answer = run("similar", "nowhere", "-w", trained)
    assert (answer.returncode, answer.stderr.count("\n")) == (4, 1)
    assert "no item 'nowhere'" in answer.stderr
