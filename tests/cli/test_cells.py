"""Comparing by history length and by segments from the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from foldin.cli.cells import _default, format_chance
from foldin.cli.table_columns import WIDTH, split_columns
from foldin.data.readers import read, read_profiles
from foldin.store.contract import Batch
from foldin.workspace import create_workspace

Run = Callable[..., subprocess.CompletedProcess[str]]

FAST = ("--models", "popularity,edlae,ease")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def events(world: Path) -> tuple[object, ...]:
    return "compare", world / "events.csv", *FAST


def test_a_table_a_line_per_length_and_a_drawing(run: Run, events: tuple[object, ...], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run(*events, "--by-history-length", "--plot", "lengths.png")
    assert done.returncode == 0, done.stderr
    shown = [line.split() for line in done.stdout.splitlines() if line.startswith(("    0 ", "    1 ", "  all "))]
    # a table for each metric, and two of differences, as one would be too wide
    assert [line[0] for line in shown] == ["0", "1", "all"] * 4
    assert all(len(line) == 2 + 5 * 3 for line in shown[:3])  # length, users, and mean ± error of five contenders
    assert max(map(len, done.stdout.splitlines())) <= WIDTH
    assert "NDCG@10, edlae less another" in done.stdout
    assert "by Holm's method" in done.stdout
    assert "Drawn to lengths.png" in done.stdout
    assert (tmp_path / "lengths.png").read_bytes().startswith(b"\x89PNG")


def test_all_of_it_is_in_the_report(run_json: Callable[..., Any], events: tuple[object, ...], world: Path) -> None:
    told = run_json(
        *events, "--by-history-length", "--segments", "experience", "--users", world / "users.csv", "--plot", "a.svg"
    )
    apart = told["apart"]
    assert (apart["by_history_length"], apart["attribute"], apart["default"]) == (True, "experience", "edlae")
    assert apart["plot"] == "a.svg"
    cells = {(cell["history_length"], cell["segment"]): cell for cell in apart["cells"]}
    assert {length for length, _ in cells} >= {0, 1, 2, 3, 5, None}
    assert len({segment for _, segment in cells}) > 2
    assert cells[0, None]["users"] == told["test_users"]
    parts = [cell["users"] for (length, segment), cell in cells.items() if length == 0 and segment is not None]
    assert sum(parts) == told["test_users"]
    whole = cells[None, None]["contenders"]["ease"]["ndcg@10"]
    assert whole == told["ranking"]["contenders"]["ease"]["metrics"]["ndcg@10"]
    alone = cells[0, None]["contenders"]["ease alone"]["ndcg@10"]["mean"]
    assert alone < cells[0, None]["contenders"]["ease"]["ndcg@10"]["mean"]  # who has nothing gets the prior
    gap = cells[1, None]["differences"]["edlae - popularity"]["ndcg@100"]
    assert gap["p_value"] <= gap["adjusted_p_value"] <= 1


def test_nothing_is_taken_apart_unless_asked(run_json: Callable[..., Any], events: tuple[object, ...]) -> None:
    assert run_json(*events)["apart"] is None


def test_segments_alone_are_of_whole_histories_and_no_file_is_written(
    run: Run, events: tuple[object, ...], world: Path, tmp_path: Path
) -> None:
    done = run(*events, "--segments", "experience", "--users", world / "users.csv")
    assert list(tmp_path.iterdir()) == []
    assert done.returncode == 0, done.stderr
    assert "NDCG@10 by experience" in done.stdout
    assert "(everybody)" in done.stdout
    assert "shown" not in done.stdout


def test_the_profiles_of_a_workspace_are_those_of_its_store(run: Run, world: Path, tmp_path: Path) -> None:
    with create_workspace(tmp_path / "w").store(create=True) as store:
        profiles = read_profiles(world / "users.csv")
        store.ingest([Batch(read(world / "events.csv"), "events.csv")], profiles=profiles)
    done = run("compare", "-w", tmp_path / "w", *FAST, "--segments", "experience")
    assert done.returncode == 0, done.stderr
    assert "(everybody)" in done.stdout
    refused = run("compare", "-w", tmp_path / "w", *FAST, "--users", world / "users.csv")
    assert (refused.returncode, "--users: a workspace's store has profiles" in refused.stderr) == (2, True)


def test_ratings_left_out_are_to_be_found_only_if_liked(run_json: Callable[..., Any], world: Path) -> None:
    rated = ("compare", world / "ratings.csv", *FAST, "--by-history-length", "--plot", "a.png")
    told = run_json(*rated, "--feedback", "explicit", "--positive-from", "4")
    users = [cell["users"] for cell in told["apart"]["cells"]]
    assert users[0] >= told["test_users"]  # who liked no withheld item may have liked a shown one
    assert users == sorted(users[:-1], reverse=True) + users[-1:]


def test_ids_in_columns_of_other_names(run: Run, events: tuple[object, ...], world: Path, tmp_path: Path) -> None:
    lines = (world / "events.csv").read_text().splitlines()[1:]
    (tmp_path / "log.csv").write_text("wer,was,wie,wann\n" + "\n".join(lines) + "\n")
    columns = ("--user", "wer", "--item", "was", "--kind", "wie", "--time", "wann")
    tables = ("--users", world / "users.csv", "--items", world / "items.csv")
    done = run("compare", tmp_path / "log.csv", *FAST, *columns, *tables, "--segments", "experience")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--segments", "role"), "--segments role needs the users' profiles: give --users FILE"),
        (("--plot", "a.png"), "--plot draws what --by-history-length or --segments finds"),
        (("--by-history-length", "--plot", "a.gif"), "give a file that ends in .png"),
        (("--by-history-length", "--plot", "missing/a.png"), "in a folder that is there"),
    ],
)
def test_what_cannot_be_is_said_before_any_reading(run: Run, wrong: tuple[str, ...], said: str) -> None:
    pytest.importorskip("matplotlib")
    # the log is not there: had it been read, that would be said
    refused = run("compare", "no.csv", *FAST, *wrong)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert said in refused.stderr


def test_an_attribute_that_is_not_there_lists_those_that_are(run: Run, events: tuple[object, ...], world: Path) -> None:
    refused = run(*events, "--segments", "shoe size", "--users", world / "users.csv")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "no attribute 'shoe size' in the profiles; there are: role" in refused.stderr


def test_without_matplotlib_a_drawing_says_how_to_get_it(
    run: Run, events: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    refused = run(*events, "--by-history-length", "--plot", "a.png")
    assert (refused.returncode, "pip install 'foldin[plot]'" in refused.stderr) == (2, True)


def test_the_default_is_no_model_without_its_prior() -> None:
    assert _default(["popularity", "edlae", "edlae alone", "ease", "ease alone"]) == "edlae"
    assert _default(["popularity", "ease", "ease alone"]) == "ease"


def test_columns_that_do_not_fit_make_another_table() -> None:
    columns = {name: ["x" * 30] for name in "abcde"}
    assert list(split_columns(columns, 80)) == [["a", "b"], ["c", "d"], ["e"]]
    assert list(split_columns(columns, 10)) == [["a"], ["b"], ["c"], ["d"], ["e"]]


def test_p_values_as_papers_print_them() -> None:
    assert [format_chance(p) for p in (0.0, 0.0004, 0.0123, 0.25, 1.0)] == ["<.001", "<.001", " .012", " .250", "1.000"]
    assert format_chance(float("nan")) == ""
