from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

import pexpect
import pytest

from foldin.data.catalog import ids_of
from foldin.data.interactions import Interactions
from foldin.data.profiles import Profiles
from foldin.store.contract import Batch, Impression
from foldin.workspace import Workspace, create_workspace

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]


@pytest.fixture
def workspace(tmp_path: Path, log_of: Callable[..., Interactions]) -> Workspace:
    made = create_workspace(tmp_path / "w")
    log = log_of([("ann", "a"), ("nle", "a"), ("nle", "b"), ("nle", "c")])
    with made.store(create=True) as store:
        store.ingest([Batch(log, "log.csv")], profiles=Profiles(ids_of(["ann"])))
    return made


def events_of(workspace: Workspace, user_id: str) -> int:
    with workspace.store() as store:
        return len(store.history(user_id)) if user_id in store.user_ids() else 0


def test_it_erases_and_says_so(run: Run, workspace: Workspace) -> None:
    answer = run("forget", "nle", "--yes", "-w", workspace.folder)
    assert answer.stdout.startswith("Erased of nle: 3 interactions and no profile\n")
    assert f"replaced at the next `foldin train -w {workspace.folder}`\n" in answer.stdout
    assert events_of(workspace, "nle") == 0
    answer = run("forget", "nle", "--yes", "-w", workspace.folder)
    assert (answer.returncode, answer.stdout.startswith("Nothing was erased: the store has no user 'nle'")) == (0, True)
    assert "foldin train" not in answer.stdout


def test_what_a_stranger_was_shown_is_erased_too(run: Run, run_json: RunJson, workspace: Workspace) -> None:
    with workspace.store() as store:
        store.show([Impression(f"r{number}", f"u{number % 2}", "1-ease", 0, ("a",)) for number in range(4)])
    answer = run("forget", "u0", "--yes", "-w", workspace.folder)
    assert answer.stdout.startswith("Erased of u0: 0 interactions and no profile, and 2 recommendations shown\n")
    assert run_json("forget", "u1", "--yes", "-w", workspace.folder)["impressions"] == 2


