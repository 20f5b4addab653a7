"""Training from the command line: what it prints, writes, refuses, and how it goes on after being killed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from foldin.bundle import read_manifest
from foldin.cli.train import _usual_user
from foldin.data.interactions import Interactions
from foldin.data.synthetic import World, simulate
from foldin.store.contract import Batch
from foldin.workspace import create_workspace, open_workspace

Run = Callable[..., subprocess.CompletedProcess[str]]

NETWORK = ("--model", "autoencoder", "--set", "epochs=6", "--set", "patience=6", "--set", "latent=8")


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(users=300, items=40, seed=3)


def filled(folder: Path, world: World, *, ratings: bool = False) -> str:
    with create_workspace(folder).store(create=True) as store:
        store.ingest([Batch(world.ratings if ratings else world.events, "made")], catalog=world.catalog)
    return str(folder)


def test_without_a_model_it_takes_edlae_and_chooses_its_fields(run: Run, tmp_path: Path, world: World) -> None:
    workspace = filled(tmp_path / "w", world)
    done = run("train", "-w", workspace)
    assert done.returncode == 0, done.stderr
    assert "EDLAE(l2=" in done.stdout
    assert "Bundle 1-edlae is written and current" in done.stdout
    assert "NDCG@10" in done.stdout
    assert open_workspace(workspace).current().recommend([str(world.catalog.item_ids[0])], k=3)


def test_without_any_events_it_suggests_what_can_be_answered(run: Run, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item,title\nx,Deep Sea\ny,Green Hills\n")
    workspace = str(tmp_path / "w")
    assert run("ingest", "--items", str(tmp_path / "items.csv"), "-w", workspace).returncode == 0
    suggested = worth_a_try(run("train", "-w", workspace).stdout)
    assert suggested == ["recommend", "--profile", "interests=Deep", "-w", workspace]
    assert "Deep Sea" in run(*suggested).stdout


def worth_a_try(printed: str) -> list[str]:
    """The words of the command that a training ends with."""
    return shlex.split(printed.splitlines()[-1].partition("Try: foldin ")[2])


@pytest.mark.parametrize("named", ["{}", "Ann O'Neil {}", "-{}"], ids=["plain", "spaces", "hyphen"])
def test_what_it_suggests_to_try_works_as_it_stands(
    named: str, run: Run, log_of: Callable[..., Interactions], tmp_path: Path
) -> None:
    workspace = tmp_path / "my workspace"
    pairs = [(named.format(user), f"i{item}") for user in range(20) for item in range(8) if (user + item) % 2]
    with create_workspace(workspace).store(create=True) as store:
        store.ingest([Batch(log_of([*pairs, ("rare", "i0")]), "made")])
    suggested = worth_a_try(run("train", "-w", workspace, "--model", "ease").stdout)
    assert suggested[:3] == ["recommend", "-w", str(workspace)]
    answer = run(*suggested)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert f"For {suggested[-1]}\n" in answer.stdout
    assert suggested[-1] in {user for user, _ in pairs}
    assert re.search(r"^ *1  i\d ", answer.stdout, re.M)


def test_whom_it_suggests_can_be_typed_and_is_still_there(log_of: Callable[..., Interactions], tmp_path: Path) -> None:
    users = {"ann": 1, "ben": 2, "b\ten": 3, "cleo": 4, "dora": 5}
    pairs = [(user, f"i{item}") for user, items in users.items() for item in range(items)]
    with create_workspace(tmp_path / "w").store(create=True) as store:
        store.ingest([Batch(log_of(pairs), "made")])
        log = store.interactions()
        for usual in ("cleo", "dora", "ben", "ann"):
            assert _usual_user(log, store) == usual
            store.forget(usual)
        assert _usual_user(log, store) is None


def test_fields_that_are_set_stay_as_they_are(run: Run, tmp_path: Path, world: World) -> None:
    done = run("train", "-w", filled(tmp_path / "w", world), "--set", "l2=17", "--json")
    report = json.loads(done.stdout)
    assert report["estimator"].startswith("EDLAE(l2=17.0, dropout=")
    assert report["report"]["figures"]["test_users"] > 0


def test_a_network_prints_an_epoch_a_line_and_the_test_error(run: Run, tmp_path: Path, world: World) -> None:
    done = run("train", "-w", filled(tmp_path / "w", world), *NETWORK)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()[:14]
    halves = [line for line in lines if line.startswith("Choosing")]
    epochs = [line for line in lines if line not in halves]
    assert halves == [f"Choosing by the {half} half of the validation users" for half in ("first", "second")]
    assert [lines.index(half) for half in halves] == [0, 7]
    assert [int(line.split()[1]) for line in epochs] == [*range(1, 7)] * 2
    assert all("train error" in line and "validation error" in line for line in epochs)
    assert "Test error" in done.stdout
    assert not (tmp_path / "w" / "checkpoints").exists()


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, world: World) -> Path:
    """A workspace whose training was killed after three epochs. Not to be written to: copy it."""
    folder = tmp_path_factory.mktemp("killed") / "w"
    command = [sys.executable, "-u", "-m", "foldin", "train", "-w", filled(folder, world), *NETWORK]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if line.startswith("epoch   3"))
        process.kill()
    assert process.returncode == -signal.SIGKILL
    return folder


def test_a_killed_training_goes_on_to_the_same_bits(run: Run, tmp_path: Path, world: World, killed: Path) -> None:
    whole, resumed = filled(tmp_path / "whole", world), tmp_path / "killed"
    shutil.copytree(killed, resumed)
    assert run("train", "-w", whole, *NETWORK).returncode == 0
    assert not (resumed / "current").exists()
    done = run("train", "-w", resumed, *NETWORK, "--resume")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("(from the checkpoint)") == 3
    arrays = [Path(folder) / "bundles" / "1-autoencoder" / "model.safetensors" for folder in (whole, resumed)]
    assert arrays[0].read_bytes() == arrays[1].read_bytes()


def test_another_runs_checkpoint_is_refused(run: Run, tmp_path: Path, killed: Path) -> None:
    shutil.copytree(killed, tmp_path / "w")
    refused = run("train", "-w", tmp_path / "w", *NETWORK, "--seed", "9", "--resume")
    assert refused.returncode == 5
    assert "another run" in refused.stderr


def test_ratings_without_a_meaning_are_refused_with_the_choice(run: Run, tmp_path: Path, world: World) -> None:
    refused = run("train", "-w", filled(tmp_path / "w", world, ratings=True))
    assert refused.returncode == 2
    assert "--positive-from" in refused.stderr
    assert "strength" in refused.stderr
    assert not (tmp_path / "w" / "current").exists()


def test_explicit_feedback_brings_a_table_of_ratings(run: Run, tmp_path: Path, world: World) -> None:
    workspace = filled(tmp_path / "w", world, ratings=True)
    done = run("train", "-w", workspace, "--feedback", "explicit", "--positive-from", "4")
    assert done.returncode == 0, done.stderr
    assert "RMSE" in done.stdout
    manifest = read_manifest(tmp_path / "w" / "bundles" / "1-edlae")
    assert manifest.feedback.rating_range == (1.0, 5.0)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--model", "magic"], 2, "there are: popularity, ease, edlae, autoencoder"),
        (["--set", "l3=1"], 2, "it has: l2, dropout"),
        (["--set", "l2"], 2, "name=value"),
        (["--set", "l2=-1"], 2, "l2 is -1.0"),
        (["--weights", "view=-1"], 2, "weights are 0 or more"),
        (["--weights", "buy=2"], 2, "no event is of kind 'buy'"),
        (["--half-life", "soon"], 2, "no number"),
        (["--recent", "soon"], 2, "--recent (days, as 90d) is 'soon'"),
        (["--recent", "0d"], 2, "recent is 0.0; it is a number of days above 0"),
        (["--device", "cuda", *NETWORK], 2, "not on this machine"),
        (["--device", "cpu"], 2, "--resume and --device are for networks"),
        (["--resume"], 2, "--resume and --device are for networks"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_is_written(
    run: Run, tmp_path: Path, world: World, options: list[str], code: int, words: str
) -> None:
    refused = run("train", "-w", filled(tmp_path / "w", world), *options)
    assert refused.returncode == code
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "w" / "bundles").exists()


def test_without_a_workspace_it_says_how_to_make_one(run: Run, tmp_path: Path) -> None:
    refused = run("train", "-w", str(tmp_path / "nowhere"))
    assert refused.returncode == 4
    assert "foldin ingest" in refused.stderr


def test_a_field_that_is_set_twice_is_refused(run: Run, tmp_path: Path) -> None:
    refused = run("train", "-w", str(tmp_path), "--set", "l2=1", "--set", "l2=2")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--set says twice what l2 is" in refused.stderr


def test_as_current_keeps_model_and_feedback_of_the_bundle_in_use(run: Run, tmp_path: Path, world: World) -> None:
    workspace = filled(tmp_path / "w", world)
    first = run("train", "-w", workspace, "--as-current", "--model", "popularity")
    assert first.returncode == 0
    assert "was in use" not in first.stdout
    second = run("train", "-w", workspace, "--model", "ease", "--strength", "log")
    assert second.returncode == 0
    back = f"foldin models use -w {workspace} 1-popularity"
    assert f"1-popularity was in use. Take it back: {back}\n" in second.stdout
    done = run("train", "-w", workspace, "--as-current", "--json")
    assert json.loads(done.stdout)["bundle"] == "3-ease"
    assert read_manifest(tmp_path / "w" / "bundles" / "3-ease").feedback.feedback.strength == "log"
    refused = run("train", "-w", workspace, "--as-current", "--strength", "none")
    assert refused.returncode == 2
    assert "--as-current" in refused.stderr


def test_sources_are_left_out_and_the_report_says_which(
    run: Run, log_of: Callable[..., Interactions], tmp_path: Path
) -> None:
    pairs = [(f"u{user}", f"i{item}") for user in range(20) for item in range(8) if (user + item) % 2]
    poison = [(f"u{user}", "poison") for user in range(20)]
    workspace = tmp_path / "w"
    with create_workspace(workspace).store(create=True) as store:
        batches = [Batch(log_of(pairs), "a.csv"), Batch(log_of(poison), "http:shop"), Batch(log_of(poison), "http:old")]
        store.ingest(batches)

    def trained(*options: str) -> tuple[list[str], bool]:
        done = run("train", "-w", workspace, "--model", "popularity", *options, "--json")
        assert done.returncode == 0, done.stderr
        recommender = open_workspace(workspace).current()
        known = bool(recommender.catalog.knows(["poison"])[0])
        assert recommender.report is not None
        without = json.loads(done.stdout)["report"]["without"]
        assert without == list(recommender.report.without)
        return without, known

    assert trained() == ([], True)
    assert trained("--without", "http:shop") == (["http:shop"], True)
    assert trained("--as-current", "--without", "http:old") == (["http:shop", "http:old"], False)
    assert trained("--as-current", "--without", "http:old") == (["http:shop", "http:old"], False)
    said = run("train", "-w", workspace, "--as-current").stdout
    assert "Left out: the events of http:shop, http:old\n" in said
    assert trained() == ([], True)


def test_an_unknown_source_is_refused_with_those_there_are(run: Run, tmp_path: Path, world: World) -> None:
    refused = run("train", "-w", filled(tmp_path / "w", world), "--without", "made", "--without", "http:shop")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert "no source 'http:shop' in the store; there are: made" in refused.stderr
    assert not (tmp_path / "w" / "bundles").exists()


def test_progress_is_written_for_a_log_where_it_is_wanted(run: Run, tmp_path: Path, world: World) -> None:
    workspace = filled(tmp_path / "w", world)
    wanted = run("train", "-w", workspace, "--model", "popularity", "--json", "--progress")
    assert wanted.stderr.splitlines()[0] == "reading the store"
    assert len(wanted.stderr.splitlines()) > 1
    assert json.loads(wanted.stdout)["bundle"] == "1-popularity"
    assert run("train", "-w", workspace, "--model", "popularity", "--json").stderr == ""
