"""The demo, run as a new user runs it, in a smaller world unless SOAK=1 asks for the whole one."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from foldin.audit import FILE as AUDIT
from foldin.cli.demo import _ran_before
from foldin.cli.first_run import _plotted, _published
from foldin.cli.options import DEFAULT_FOLDER
from foldin.cli.serve import LINK_FILE
from foldin.contest import Contest, contest
from foldin.data.interactions import Interactions
from foldin.data.readers import read, read_catalog
from foldin.data.synthetic import simulate
from foldin.models.autoencoder import AutoEncoder
from foldin.models.ease import EDLAE
from foldin.models.protocols import Estimator
from foldin.recommender import Recommender
from foldin.store.contract import Batch
from foldin.strict_json import parse_json
from foldin.workspace import create_workspace, open_workspace
from tests.faults.scale import SOAK

Run = Callable[..., subprocess.CompletedProcess[str]]

USERS, ITEMS = (5200, 252) if SOAK else (600, 60)
DEMO = f"""
import functools
import sys
import foldin.data.synthetic
from foldin.__main__ import main
foldin.data.synthetic.simulate = functools.partial(foldin.data.synthetic.simulate, {USERS}, {ITEMS})
sys.argv[0] = "foldin"
main()
"""
"""Runs the command as `foldin` does, in a world of `USERS` and `ITEMS`."""

PATIENCE = 60.0
"""Seconds that a busy machine may take to start a service."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@dataclass(frozen=True)
class Shown:
    """What the demo printed, and the page that it opened."""

    printed: str
    page: str


@pytest.fixture(scope="module")
def shown(place: Path) -> Shown:
    with served(place) as (lines, browser):
        page = browser.get("/").text
    return Shown("".join(lines), page)


@contextmanager
def served(folder: Path, *options: str) -> Iterator[tuple[list[str], httpx.Client]]:
    """What `foldin demo --serve` prints up to the link, and a browser that the link has let in."""
    command = [sys.executable, "-c", DEMO, "demo", "--serve", *options]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = list(iter_until(process.stdout, "The page: "))
            with let_in((folder / DEFAULT_FOLDER / LINK_FILE).read_text(encoding="utf-8").strip()) as browser:
                yield lines, browser
        finally:
            process.terminate()
            rest, errors = process.communicate()
    assert (process.returncode, rest) == (0, ""), errors
    assert [line for line in errors.splitlines() if not line.startswith("{")] == []


@pytest.fixture(scope="module")
def printed(shown: Shown) -> str:
    return shown.printed


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def iter_until(lines: Iterable[str], beginning: str) -> Iterator[str]:
    for line in lines:
        yield line
        if line.startswith(beginning):
            return


@contextmanager
def let_in(link: str) -> Iterator[httpx.Client]:
    """A browser that came in by a link; the service takes connections from the moment it is printed."""
    address = link.partition("/enter")[0]
    with httpx.Client(base_url=address, timeout=PATIENCE, follow_redirects=True, verify=False) as browser:
        assert browser.post(link).status_code == 200
        yield browser


def figures(printed: str, metric: str) -> dict[str, float]:
    head = next(line for line in printed.splitlines() if "best possible" in line)
    names = [cell.strip() for cell in re.split(r"\s{2,}|[│┃]", head) if cell.strip()]
    line = next(line for line in printed.splitlines() if re.search(rf"\b{metric}\b", line) and "±" in line)
    return dict(zip(names, (float(mean) for mean in re.findall(r"([\d.]+) ±", line)), strict=True))


def test_it_shows_the_data_the_training_and_the_figures(printed: str) -> None:
    assert re.search(rf"people\W+{USERS:,}", printed)
    assert re.search(rf"hands-on labs\W+{ITEMS}", printed)
    assert len(re.findall(r"epoch +\d+ +train error [\d.]+ +validation error [\d.]+", printed)) >= 3
    assert re.search(r"test error [\d.]+", printed)


def test_the_autoencoder_beats_popularity_clearly_and_nobody_the_truth(printed: str) -> None:
    ndcg = figures(printed, "NDCG@10")
    assert set(ndcg) == {"popularity", "edlae", "autoencoder", "best possible"}
    assert ndcg["autoencoder"] > 1.5 * ndcg["popularity"]
    assert ndcg["best possible"] > max(ndcg["edlae"], ndcg["autoencoder"])


