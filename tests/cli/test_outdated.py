"""Models that learned from a user who is forgotten: shown as such, not taken into use again, replaced by the next."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

import pytest

from foldin.data.interactions import Interactions
from foldin.data.readers import read
from foldin.fitting import fit
from foldin.models.popularity import Popularity
from foldin.recommender import Recommender
from foldin.store.contract import Batch
from foldin.workspace import Workspace, create_workspace, open_workspace

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]
TRAIN = ("train", "--model", "popularity")


@pytest.fixture(scope="module")
def outdated(log_of: Callable[..., Interactions], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of two models, both of which learned from a user forgotten since. Not to be written to: copy it."""
    workspace = create_workspace(tmp_path_factory.mktemp("outdated") / "w")
    with workspace.store(create=True) as store:
        store.ingest(
            [Batch(log_of([(f"u{user}", f"i{(user + item) % 9}") for user in range(40) for item in range(5)]), "log")]
        )
        stored = store.snapshot()
        recommender = fit(stored.interactions, estimator=Popularity())
        for _ in range(2):
            workspace.publish(replace(recommender, data_position=stored.position))
        assert store.forget("u7").events
    return workspace.folder


@pytest.fixture
def folder(outdated: Path, tmp_path: Path) -> Path:
    shutil.copytree(outdated, tmp_path / "w")
    return tmp_path / "w"


def names(folder: Path) -> list[str]:
    return [bundle.name for bundle in open_workspace(folder).bundles()]


def test_the_list_tells_who_learned_from_whom(run: Run, run_json: RunJson, folder: Path) -> None:
    lines = run("models", "-w", folder).stdout.splitlines()
    assert lines[-1] == "2-popularity learned from 1 user since forgotten: train again"
    run("forget", "u8", "--yes", "-w", folder)
    assert "1-popularity learned from 2 users since forgotten" in run("models", "-w", folder).stdout
    assert [one["forgotten"] for one in run_json("models", "-w", folder)] == [2, 2]


@pytest.mark.parametrize("words", [("use", "1"), ("rollback",)])
def test_one_that_learned_from_the_forgotten_is_not_taken_into_use(
    run: Run, folder: Path, words: tuple[str, ...]
) -> None:
    answer = run("models", *words, "-w", folder)
    assert (answer.returncode, "forgotten since: train another with `foldin train -w " in answer.stderr) == (5, True)
    assert [bundle.current for bundle in open_workspace(folder).bundles()] == [False, True]


def test_training_removes_them_and_says_so(run: Run, folder: Path) -> None:
    lines = run(*TRAIN, "-w", folder).stdout.splitlines()
    removed = [line.split()[0] for line in lines if "is removed: it learned from users who have been forgotten" in line]
    assert removed == ["1-popularity", "2-popularity"]
    assert names(folder) == ["3-popularity"]
    assert "forgotten" not in run("models", "-w", folder).stdout


def test_json_names_what_was_removed(run_json: RunJson, folder: Path) -> None:
    assert run_json(*TRAIN, "-w", folder)["removed"] == ["1-popularity", "2-popularity"]
    assert run_json(*TRAIN, "-w", folder)["removed"] == []
    assert names(folder) == ["3-popularity", "4-popularity"]


@pytest.fixture
def trainable(world: Path, tmp_path: Path) -> Workspace:
    workspace = create_workspace(tmp_path / "w")
    with workspace.store(create=True) as store:
        store.ingest([Batch(read(world / "events.csv"), "made")])
    return workspace


@contextmanager
def nle_forgotten_meanwhile(workspace: Workspace) -> Iterator[None]:
    """Forgets `nle` through another connection once a training has read the store, and before it learns."""

    def forget_and_fit(*arguments: Any, **options: Any) -> Recommender:
        with workspace.store() as store:
            assert store.forget("nle").events
        return fit(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("foldin.fitting.fit", forget_and_fit)
        yield


@pytest.mark.parametrize("form", ["lines", "json"])
def test_the_first_training_says_who_was_forgotten_while_it_lasted(run: Run, trainable: Workspace, form: str) -> None:
    with nle_forgotten_meanwhile(trainable):
        trained = run(*TRAIN, "-w", trainable.folder, *["--json"][form != "json" :])
    assert trained.returncode == 0
    if form == "json":
        assert json.loads(trained.stdout)["forgotten"] == 1
    else:
        said = "1-popularity learned from 1 user forgotten while it was trained: train again"
        assert said in trained.stdout.splitlines()
    assert [bundle.forgotten for bundle in trainable.bundles()] == [1]


def test_a_later_training_in_which_somebody_was_forgotten_changes_nothing(run: Run, trainable: Workspace) -> None:
    assert run(*TRAIN, "-w", trainable.folder).returncode == 0
    with nle_forgotten_meanwhile(trainable):
        trained = run(*TRAIN, "-w", trainable.folder)
    assert trained.returncode == 1
    assert "not taken into use but removed, and 1-popularity stays; train again" in trained.stderr
    assert (names(trainable.folder), trainable.current_name()) == (["1-popularity"], "1-popularity")
    assert run(*TRAIN, "-w", trainable.folder).returncode == 0
    assert [(bundle.name, bundle.forgotten) for bundle in trainable.bundles()] == [("2-popularity", 0)]


def test_training_says_nothing_of_the_forgotten_where_there_are_none(run: Run, run_json: RunJson, folder: Path) -> None:
    assert "while it was trained" not in run(*TRAIN, "-w", folder).stdout
    assert run_json(*TRAIN, "-w", folder)["forgotten"] == 0


def test_a_workspace_without_a_store_lists_its_models_all_the_same(run_json: RunJson, folder: Path) -> None:
    (folder / "store.sqlite").unlink()
    assert [one["forgotten"] for one in run_json("models", "-w", folder)] == [0, 0]
    assert run_json("models", "use", 1, "-w", folder)["name"] == "1-popularity"
