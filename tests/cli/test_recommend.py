from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

import duckdb
import pexpect
import pytest

from foldin.workspace import open_workspace

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]


def test_a_users_ranking_is_that_of_the_recommender(run_json: RunJson, trained: Path) -> None:
    workspace = open_workspace(trained)
    with workspace.store() as store:
        history = store.history("nle")
    expected = [one.item_id for one in workspace.current().recommend(history, k=5)]
    answer = run_json("recommend", "nle", "-k", 5, "-w", trained)
    assert [one["item_id"] for one in answer] == expected
    assert not set(expected) & set(history.item_ids)


def test_the_table_has_titles_and_probabilities(run: Run, run_json: RunJson, trained: Path) -> None:
    catalog = open_workspace(trained).current().catalog
    answer = run("recommend", "nle", "-w", trained)
    found = run_json("recommend", "nle", "-w", trained)
    assert answer.returncode == 0
    for one in found:
        assert one["item_id"] in answer.stdout
        assert catalog.title(int(catalog.indices([one["item_id"]])[0])) in answer.stdout
        assert 0 < one["probability"] < 1
        assert f"{one['probability']:.1%}" in answer.stdout
    assert len(found) == 10


def test_a_typed_history_needs_no_user(run_json: RunJson, trained: Path, labs: list[str]) -> None:
    answer = run_json("recommend", "--history", f"{labs[0]}, {labs[1]}", "-w", trained)
    assert not {labs[0], labs[1]} & {one["item_id"] for one in answer}
    assert {one["basis"] for one in answer} == {"history"}


def test_a_note_names_the_unknown_items_of_a_typed_history(run: Run, trained: Path, labs: list[str]) -> None:
    answer = run("recommend", "--history", f"{labs[0]},nowhere", "-w", trained)
    assert answer.stderr == "note: unknown to the model and passed over: nowhere\n"


def test_an_unknown_history_gets_what_most_choose(run: Run, run_json: RunJson, trained: Path) -> None:
    found = run_json("recommend", "--history", "x", "-w", trained)
    assert {(one["basis"], one["probability"]) for one in found} == {("popularity", None)}
    assert "what most people choose" in run("recommend", "--history", "x", "-w", trained).stdout


def test_who_has_seen_everything_gets_an_empty_list(
    run: Run, run_json: RunJson, trained: Path, labs: list[str]
) -> None:
    assert run_json("recommend", "--history", ",".join(labs), "-w", trained) == []
    assert "nothing is left" in run("recommend", "--history", ",".join(labs), "-w", trained).stdout
    assert len(run_json("recommend", "--history", ",".join(labs), "--seen", "-w", trained)) == 10


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_everybodys_rankings_are_written(run_json: RunJson, trained: Path, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"all{ending}"
    answer = run_json("recommend", "--all", "-o", file, "-k", 3, "-w", trained)
    [(count,)] = duckdb.execute(f"SELECT count(*) FROM '{file}'").fetchall()
    assert answer == {"file": str(file), "users": 297, "recommendations": count}
    one = run_json("recommend", "nle", "-k", 3, "-w", trained)
    rows = duckdb.execute(f"""SELECT item FROM '{file}' WHERE "user" = 'nle' ORDER BY rank""").fetchall()
    assert [item for (item,) in rows] == [recommended["item_id"] for recommended in one]


def test_everybody_gets_what_they_have_seen_too_if_asked_for(
    run_json: RunJson, trained: Path, labs: list[str], tmp_path: Path
) -> None:
    counts = [
        run_json("recommend", "--all", "-o", tmp_path / "all.csv", "-k", len(labs), *more, "-w", trained)
        for more in ((), ("--seen",))
    ]
    assert counts[0]["recommendations"] < counts[1]["recommendations"] == counts[1]["users"] * len(labs)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nobody"], 4, "nobody"),
        ([], 2, "--history"),
        (["nle", "--history", "a"], 2, "give one of"),
        (["--all"], 2, "-o FILE"),
        (["nle", "-o", "x.csv"], 2, "--all"),
        (["--all", "-o", "x.xlsx"], 2, ".parquet, .csv, .jsonl"),
        (["--all", "-o", "no/such/folder/x.csv"], 2, "No such file"),
        (["nle", "-k", "0"], 2, "-k"),
        (["nle", "-k", "ten"], 2, "-k"),
        (["--history", "a\u200bb"], 3, "invisible"),
    ],
)
def test_wrong_use_says_what_to_do(run: Run, trained: Path, arguments: list[str], code: int, says: str) -> None:
    answer = run("recommend", *arguments, "-w", trained)
    assert (answer.returncode, answer.stdout) == (code, "")
    assert says in answer.stderr


def test_without_a_workspace_or_a_model_it_says_how_to_get_one(run: Run, tmp_path: Path) -> None:
    absent = run("recommend", "nle", "-w", tmp_path / "none")
    assert (absent.returncode, absent.stderr.count("\n")) == (4, 1)
    assert "foldin ingest" in absent.stderr
    (tmp_path / "log.csv").write_text("user,item\na,x\n")
    run("ingest", tmp_path / "log.csv", "-w", tmp_path / "new")
    assert "foldin train" in run("recommend", "a", "-w", tmp_path / "new").stderr


def test_in_a_terminal_it_asks_for_the_name_and_answers(trained: Path) -> None:
    terminal = pexpect.spawn(
        sys.executable, ["-m", "foldin", "recommend", "-w", str(trained)], dimensions=(40, 100), timeout=60
    )
    terminal.expect("Your name")
    terminal.sendline("nle")
    terminal.expect("For nle")
    terminal.expect("HOL-")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
