"""The next step that an import prints: it fits the values, and works when it is followed."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from foldin.bundle import read_manifest
from foldin.workspace import open_workspace

Run = Callable[..., subprocess.CompletedProcess[str]]

QUICK = ("--model", "ease", "--set", "l2=10")


def write_log(file: Path, values: Sequence[float] | None, *, users: int = 12) -> Path:
    """A log in which users like the items of their own parity, with these values in turn."""
    pairs = [(user, item) for user in range(users) for item in range(user % 2, 12, 2)]
    cells = [f"{values[place % len(values)]:g}" for place in range(len(pairs))] if values else None
    rows = [f"u{user},i{item}{'' if cells is None else ',' + cells[place]}" for place, (user, item) in enumerate(pairs)]
    file.write_text("\n".join([f"user,item{',value' if values else ''}", *rows, ""]))
    return file


def followed(printed: str) -> list[str]:
    """The words of the next step behind `foldin`."""
    found = re.search(r"^Next: foldin (.*)$", printed, re.MULTILINE)
    assert found is not None, printed
    return shlex.split(found[1])


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ([0, 1, 1], ["--positive-from", "1"]),
        ([-10, -7.5, 2.25, 9, 10], ["--positive-from", "2.25"]),
        ([6, 512, 890], ["--strength", "log"]),
        ([-1, *range(1, 13)], ["--positive-from", "1"]),
        ([1], []),
        (None, []),
    ],
    ids=["0/1", "-10..10", "plays", "returns", "constant", "none"],
)
def test_it_works_when_it_is_followed(
    run: Run, tmp_path: Path, values: Sequence[float] | None, options: list[str]
) -> None:
    said = run("ingest", write_log(tmp_path / "log.csv", values), "-w", tmp_path / "w").stdout
    step = followed(said)
    assert step == ["train", *options, "-w", str(tmp_path / "w")]
    done = run(*step, *QUICK)
    assert done.returncode == 0, done.stderr
    assert "1-ease is written and current" in done.stdout


def test_beside_a_model_in_use_it_is_to_train_that_again(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "my work"
    log = write_log(tmp_path / "log.csv", [1, 2, 3, 4, 5])
    assert run("train", *followed(run("ingest", log, "-w", folder).stdout)[1:], *QUICK).returncode == 0
    said = run("ingest", write_log(tmp_path / "more.csv", [2, 3], users=14), "-w", folder).stdout
    assert "The model in use, 1-ease, has not learned what is new" in said
    assert followed(said) == ["train", "--as-current", "-w", str(folder)]
    assert run(*followed(said)).returncode == 0
    assert read_manifest(folder / "bundles" / "2-ease").feedback.feedback.positive_from == 3


def test_a_rule_that_does_not_fit_what_is_new_is_not_kept(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    run("ingest", write_log(tmp_path / "log.csv", None), "-w", folder)
    assert run("train", "-w", folder, *QUICK).returncode == 0
    said = run("ingest", write_log(tmp_path / "more.csv", [1, 3, 5], users=14), "-w", folder).stdout
    assert "The model in use was trained by a rule that does not fit what is new. The values look like ratings" in said
    assert followed(said)[:3] == ["train", "--positive-from", "5"]
    assert run(*followed(said), *QUICK).returncode == 0


def test_a_first_training_as_current_takes_what_fits_and_says_so(run: Run, tmp_path: Path) -> None:
    run("ingest", write_log(tmp_path / "log.csv", [6, 512, 890]), "-w", tmp_path / "w")
    done = run("train", "--as-current", "-w", tmp_path / "w", *QUICK)
    assert "Note: the values look like amounts (6 to 890): with --strength log" in done.stdout
    assert open_workspace(tmp_path / "w").current().rule.feedback.strength == "log"


def test_a_rule_that_leaves_nothing_keeps_the_model_in_use(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    run("ingest", write_log(tmp_path / "log.csv", [0, 1, 2]), "-w", folder)
    assert run("train", "--positive-from", "2", "-w", folder, *QUICK).returncode == 0
    for command in (("train", *QUICK), ("compare", "--models", "popularity")):
        refused = run(*command, "--positive-from", "4", "-w", folder)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "no rating of the log reaches 4 (positive_from / --positive-from): they go from 0 to 2" in refused.stderr
    assert open_workspace(folder).current_name() == "1-ease"


def test_without_events_it_is_to_take_some_in(run: Run, tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("user,role\na,x\n")
    assert followed(run("ingest", "--users", tmp_path / "users.csv", "-w", tmp_path / "w").stdout)[0] == "ingest"
