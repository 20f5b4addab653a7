"""Bundles are removed by name or number, and by trainings that keep only so many."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

import pytest

from foldin.audit import FILE
from foldin.errors import WorkspaceError
from foldin.service.settings import Settings
from foldin.workspace import Workspace, open_workspace

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]

TRAIN = ("train", "--model", "popularity")


def names(folder: Path) -> list[str]:
    return [bundle.name for bundle in open_workspace(folder).bundles()]


def audited_removals(folder: Path) -> list[tuple[str, str, str]]:
    lines = [json.loads(line) for line in (folder / FILE).read_text(encoding="utf-8").splitlines()]
    return [(line["by"], line["model"], line["outcome"]) for line in lines if line["action"] == "remove"]


@pytest.fixture
def four(run: Run, several: Path) -> Path:
    """A workspace of four bundles, the last of them in use."""
    for _ in range(2):
        assert run(*TRAIN, "-w", several).returncode == 0
    return several


def test_bundles_are_removed_by_number_and_name(run: Run, four: Path) -> None:
    answer = run("models", "remove", 1, "2-autoencoder", 1, "-w", four)
    assert (answer.returncode, answer.stdout) == (0, "1-edlae is removed\n2-autoencoder is removed\n")
    assert names(four) == ["3-popularity", "4-popularity"]
    assert audited_removals(four) == [("command line", name, "done") for name in ("1-edlae", "2-autoencoder")]


def test_the_names_of_removed_bundles_as_json(run_json: RunJson, several: Path) -> None:
    assert run_json("models", "-w", several, "remove", 1) == {"removed": ["1-edlae"]}
    assert names(several) == ["2-autoencoder"]


def test_the_bundle_in_use_and_an_unknown_one_are_refused(run: Run, several: Path) -> None:
    answer = run("models", "remove", 2, "-w", several)
    assert (answer.returncode, "2-autoencoder is in use: take another" in answer.stderr) == (2, True)
    answer = run("models", "remove", 9, 1, "-w", several)
    assert (answer.returncode, "no bundle '9'; there are: 1-edlae, 2-autoencoder" in answer.stderr) == (4, True)
    assert names(several) == ["1-edlae", "2-autoencoder"]
    assert audited_removals(several) == [("command line", "2", "failed"), ("command line", "9", "failed")]


def test_a_training_keeps_the_newest_bundles(run: Run, four: Path) -> None:
    lines = run(*TRAIN, "--keep", 3, "-w", four).stdout.splitlines()
    assert [line for line in lines if "removed" in line] == [
        f"{name} is removed, as --keep asks" for name in ("1-edlae", "2-autoencoder")
    ]
    assert names(four) == ["3-popularity", "4-popularity", "5-popularity"]
    assert audited_removals(four) == [("command line", name, "done") for name in ("1-edlae", "2-autoencoder")]
    assert run("models", "rollback", "-w", four).stdout == "4-popularity is in use\n"


def test_a_training_keeps_the_bundle_that_was_in_use_until_then(run: Run, run_json: RunJson, four: Path) -> None:
    run("models", "use", 1, "-w", four)
    assert run_json(*TRAIN, "--keep", 2, "-w", four)["removed"] == ["2-autoencoder", "3-popularity"]
    assert names(four) == ["1-edlae", "4-popularity", "5-popularity"]


def test_without_keep_a_training_removes_none(run: Run, four: Path) -> None:
    run(*TRAIN, "-w", four)
    assert len(names(four)) == 5


def test_a_training_whose_old_bundles_cannot_be_removed_succeeds(
    run: Run, four: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise WorkspaceError("the disk is read-only")

    monkeypatch.setattr(Workspace, "remove", fail)
    answer = run(*TRAIN, "--keep", 4, "-w", four)
    assert (answer.returncode, answer.stderr) == (0, "note: 1-edlae is not removed: the disk is read-only\n")
    assert audited_removals(four) == [("command line", "1-edlae", "failed")]
    assert len(names(four)) == 5


def test_fewer_than_two_bundles_are_not_kept(run: Run, several: Path) -> None:
    assert run(*TRAIN, "--keep", 1, "-w", several).returncode == 2
    assert len(names(several)) == 2


def test_keep_without_retrain_is_refused(run: Run, several: Path) -> None:
    answer = run("serve", "--keep", 3, "-w", several)
    assert (answer.returncode, "--keep is for --retrain" in answer.stderr) == (2, True)


@pytest.mark.parametrize(("options", "keep"), [([], 5), (["--keep", 3], 3)])
def test_trainings_of_a_service_keep_five_bundles_or_as_many_as_asked_for(
    run: Run, several: Path, monkeypatch: pytest.MonkeyPatch, options: list[object], keep: int
) -> None:
    served: list[Settings] = []
    monkeypatch.setattr("foldin.cli.serve.serve_page", lambda settings, *_: served.append(settings))
    assert run("serve", "--port", 0, "--retrain", "6h", *options, "-w", several).returncode == 0
    assert [settings.keep for settings in served] == [keep]
