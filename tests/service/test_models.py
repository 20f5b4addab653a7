"""Which model answers is said by its name, and a name is never a path."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from urllib.parse import quote

import httpx
import pytest

from foldin.data.interactions import Interactions
from foldin.fitting import fit
from foldin.models.ease import EASE
from foldin.workspace import Workspace, open_workspace
from tests.faults.small_disk import SmallDisk
from tests.faults.unreadable import unreadable
from tests.service.server import serving, until

ALONE = {"Connection": "close"}
"""Every request on a connection of its own, so that any worker may get it."""


@pytest.fixture(scope="module")
def client(new_workspace: Callable[[], Workspace]) -> Iterator[httpx.Client]:
    """Asks a service of these tests' own, as others train."""
    with serving(new_workspace().folder) as server, server.client() as asking:
        yield asking


def test_the_bundles_of_the_workspace_and_which_of_them_answers(client: httpx.Client) -> None:
    told = client.get("/v1/models").json()
    assert told == {
        "live": "1-ease",
        "models": [{"name": "1-ease", "current": True, "forgotten": 0, "refused": None}],
    }


@pytest.mark.parametrize("name", ["1", "1-ease"])
def test_a_bundle_is_taken_into_use_by_its_number_or_name(client: httpx.Client, name: str) -> None:
    assert client.post(f"/v1/models/{name}/activate").json()["live"] == "1-ease"


@pytest.mark.parametrize("name", ["../1-ease", "1-ease\\..\\1-ease", "1-EASE", "current", "1-ease\n", "-1"])
def test_what_is_no_bundle_s_name_is_not_found(client: httpx.Client, name: str) -> None:
    answer = client.post(f"/v1/models/{quote(name, safe='')}/activate")
    assert answer.status_code == 404, answer.text
    # a slash that is escaped is one again before it comes to routes
    assert "/" in name or answer.json()["detail"] == f"no bundle '{name}'; there are: 1-ease"


def test_a_bundle_that_is_not_there_is_not_found(client: httpx.Client) -> None:
    answer = client.post("/v1/models/7/activate")
    assert answer.status_code == 404
    assert "7" in answer.json()["detail"]


def test_before_the_first_there_is_nothing_to_go_back_to(client: httpx.Client) -> None:
    answer = client.post("/v1/models/rollback")
    assert answer.status_code == 404, answer.text
    assert client.get("/v1/models").json()["live"] == "1-ease"


def test_a_bundle_that_does_not_go_live_does_not_stay_in_use_either(
    workspace: Path, checkerboard: Interactions
) -> None:
    own = open_workspace(workspace)
    few = own.publish(fit(checkerboard.where(checkerboard.item_codes < 4), estimator=EASE(l2=5)))
    own.use("1-ease")
    with serving(workspace) as server, server.client() as client:
        answer = client.post(f"/v1/models/{few}/activate")
        assert (answer.status_code, own.current_name()) == (409, "1-ease")
        assert "it knows 4 of 12 items" in answer.json()["detail"]
        assert client.get("/v1/models").json()["live"] == "1-ease"


def test_a_model_is_refused_though_the_present_one_could_not_be_taken_again(
    workspace: Path, checkerboard: Interactions
) -> None:
    own = open_workspace(workspace)
    few = checkerboard.where(checkerboard.item_codes < 4)
    with serving(workspace) as server, server.client() as client:
        client.delete("/v1/users/u00")
        with own.store() as store:
            position = store.summary().position
        name = own.publish(replace(fit(few, estimator=EASE(l2=5)), data_position=position))
        own.make_current("1-ease")
        answer = client.post(f"/v1/models/{name}/activate")
        assert (answer.status_code, own.current_name()) == (409, "1-ease")
        assert "it knows 4 of 12 items" in answer.json()["detail"]


def test_a_model_that_is_meant_to_know_few_items_goes_live_as_its_refusal_says(
    workspace: Path, checkerboard: Interactions
) -> None:
    own = open_workspace(workspace)
    few = own.publish(fit(checkerboard.where(checkerboard.item_codes < 4), estimator=EASE(l2=5)))
    own.use("1-ease")
    with serving(workspace, "--workers", "2") as server, server.client() as client:
        said = client.post(f"/v1/models/{few}/activate").json()["detail"]
        (words,) = re.findall("`foldin (.*)` and restart the service", said)
        subprocess.run([sys.executable, "-m", "foldin", *words.split(), "-w", str(workspace)], check=True)
        until(lambda: server.log.read_text(encoding="utf-8").count('"model refused"') >= 2)
        assert {client.get("/v1/models", headers=ALONE).json()["live"] for _ in range(10)} == {"1-ease"}
    with serving(workspace) as server, server.client() as client:
        assert client.get("/v1/models").json()["live"] == few


def test_a_model_that_learned_from_the_forgotten_is_not_taken_into_use(
    workspace: Path, checkerboard: Interactions
) -> None:
    own = open_workspace(workspace)
    own.publish(fit(checkerboard, estimator=EASE(l2=5)))
    with serving(workspace) as server, server.client() as client:
        client.delete("/v1/users/u00")
        for path in ("1/activate", "rollback"):
            answer = client.post(f"/v1/models/{path}")
            assert (answer.status_code, own.current_name()) == (409, "2-ease")
            assert "1-ease learned from 1 user forgotten since: train another" in answer.json()["detail"]
            assert "/" not in answer.json()["detail"]
        assert client.get("/v1/models").json()["live"] == "2-ease"


def test_a_model_goes_live_on_a_full_disk(workspace: Path, disk: SmallDisk, checkerboard: Interactions) -> None:
    own = open_workspace(copytree(workspace, disk.folder / "w"))
    own.publish(fit(checkerboard, estimator=EASE(l2=5)))
    with serving(own.folder) as server, server.client() as client, disk.full():
        for number, name in ((1, "1-ease"), (2, "2-ease")):
            assert client.post(f"/v1/models/{number}/activate").json()["live"] == own.current_name() == name


def test_a_model_whose_files_cannot_be_read_may_be_asked_for_again(workspace: Path, checkerboard: Interactions) -> None:
    own = open_workspace(workspace)
    own.publish(fit(checkerboard, estimator=EASE(l2=5)))
    with serving(workspace) as server, server.client() as client:
        with unreadable(workspace / "bundles/1-ease/model.safetensors"):
            answer = client.post("/v1/models/1/activate")
            assert answer.status_code == 503, answer.text
            assert answer.headers["Retry-After"]
            assert "the model's files cannot be read just now" in answer.json()["detail"]
            assert "/" not in answer.json()["detail"]
            until(lambda: "cannot be read: Input/output error" in server.log.read_text(encoding="utf-8"))
            one, other = client.get("/v1/models").json()["models"]
            assert ("Input/output error" in one["refused"], other["refused"]) == (True, None)
        assert client.post("/v1/models/1/activate").json()["live"] == "1-ease"
