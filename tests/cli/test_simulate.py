from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

import pytest

from foldin.cli import simulate
from foldin.data.readers import read, read_catalog, read_profiles
from foldin.data.synthetic import read_truth

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]

SMALL = ("--users", 60, "--items", 12)
FILES = ["events.csv", "feedback.png", "items.csv", "ratings.csv", "truth.safetensors", "users.csv"]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_it_writes_a_world_and_says_how_many_rows(run_json: RunJson, tmp_path: Path) -> None:
    folder = tmp_path / "world"
    written = run_json("simulate", folder, *SMALL)
    assert list(files(folder)) == FILES
    assert written["files"] == {
        "events.csv": len(read(folder / "events.csv")),
        "ratings.csv": len(read(folder / "ratings.csv")),
        "items.csv": len(read_catalog(folder / "items.csv")),
        "users.csv": len(read_profiles(folder / "users.csv")),
        "truth.safetensors": None,
        "feedback.png": None,
    }
    assert (written["files"]["items.csv"], written["files"]["users.csv"]) == (12, 60)
    assert read_truth(folder / "truth.safetensors").affinity.shape == (60, 12)
    assert (folder / "feedback.png").read_bytes().startswith(b"\x89PNG")


def test_the_seed_decides_the_world(run: Run, tmp_path: Path) -> None:
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        run("simulate", tmp_path / name, *SMALL, "--seed", seed)
    a, b, c = (files(tmp_path / name)["events.csv"] for name in "abc")
    assert a == b
    assert a != c


def test_it_prints_the_next_commands(run: Run, tmp_path: Path) -> None:
    said = run("simulate", tmp_path, *SMALL).stdout
    assert f"foldin inspect {tmp_path}/events.csv" in said
    assert f"foldin ingest {tmp_path}/events.csv --items {tmp_path}/items.csv --users {tmp_path}/users.csv" in said


def test_its_own_files_are_replaced_and_others_left_alone(run: Run, tmp_path: Path) -> None:
    run("simulate", tmp_path, *SMALL)
    before = files(tmp_path)
    assert run("simulate", tmp_path, *SMALL, "--seed", 1).returncode == 0
    assert files(tmp_path)["events.csv"] != before["events.csv"]
    (tmp_path / "thesis.txt").write_text("mine")
    before = files(tmp_path)
    answer = run("simulate", tmp_path, *SMALL)
    assert (answer.returncode, "thesis.txt" in answer.stderr) == (2, True)
    assert files(tmp_path) == before


def test_without_matplotlib_all_but_the_plot_is_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulate, "find_spec", lambda _: None)
    answer = run("simulate", tmp_path, *SMALL)
    assert (answer.returncode, "pip install 'foldin[plot]'" in answer.stderr) == (0, True)
    assert list(files(tmp_path)) == [name for name in FILES if name != "feedback.png"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["--users", 3], "users is 3"), (["--items", 0], "items is 0"), (["--seed", -1], "seed is -1")],
)
def test_a_number_out_of_range_is_refused(run: Run, tmp_path: Path, arguments: list[object], says: str) -> None:
    answer = run("simulate", tmp_path / "world", *arguments)
    assert (answer.returncode, says in answer.stderr) == (2, True)
    assert not (tmp_path / "world").exists()


def test_a_file_in_the_folders_place_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "world").write_text("")
    assert run("simulate", tmp_path / "world", *SMALL).returncode == 2


def test_files_of_its_names_that_are_somebodys_own_are_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("my own")
    answer = run("simulate", tmp_path, *SMALL)
    assert (answer.returncode, (tmp_path / "events.csv").read_text()) == (2, "my own")
