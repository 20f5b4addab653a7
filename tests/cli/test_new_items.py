"""Items that nobody had in training, as commands show them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.readers import read, read_catalog
from foldin.fitting import fit
from foldin.models import EASE
from foldin.store.contract import Batch
from foldin.workspace import create_workspace, open_workspace

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]

KEY = "new: nobody had it in training, so no probability is known"


@pytest.fixture(scope="module")
def folder(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of the clicks, whose catalogue has an item about storage that nobody had."""
    workspace = create_workspace(tmp_path_factory.mktemp("renewed") / "w")
    log, known = read(world / "events.csv"), read_catalog(world / "items.csv")
    topics = ids_of([*known.attributes["topics"], "storage"])
    catalog = Catalog(ids_of([*known.item_ids, "NEW"]), {"topics": topics})
    with workspace.store(create=True) as store:
        store.ingest([Batch(log, "made")], catalog=catalog)
    workspace.publish(fit(log, estimator=EASE(l2=50), catalog=catalog))
    return workspace.folder


def row(told: str, item_id: str) -> list[str]:
    (line,) = (line for line in told.splitlines() if item_id in line.split())
    return line.split()


def test_alone_they_are_new_and_have_no_figure_that_means_nothing(run: Run, folder: Path) -> None:
    told = run("predict", "nle", "NEW", "-w", folder).stdout
    assert told.splitlines()[1].split()[:3] == ["item", "title", "probability"]
    assert row(told, "NEW")[3] == "new"
    assert KEY in told


def test_among_others_each_cell_without_a_probability_says_why(
    run: Run, run_json: RunJson, folder: Path, labs: list[str]
) -> None:
    answer = run_json("predict", "--history", labs[0], labs[0], labs[1], "NEW", "-w", folder)
    told = run("predict", "--history", labs[0], labs[0], labs[1], "NEW", "-w", folder).stdout
    probabilities = {one["item_id"]: one["probability"] for one in answer}
    assert (probabilities[labs[0]], probabilities["NEW"]) == (None, None)
    assert [row(told, item_id)[3] for item_id in (labs[0], labs[1], "NEW")] == [
        "-",
        f"{probabilities[labs[1]]:.1%}",
        "new",
    ]
    assert [line.partition(":")[0] for line in told.splitlines()[-3:]] == ["new", "-", "or more"]


def test_what_needs_no_words_has_none(run: Run, folder: Path, labs: list[str]) -> None:
    told = run("predict", "--history", labs[0], labs[1], "-w", folder).stdout
    assert not any(line.startswith(("new:", "-:")) for line in told.splitlines())


def test_what_resembles_one_says_so_and_has_a_score_alone(run: Run, run_json: RunJson, folder: Path) -> None:
    heading, columns, *_ = run("similar", "NEW", "-w", folder).stdout.splitlines()
    assert heading == "Resembles NEW by its words"
    assert columns.split() == ["item", "title", "score"]
    found = run_json("similar", "NEW", "-w", folder)
    assert all(one["basis"]["content"] == one["score"] > 0 for one in found)


def test_in_a_history_they_tell_nothing(run: Run, run_json: RunJson, folder: Path, labs: list[str]) -> None:
    told = [
        run_json("predict", "--history", history, *labs[5:], "-w", folder) for history in (labs[0], f"{labs[0]},NEW")
    ]
    assert told[0] == told[1]
    assert len({one["probability"] for one in told[0]}) > 10  # of one item known, not of two
    nothing_known = "No item of a history is known to the model"
    assert nothing_known in run("recommend", "--history", "NEW", "-w", folder).stdout
    assert nothing_known not in run("recommend", "--history", f"NEW,{labs[0]}", "-w", folder).stdout


def test_whether_anybody_had_an_item(folder: Path, labs: list[str]) -> None:
    recommender = open_workspace(folder).current()
    assert [recommender.had(item_id) for item_id in (labs[0], "NEW")] == [True, False]
