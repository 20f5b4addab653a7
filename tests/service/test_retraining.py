"""Trainings that a service starts by itself keep only so many bundles; those it is asked for remove none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from foldin.recommender import Recommender
from foldin.service.jobs import Jobs
from foldin.service.live import Live
from foldin.service.retraining import Retraining
from foldin.workspace import open_workspace


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands of trainings, in whose place a process starts that ends at once."""
    started: list[list[str]] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, command: list[str], **options: Any) -> None:
            started.append(command)
            super().__init__([sys.executable, "-S", "-c", ""], **options)

    monkeypatch.setattr("foldin.service.jobs.subprocess.Popen", Recorded)
    return started


@pytest.fixture
def jobs(workspace: Path) -> Iterator[Jobs]:
    jobs = Jobs(workspace)
    yield jobs
    jobs.close()


def test_a_training_that_is_due_keeps_so_many_bundles(workspace: Path, jobs: Jobs, commands: list[list[str]]) -> None:
    opened = open_workspace(workspace)
    retraining = Retraining(opened, jobs, every=1e-6, keep=3, live=lambda: answering(str(opened.current_name())))
    assert retraining.look() is not None
    (command,) = commands
    assert command[command.index("--keep") + 1] == "3"


def test_no_bundle_is_removed_while_the_current_one_does_not_answer(
    workspace: Path, jobs: Jobs, commands: list[list[str]]
) -> None:
    retraining = Retraining(open_workspace(workspace), jobs, every=1e-6, keep=3, live=lambda: answering("0-older"))
    assert retraining.look() is not None
    assert "--keep" not in commands[0]


def answering(version: str) -> Live:
    return Live(version, cast("Recommender", None), datetime.now(UTC))


def test_a_training_that_is_asked_for_removes_no_bundle(jobs: Jobs, commands: list[list[str]]) -> None:
    jobs.start("popularity")
    assert "--keep" not in commands[0]
