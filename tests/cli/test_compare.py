"""Comparing models from the command line."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from foldin.cli.compare import _data
from foldin.cli.table_columns import WIDTH
from foldin.data.interactions import Interactions
from foldin.data.readers import read
from foldin.data.readers.text import TextFormat
from foldin.data.synthetic import simulate, write_world
from foldin.errors import DataWarning
from foldin.store.contract import Batch
from foldin.workspace import create_workspace

FAST = ("--models", "popularity,ease")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write_world(simulate(users=300, items=40, seed=3), folder)
    return folder


def test_one_table_with_standard_errors_and_the_best_possible(run: Run, folder: Path) -> None:
    done = run("compare", str(folder / "events.csv"), *FAST)
    assert done.returncode == 0, done.stderr
    conclusion, _, protocol, *_ = done.stdout.splitlines()
    assert "NDCG@10" in conclusion
    assert conclusion.endswith(".")
    assert protocol.startswith("Protocol 'strong'")
    assert "best possible" in done.stdout
    assert "±" in done.stdout
    assert "ease: EASE(l2=" in done.stdout
    header = next(line for line in done.stdout.splitlines() if "Coverage@10" in line)
    columns = ["NDCG@10", "Recall@10, of n", "Hit rate@10", "Coverage@10", "of best possible"]
    assert re.split(r"  +", header.strip()) == columns
    assert "MAP@10" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= WIDTH


def test_the_conclusion_is_first_and_all_metrics_are_printed_if_asked_for(run: Run, folder: Path) -> None:
    log = str(folder / "events.csv")
    said = run("compare", log, *FAST, "-k", "5", "--full")
    told = json.loads(run("compare", log, *FAST, "-k", "5", "--json").stdout)
    conclusion = told["conclusion"]
    assert said.stdout.splitlines()[0] == conclusion["text"]
    assert conclusion["metric"] == "ndcg@5"
    assert "MAP@5" in said.stdout
    assert {conclusion["best"], *conclusion["not_distinguishable"], *conclusion["below"]} == {"popularity", "ease"}
    (gap,) = told["differences"].values()
    assert (gap["p_value"] < 0.05) == (conclusion["below"] != [])
    assert {"ndcg@5", "ndcg@100", "recall@10", "map@5"} <= set(told["ranking"]["contenders"]["ease"]["metrics"])
    assert max(map(len, said.stdout.splitlines())) <= WIDTH


def test_settings_of_one_model_are_contenders(run: Run, folder: Path) -> None:
    sets = ("--set", "ease.l2=5", "--set", "ease.l2=50_000", "--set", "ease.l2=5")
    done = run("compare", str(folder / "events.csv"), *FAST, *sets, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["estimators"] == {
        "popularity": "Popularity()",
        "ease l2=5": "EASE(l2=5.0)",
        "ease l2=50_000": "EASE(l2=50000.0)",
    }
    assert told["ranking"]["contenders"]["ease l2=5"] != told["ranking"]["contenders"]["ease l2=50_000"]


def test_folds_test_on_everybody_once(run: Run, folder: Path) -> None:
    log = str(folder / "events.csv")
    one, folded = (
        json.loads(run("compare", log, *FAST, "--set", "ease.l2=50", *more, "--json").stdout)
        for more in ((), ("--folds", "3"))
    )
    assert (one["folds"], folded["folds"]) == (1, 3)
    assert one["test_users"] < 40 < 280 < folded["test_users"] <= 300
    assert folded["ranking"]["users"] == folded["test_users"]
    said = run("compare", log, *FAST, "--folds", "2").stdout
    assert "2 folds of users, each trained on" in said
    assert "in 1 of 2 folds" in said or said.count("EASE(") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--models", "ease,ease"), "--models names ease twice; to compare settings of a model"),
        (("--models", ","), "--models names no model"),
        (("--models", "ease,magic"), "no model 'magic'"),
        (("--models", "ease", "--set", "edlae.l2=5"), "edlae is not compared; --models has ease"),
        (("--models", "ease", "--set", "l2=5"), "'l2=5' is not of the form MODEL.FIELD=VALUE"),
        (("--models", "ease", "--set", "ease.l3=5"), "ease has no field 'l3'; it has: l2"),
        (("--models", "ease", "--set", "ease.l2=much"), "ease: l2:"),
        (("--folds", "3", "--protocol", "last"), "the protocol 'last' tests on all of them at once"),
        (("--folds", "3", "--by-history-length"), "--folds goes without --by-history-length"),
        (("--folds", "1"), "--folds"),
        (("-k", "0"), "-k"),
        (("-k", "1001"), "-k"),
    ],
)
def test_what_cannot_be_compared_is_said_before_any_reading(run: Run, arguments: tuple[str, ...], said: str) -> None:
    refused = run("compare", "no.csv", *arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert said in refused.stderr


def test_columns_of_a_file_left_alone_are_named(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item,Book-Rating\na,x,9\n")
    with pytest.warns(DataWarning, match="left alone: Book-Rating; .* --value Book-Rating takes it"):
        _data(tmp_path / "log.csv", None, {"user": None, "item": None}, TextFormat(), None, None, (), (None, None))


@pytest.mark.parametrize("protocol", ["strong", "last", "time", "random"])
def test_every_protocol_reports_the_same_things(run: Run, folder: Path, tmp_path: Path, protocol: str) -> None:
    report = tmp_path / "out.json"
    done = run("compare", str(folder / "events.csv"), *FAST, "--protocol", protocol, "--report", str(report), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(report.read_text())
    written = json.loads(report.read_text())
    assert written["protocol"] == protocol
    assert written["test_users"] > 10
    contenders = written["ranking"]["contenders"]
    assert list(contenders) == ["popularity", "ease", "best possible"]
    assert contenders["ease"]["metrics"]["ndcg@10"]["standard_error"] > 0


def test_ratings_get_a_table_of_their_own(run: Run, folder: Path) -> None:
    done = run(
        "compare", str(folder / "ratings.csv"), *FAST, "--feedback", "explicit", "--positive-from", "4", "--json"
    )
    assert done.returncode == 0, done.stderr
    ratings = json.loads(done.stdout)["ratings"]
    assert 0.3 < ratings["ease"]["rmse"] < 1.5


def test_a_file_or_a_workspace_but_not_both(run: Run, folder: Path) -> None:
    refused = run("compare", *FAST)
    assert refused.returncode == 2
    assert "either a file or -w WORKSPACE\n" in refused.stderr
    both = run("compare", str(folder / "events.csv"), "-w", str(folder), *FAST)
    assert both.returncode == 2
    assert "either a file or -w WORKSPACE, not both" in both.stderr


def test_where_neither_is_given_the_workspace_at_hand_is_taken(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with create_workspace(Path("foldin-workspace")).store(create=True) as store:
        store.ingest([Batch(read(folder / "events.csv"), "events.csv")])
    done = run("compare", "--models", "popularity")
    assert done.returncode == 0, done.stderr


def test_the_workspace_of_the_environment_counts_where_no_file_is_given(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = tmp_path / "w"
    with create_workspace(workspace).store(create=True) as store:
        store.ingest([Batch(read(folder / "events.csv"), "events.csv")])
    monkeypatch.setenv("FOLDIN_WORKSPACE", str(workspace))
    assert run("compare", "--models", "popularity").returncode == 0
    (workspace / "store.sqlite").unlink()
    assert run("compare", "--models", "popularity").returncode == 4
    assert run("compare", str(folder / "events.csv"), "--models", "popularity").returncode == 0


@pytest.mark.parametrize("place", ["missing/report.json", "."])
def test_a_report_that_cannot_be_written_is_refused_before_training(
    run: Run, folder: Path, tmp_path: Path, place: str
) -> None:
    # the log is not there: had it been read, that would be said
    refused = run("compare", str(folder / "no.csv"), *FAST, "--report", str(tmp_path / place))
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "no report can be written to" in refused.stderr


def test_columns_with_unusual_names_are_told(run: Run, folder: Path, tmp_path: Path) -> None:
    lines = (folder / "events.csv").read_text().splitlines()[1:]
    (tmp_path / "log.csv").write_text("wer,was,wie,wann\n" + "\n".join(lines) + "\n")
    columns = ("--user", "wer", "--item", "was", "--kind", "wie", "--time", "wann")
    said = ("--models", "popularity", "--json")
    named = run("compare", str(tmp_path / "log.csv"), *columns, *said)
    usual = run("compare", str(folder / "events.csv"), *said)
    assert named.returncode == 0, named.stderr
    assert json.loads(named.stdout)["test_users"] == json.loads(usual.stdout)["test_users"]


def test_columns_of_a_workspace_are_refused(run: Run, tmp_path: Path) -> None:
    refused = run("compare", "-w", str(tmp_path), "--user", "wer")
    assert (refused.returncode, "--user: columns are those of a file" in refused.stderr) == (2, True)


def test_sources_are_left_out_as_in_a_training(run: Run, log_of: Callable[..., Interactions], tmp_path: Path) -> None:
    pairs = [(f"u{user}", f"i{item}") for user in range(40) for item in range(8) if (user + item) % 2]
    poison = [(f"bot{user}", f"p{item}") for user in range(40) for item in range(4)]
    with create_workspace(tmp_path / "w").store(create=True) as store:
        store.ingest([Batch(log_of(pairs), "a.csv"), Batch(log_of(poison), "http:shop")])

    def users(*options: str) -> tuple[int, list[str]]:
        done = run("compare", "-w", str(tmp_path / "w"), "--models", "popularity", *options, "--json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        return sum(found[part] for part in ("train_users", "validation_users", "test_users")), found["without"]

    assert users() == (80, [])
    assert users("--without", "http:shop") == (40, ["http:shop"])
    said = run("compare", "-w", str(tmp_path / "w"), "--models", "popularity", "--without", "http:shop").stdout
    assert "Left out: the events of http:shop\n" in said
    unknown = run("compare", "-w", str(tmp_path / "w"), "--without", "http:shop", "--without", "nowhere")
    assert (unknown.returncode, unknown.stdout) == (4, "")
    assert "no source 'nowhere' in the store; there are: a.csv, http:shop" in unknown.stderr


def test_a_file_has_no_sources_to_leave_out(run: Run, folder: Path) -> None:
    refused = run("compare", str(folder / "events.csv"), "--without", "http:shop")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--without: sources are those of a workspace's store, not of a file" in refused.stderr


def test_a_missing_file_is_named(run: Run, tmp_path: Path) -> None:
    refused = run("compare", str(tmp_path / "no.csv"))
    assert refused.returncode == 3
    assert "no.csv" in refused.stderr


def test_a_truth_of_another_world_is_refused(run: Run, folder: Path, tmp_path: Path) -> None:
    write_world(simulate(users=60, items=20, seed=4), tmp_path)
    refused = run("compare", str(folder / "events.csv"), *FAST, "--truth", str(tmp_path / "truth.safetensors"))
    assert refused.returncode == 3
    assert "another world" in refused.stderr