def test_what_comes_later_is_left_out_until_it_is_lifted(
    run: Run, run_json: RunJson, workspace: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "later.csv"
    file.write_text("user,item\nnle,a\n")
    run("forget", "nle", "--yes", "-w", workspace.folder)
    run("ingest", file, "-w", workspace.folder)
    assert events_of(workspace, "nle") == 0
    assert "taken in again" in run("forget", "nle", "--lift", "-w", workspace.folder).stdout
    assert "was not forgotten" in run("forget", "nle", "--lift", "-w", workspace.folder).stdout
    assert run_json("forget", "nle", "--lift", "-w", workspace.folder) == {"user": "nle", "lifted": False}
    (tmp_path / "again.csv").write_text("user,item\nnle,b\n")
    run("ingest", tmp_path / "again.csv", "-w", workspace.folder)
    assert events_of(workspace, "nle") == 1


@pytest.mark.parametrize("ids", [True, False])
def test_what_was_erased_comes_back_as_the_command_says(run: Run, run_json: RunJson, tmp_path: Path, ids: bool) -> None:
    log, alone, folder = tmp_path / "log.csv", tmp_path / "nle.csv", tmp_path / "w"
    head, rows = ("user,item,event_id", ["ann,a,e1", "nle,a,e2"]) if ids else ("user,item", ["ann,a", "nle,a"])
    log.write_text("\n".join([head, *rows]) + "\n")
    alone.write_text("\n".join([head, rows[1]]) + "\n")
    run("ingest", log, "-w", folder)
    run("forget", "nle", "--yes", "-w", folder)
    said = run("forget", "nle", "--lift", "-w", folder).stdout
    assert "without event ids that was taken in before stays left out: take in a file of this user's rows alone" in said
    assert run_json("ingest", log, "-w", folder)["store"]["events"] == (2 if ids else 1)
    assert run_json("ingest", alone, "-w", folder)["store"]["events"] == 2


def test_checkpoints_that_may_hold_the_user_go_too(run: Run, workspace: Workspace) -> None:
    workspace.checkpoints.mkdir()
    (workspace.checkpoints / "final.safetensors").write_bytes(b"of an interrupted training")
    run("forget", "zoe", "--yes", "-w", workspace.folder)
    assert workspace.checkpoints.exists()  # nobody learned from zoe
    run("forget", "nle", "--yes", "-w", workspace.folder)
    assert not workspace.checkpoints.exists()


def test_files_of_rows_set_aside_that_name_the_user_are_told(
    run: Run, run_json: RunJson, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "log.csv"
    for text, options in (
        ("nle,\nbob,x\n", ()),
        ("bob,\nbob,x\n", ()),
        ('"nle",\nbob,x\n', ("--rejected", "mine.csv")),
        ('"a ""b"" c",\nbob,x\n', ("--rejected", "other.csv")),
    ):
        log.write_text(f"user,item\n{text}")
        assert run("ingest", log, "--skip-bad", *options, "-w", workspace.folder).returncode == 0
    said = run("forget", "nle", "--yes", "-w", workspace.folder).stdout
    assert f"{workspace.folder / 'rejected-1.csv'} has rows set aside by an import that name this user" in said
    assert "mine.csv has rows set aside" in said
    assert said.count("rows set aside") == 2
    assert run_json("forget", 'a "b" c', "--yes", "-w", workspace.folder)["rejected_files"] == ["other.csv"]
    assert run_json("forget", "zoe", "--yes", "-w", workspace.folder)["rejected_files"] == []


def test_json_has_what_was_erased(run_json: RunJson, workspace: Workspace) -> None:
    erased = [run_json("forget", user, "--yes", "-w", workspace.folder) for user in ("nle", "ann")]
    assert [(one["user"], one["events"], one["profile"]) for one in erased] == [("nle", 3, False), ("ann", 1, True)]


def test_an_id_is_taken_as_an_import_takes_it(run: Run, workspace: Workspace, tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "renée") for form in ("NFC", "NFD"))
    file = tmp_path / "log.csv"
    file.write_text(f"user,item\n{composed},a\n")
    run("ingest", file, "-w", workspace.folder)
    answer = run("forget", decomposed, "--yes", "-w", workspace.folder)
    assert answer.stdout.startswith(f"Erased of {composed}: 1 interaction and no profile\n")
    assert events_of(workspace, composed) == 0
    assert "is taken in again" in run("forget", decomposed, "--lift", "-w", workspace.folder).stdout


@pytest.mark.parametrize("options", [["--yes"], ["--lift"]])
def test_an_id_that_no_import_takes_is_refused(run: Run, workspace: Workspace, options: list[str]) -> None:
    answer = run("forget", "nl\te", *options, "-w", workspace.folder)
    assert (answer.returncode, "holds an invisible character" in answer.stderr) == (3, True)
    assert events_of(workspace, "nle") == 3


def test_without_yes_nothing_is_erased_but_by_a_person(run: Run, workspace: Workspace) -> None:
    answer = run("forget", "nle", "-w", workspace.folder)
    assert (answer.returncode, "say --yes" in answer.stderr) == (2, True)
    for reply, left in (("n", True), ("y", False)):
        words = ["-m", "foldin", "forget", "nle", "-w", str(workspace.folder)]
        terminal = pexpect.spawn(sys.executable, words, timeout=60)
        terminal.expect("cannot be undone")
        terminal.sendline(reply)
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert (events_of(workspace, "nle") > 0) is left


def test_no_store_and_no_such_id(run: Run, tmp_path: Path, workspace: Workspace) -> None:
    assert run("forget", "nle", "--yes", "-w", tmp_path / "none").returncode == 4
    assert run("forget", "lone\udcff", "--yes", "-w", workspace.folder).returncode == 3
