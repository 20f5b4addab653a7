from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

import pytest

from foldin.workspace import create_workspace, open_workspace
from tests.faults.small_disk import SmallDisk

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]


def current(folder: Path) -> list[int]:
    return [bundle.number for bundle in open_workspace(folder).bundles() if bundle.current]


def test_the_list_has_every_bundle_and_marks_the_current_one(run: Run, several: Path) -> None:
    lines = run("models", "-w", several).stdout.splitlines()
    (first,) = (line for line in lines if "1-edlae" in line)
    (second,) = (line for line in lines if "2-autoencoder" in line)
    assert (first.startswith("*"), second.startswith("*")) == (False, True)
    figures = open_workspace(several).bundles()[0].manifest
    assert figures is not None
    assert figures.report is not None
    assert figures.report.figures is not None
    popularity, _, own = figures.report.figures.test
    for metric in ("ndcg@10", "recall@10"):
        assert f"{own.means[metric]:.3f} ({popularity.means[metric]:.3f})" in first


def test_json_has_the_whole_report(run_json: RunJson, several: Path) -> None:
    first, second = run_json("models", "-w", several)
    assert (first["number"], first["model"], first["current"], first["damage"]) == (1, "edlae", False, None)
    assert first["settings"] == {"l2": 100.0, "dropout": 0.25}
    assert {row["contender"] for row in first["report"]["figures"]["test"]} == {"popularity", "edlae alone", "edlae"}
    assert (second["number"], second["current"], second["report"]) == (2, True, None)


@pytest.mark.parametrize("version", ["1", "1-edlae"])
def test_use_takes_a_number_or_a_name(run: Run, several: Path, version: str) -> None:
    assert run("models", "use", version, "-w", several).stdout == "1-edlae is in use\n"
    assert current(several) == [1]


def test_where_the_disk_is_full_a_model_is_taken_into_use_all_the_same(
    run: Run, several: Path, disk: SmallDisk
) -> None:
    folder = shutil.copytree(several, disk.folder / "w")
    with disk.full():
        answer = run("models", "use", 1, "-w", folder)
    assert (answer.returncode, answer.stdout) == (0, "1-edlae is in use\n")
    assert current(folder) == [1]


def test_where_the_disk_is_read_only_it_says_which_and_what_to_do(run: Run, several: Path, disk: SmallDisk) -> None:
    folder = shutil.copytree(several, disk.folder / "w")
    with disk.read_only():
        answer = run("models", "use", 1, "-w", folder)
    assert answer.returncode == 5
    assert "current cannot be used: Read-only file system; make the workspace readable" in " ".join(
        answer.stderr.split()
    )
    assert current(folder) == [2]


def test_the_workspace_may_stand_before_the_subcommand(run: Run, several: Path) -> None:
    assert run("models", "-w", several, "use", 1).returncode == 0
    assert current(several) == [1]
    run("models", "use", 2, "-w", several)
    assert run("models", "-w", several, "rollback").returncode == 0
    assert current(several) == [1]


def test_rollback_takes_the_one_before_and_there_it_ends(run: Run, several: Path) -> None:
    assert run("models", "rollback", "-w", several).stdout == "1-edlae is in use\n"
    answer = run("models", "rollback", "-w", several)
    assert (answer.returncode, "no bundle is older than the current one, 1-edlae" in answer.stderr) == (4, True)
    assert current(several) == [1]


def test_another_model_answers_after_use(run: Run, run_json: RunJson, several: Path) -> None:
    network = run_json("recommend", "nle", "-w", several)
    run("models", "use", 1, "-w", several)
    assert run_json("recommend", "nle", "-w", several) != network


def flipped(folder: Path) -> None:
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "model.safetensors").write_bytes(content)


def truncated(folder: Path) -> None:
    (folder / "catalog.json").write_bytes((folder / "catalog.json").read_bytes()[:-1])


def without_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


@pytest.mark.parametrize("damage", [flipped, truncated, without_manifest])
def test_a_damaged_bundle_is_listed_as_damaged_and_not_taken_into_use(
    run: Run, run_json: RunJson, several: Path, damage: Callable[[Path], None]
) -> None:
    damage(several / "bundles" / "1-edlae")
    first, second = run_json("models", "-w", several)
    assert "1-edlae" in first["damage"]
    assert second["damage"] is None
    assert "1-edlae is damaged" in run("models", "-w", several).stdout
    answer = run("models", "use", 1, "-w", several)
    assert (answer.returncode, answer.stderr.count("\n")) == (5, 1)
    assert current(several) == [2]


def test_a_current_bundle_that_is_gone_does_not_break_the_list(run: Run, run_json: RunJson, several: Path) -> None:
    shutil.rmtree(several / "bundles" / "2-autoencoder")
    assert [one["current"] for one in run_json("models", "-w", several)] == [False]
    assert run("recommend", "nle", "-w", several).returncode == 5
    run("models", "use", 1, "-w", several)
    assert run("recommend", "nle", "-w", several).returncode == 0


def test_no_models_yet_and_no_such_model(run: Run, run_json: RunJson, several: Path, tmp_path: Path) -> None:
    create_workspace(tmp_path / "new")
    assert "foldin train" in run("models", "-w", tmp_path / "new").stdout
    assert run_json("models", "-w", tmp_path / "new") == []
    answer = run("models", "use", 7, "-w", several)
    assert (answer.returncode, "1-edlae, 2-autoencoder" in answer.stderr) == (4, True)


def test_json_names_the_bundle_now_in_use(run_json: RunJson, several: Path) -> None:
    assert run_json("models", "use", 1, "-w", several) == {"number": 1, "name": "1-edlae"}
    assert run_json("models", "use", 2, "-w", several) == {"number": 2, "name": "2-autoencoder"}
    assert run_json("models", "rollback", "-w", several) == {"number": 1, "name": "1-edlae"}
