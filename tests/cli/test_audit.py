"""What is done from the command line is written down as what keys do is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

from foldin.audit import FILE

OLDEST = "no bundle is older than the current one, 1-edlae: take another into use by its name"

Run: TypeAlias = Callable[..., CompletedProcess[str]]


def told(workspace: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (workspace / FILE).read_text(encoding="utf-8").splitlines()]
    assert {line.pop("by") for line in lines} == {"command line"}
    return [{name: value for name, value in line.items() if name != "time"} for line in lines]


def test_keys_that_are_made_and_revoked(run: Run, several: Path) -> None:
    secret = run("keys", "create", "shop", "--scope", "read", "--scope", "events", "-w", several).stdout.strip()
    assert run("keys", "create", "shop", "-w", several).returncode == 2
    assert run("keys", "revoke", "shop", "-w", several).returncode == 0
    assert run("keys", "revoke", "shop", "-w", several).returncode == 4
    made, taken, revoked, unknown = told(several)
    assert made == {"action": "create key", "key": "shop", "scopes": ["read", "events"], "outcome": "done"}
    assert (taken["action"], taken["outcome"]) == ("create key", "failed")
    assert revoked == {"action": "revoke key", "key": "shop", "outcome": "done"}
    assert (unknown["outcome"], unknown["reason"]) == ("failed", "no key 'shop'; there are: none")
    assert secret
    assert secret not in (several / FILE).read_text(encoding="utf-8")


def test_models_that_are_taken_into_use(run: Run, several: Path) -> None:
    codes = [run("models", *words, "-w", several).returncode for words in (["rollback"], ["rollback"], ["use", 2])]
    assert codes == [0, 4, 0]
    assert told(several) == [
        {"action": "roll back", "model": "1-edlae", "outcome": "done"},
        {"action": "roll back", "outcome": "failed", "reason": OLDEST},
        {"action": "use", "model": "2-autoencoder", "outcome": "done"},
    ]


def test_trainings_and_what_they_left_out(run: Run, several: Path) -> None:
    assert run("train", "--model", "ease", "--without", "events.csv", "-w", several).returncode == 0
    assert run("train", "--without", "nowhere", "-w", several).returncode == 4
    done, refused = told(several)
    # of no events at all nothing else can be made
    assert done == {"action": "train", "model": "3-popularity", "without": ["events.csv"], "outcome": "done"}
    assert (refused["outcome"], refused["reason"][:19]) == ("failed", "no source 'nowhere'")


def test_users_who_are_forgotten_and_taken_in_again_are_not_named(run: Run, several: Path) -> None:
    for options in (["--yes"], ["--lift"]):
        assert run("forget", "nle", *options, "-w", several).returncode == 0
    forgotten, lifted = told(several)
    assert forgotten.pop("events") > 0
    assert forgotten == {"action": "forget", "profile": True, "impressions": 0, "outcome": "done"}
    assert lifted == {"action": "lift", "lifted": True, "outcome": "done"}
    assert "nle" not in (several / FILE).read_text(encoding="utf-8")


def test_where_no_line_can_be_written_it_is_done_and_said(several: Path) -> None:
    (several / FILE).mkdir()
    command = [sys.executable, "-m", "foldin", "models", "use", "1", "-w", str(several)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1-edlae is in use\n")
    assert f"{FILE} cannot be written (Is a directory), and lacks: {{" in done.stderr