def test_nle_gets_ten_labs_with_probabilities_and_none_of_the_history(printed: str) -> None:
    _, history, ranking = re.split(r"What nle has done|For nle", printed)
    labs = re.findall(r"HOL-\d{4}-\d\d-[A-Z]{3}", ranking)
    assert len(labs) == 10
    assert len(re.findall(r"\d+\.\d%", ranking)) == 10
    assert not set(labs) & set(re.findall(r"HOL-\d{4}-\d\d-[A-Z]{3}", history))
    assert "foldin ingest" in ranking


def test_the_data_lies_in_the_workspace_as_files_and_in_the_store(printed: str, place: Path) -> None:
    folder = place / "foldin-workspace"
    events = read(folder / "data" / "events.csv")
    with open_workspace(folder).store() as store:
        assert len(store.interactions()) == len(events)
        assert len(store.catalog()) == len(read_catalog(folder / "data" / "items.csv")) == ITEMS
    assert (folder / "data" / "feedback.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_opens_on_the_labs(shown: Shown) -> None:
    assert "Whom for?" in shown.page
    assert "2-edlae" in shown.page


def test_the_best_on_validation_people_is_in_use_and_it_says_why(printed: str, place: Path) -> None:
    told = re.search(r"^(\S+) is in use: the best by NDCG@100 .*, (0\.\d+) against (0\.\d+) of (\S+)\.", printed, re.M)
    assert told is not None
    assert float(told[2]) >= float(told[3])
    assert {told[1], told[4]} == {"1-autoencoder", "2-edlae"}
    assert open_workspace(place / "foldin-workspace").current_name() == told[1]
    assert f"foldin models use {told[4].split('-')[0]}\n" in printed


@pytest.fixture
def run_in(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `foldin` in a folder, in this process."""

    def ran(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
        with monkeypatch.context() as patch:
            patch.chdir(folder)
            return run(*arguments)

    return ran


@pytest.fixture
def ran(printed: str, place: Path, tmp_path: Path) -> Path:
    """A folder of one's own in which the demo ran."""
    shutil.copytree(place / "foldin-workspace", tmp_path / "foldin-workspace")
    return tmp_path


def test_a_second_time_it_shows_what_is_there_and_trains_nothing(run_in: Run, printed: str, ran: Path) -> None:
    again = run_in(ran, "demo")
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.startswith("The demo ran in foldin-workspace before, and nothing is trained again. ")
    assert "epoch" not in again.stdout
    assert re.search(r"^\* +2-edlae ", again.stdout, re.M)
    assert again.stdout.split("What nle has done")[1] in printed
    assert len(open_workspace(ran / "foldin-workspace").bundles()) == 2


def test_before_its_end_it_has_not_run(ran: Path) -> None:
    workspace = open_workspace(ran / "foldin-workspace")
    assert _ran_before(workspace, 0)
    (workspace.folder / "data" / "comparison.json").unlink()
    assert not _ran_before(workspace, 0)


@pytest.fixture(scope="module")
def decided() -> Contest:
    world = simulate(users=200, items=30, seed=3)
    contenders: dict[str, Estimator] = {"edlae": EDLAE(), "autoencoder": AutoEncoder(epochs=1, latent=4)}
    return contest(world.events, contenders, catalog=world.catalog, fixed={})


@pytest.mark.parametrize("ended", [1, 2], ids=["first", "second"])
def test_whoever_ends_it_while_models_learn_from_everyone_is_left_with_none(
    ended: int, decided: Contest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = create_workspace(tmp_path / "w")
    (workspace.folder / "data").mkdir()
    learned: list[Recommender] = []
    learn = decided.recommender

    def interrupted(_: Contest, name: str) -> Recommender:
        learned.append(learn(name))
        if len(learned) == ended:
            raise KeyboardInterrupt
        return learned[-1]

    with monkeypatch.context() as patch:
        patch.setattr(Contest, "recommender", interrupted)
        with pytest.raises(KeyboardInterrupt):
            _published(workspace, decided, 0)
    assert workspace.current_name() is None
    assert not list((workspace.folder / "data").iterdir())
    figures = _published(workspace, decided, 0)
    assert workspace.current_name() == max(figures, key=lambda name: figures[name]) == list(figures)[-1]
    lines = (json.loads(line) for line in (workspace.folder / AUDIT).read_text(encoding="utf-8").splitlines())
    assert [(line["action"], line["model"]) for line in lines] == [("train", name) for name in figures]


def test_a_second_time_programs_get_the_same_answer(run_in: Run, ran: Path) -> None:
    again = run_in(ran, "demo", "--json")
    answer = parse_json(again.stdout.encode())
    assert isinstance(answer, dict)
    assert set(answer["ranking"]["contenders"]) == {"popularity", "edlae", "autoencoder", "best possible"}
    assert (answer["model"], answer["person"], len(answer["recommendations"])) == ("2-edlae", "nle", 10)


def test_a_second_time_it_serves_as_it_is_also_after_events_came_over_http(ran: Path) -> None:
    port = free_port()
    for options in ([], ["--port", str(port)]):
        with served(ran, *options) as (lines, browser):
            assert not options or browser.base_url.port == port
            said = [line for line in lines if line.strip()]
            assert said[0].startswith("The demo ran in foldin-workspace before, and nothing is trained again. ")
            assert said[1].startswith("The model: 2-edlae, trained 20")
            assert len(said) == 3
            event = {"user": "visitor", "item": "HOL-2001-04-CLD"}
            assert browser.post("/v1/events", json={"events": [event]}).json()["stored"] == 1
    with open_workspace(ran / "foldin-workspace").store() as store:
        over_http = [events for name, events in store.sources().items() if name.startswith("http:page-")]
        assert over_http == [1, 1]


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("events.csv", "events.csv"),
        ("http", "events that came over HTTP"),
        ("http:shop", "events that came over HTTP"),
        ("httpd.csv", "httpd.csv"),
    ],
)
def test_it_refuses_a_workspace_of_somebody_elses_data(
    source: str, named: str, run_in: Run, log_of: Callable[..., Interactions], tmp_path: Path
) -> None:
    with create_workspace(tmp_path / "mine").store(create=True) as store:
        store.ingest([Batch(log_of([("ann", "x")]), source)])
    for options in ([], ["--serve"]):
        refused = run_in(tmp_path, "demo", "-w", "mine", *options)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert f"holds other data ({named})" in refused.stderr
        assert "foldin serve -w mine" in refused.stderr


def test_what_is_for_programs_and_what_is_for_people_do_not_go_together(run_in: Run, tmp_path: Path) -> None:
    refused = run_in(tmp_path, "demo", "--json", "--serve")
    assert refused.returncode == 2
    assert "leave one of them out" in refused.stderr
    assert not list(tmp_path.iterdir())


def test_a_port_is_for_the_page_alone(run_in: Run, tmp_path: Path) -> None:
    refused = run_in(tmp_path, "demo", "--port", "8123")
    assert refused.returncode == 2
    assert "add --serve" in refused.stderr
    assert not list(tmp_path.iterdir())


def test_recommend_goes_on_from_the_demo(run_in: Run, printed: str, place: Path) -> None:
    again = run_in(place, "recommend", "nle")
    assert again.returncode == 0
    ranking = printed.split("For nle")[1]
    assert re.findall(r"HOL-\S+", again.stdout) == re.findall(r"HOL-\S+", ranking)


def test_it_refuses_a_workspace_that_holds_other_data(run_in: Run, printed: str, place: Path) -> None:
    refused = run_in(place, "demo", "--seed", "1")
    assert refused.returncode == 2
    assert "holds other data (demo, seed 0)" in refused.stderr


def test_it_refuses_a_folder_that_is_no_workspace(run_in: Run, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("years of work")
    refused = run_in(tmp_path, "demo", "-w", "precious")
    assert refused.returncode == 2
    assert [file.name for file in (tmp_path / "precious").iterdir()] == ["thesis.txt"]


def test_what_is_missing_for_the_plot_is_a_note(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib", None)
        patch.setitem(sys.modules, "matplotlib.figure", None)
        _plotted(simulate(users=60, items=20, seed=1), tmp_path)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("note: ")
    assert "matplotlib" in err
