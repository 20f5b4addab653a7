"""Models are exchanged under load: nobody notices but by the model's name, and none that is damaged ever answers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Event

import httpx
import pytest

from foldin.data.interactions import Interactions
from foldin.fitting import fit
from foldin.models.ease import EASE
from foldin.recommender import Recommender
from foldin.workspace import Workspace
from tests.faults.scale import rounds
from tests.service.faults.publishing import publish_damaged
from tests.service.server import Server, serving, until

RELOADS = rounds(50)
ROLLBACKS = rounds(20)
CLIENTS = 4
PEOPLE: list[object] = [*({"user": f"u{user:02}"} for user in range(24)), *[{"history": ["i01"]}, {}] * 40]
"""More than are scored at once."""


@pytest.fixture(scope="module")
def others(checkerboard: Interactions) -> list[Recommender]:
    """Models whose answers differ."""
    return [fit(checkerboard, estimator=EASE(l2=l2)) for l2 in (1, 2, 5)]


def ask_until(done: Event, server: Server) -> set[str]:
    """The models that answered; each request had one, and no request failed."""
    models: set[str] = set()
    with server.client() as client:
        while not done.is_set():
            answers = client.post("/v1/recommend/batch", json={"people": PEOPLE}).raise_for_status().json()["answers"]
            (model,) = {one["model"] for one in answers}
            assert all(one["items"] for one in answers[24:])
            models.add(model)
    return models


def refused(client: httpx.Client, name: str) -> str | None:
    models = client.get("/v1/models").raise_for_status().json()["models"]
    reason: str | None = next(one["refused"] for one in models if one["name"] == name)
    return reason


def test_requests_go_on_while_models_are_exchanged(
    new_workspace: Callable[[], Workspace], others: list[Recommender]
) -> None:
    workspace, random, done = new_workspace(), Random(0), Event()
    live, damaged = ["1-ease"], set[str]()
    with (
        serving(workspace.folder) as server,
        server.client() as client,
        ThreadPoolExecutor(CLIENTS) as threads,
    ):
        asking = [threads.submit(ask_until, done, server) for _ in range(CLIENTS)]
        for reload in range(RELOADS):
            if reload % 5 == 3:
                damaged.add(name := publish_damaged(workspace, others[reload % 3], random))
                until(lambda: "model refused" in server.log.read_text() and name in server.log.read_text())
                assert refused(client, name)
            else:
                live.append(workspace.publish(others[reload % 3]))
            until(lambda: client.get("/v1/models").json()["live"] == live[-1])
        done.set()
        answered = set[str]().union(*(one.result() for one in asking))
    assert answered <= set(live)
    assert answered.isdisjoint(damaged)
    assert len(damaged) == RELOADS // 5


def told(client: httpx.Client) -> list[object]:
    """What the model live now answers, to the last digit; only the name of an answer is another each time."""
    answers = client.post("/v1/recommend/batch", json={"people": PEOPLE, "k": 12}).json()["answers"]
    same = [{**answer, "recommendation_id": None} for answer in answers]
    return [same, client.get("/v1/similar?item=i02").json()]


def test_a_model_that_is_rolled_back_to_answers_as_before(
    new_workspace: Callable[[], Workspace], others: list[Recommender]
) -> None:
    workspace = new_workspace()
    name = workspace.publish(others[2])
    with serving(workspace.folder) as server, server.client() as client:
        new = told(client)
        for _ in range(ROLLBACKS):
            assert client.post("/v1/models/rollback").json()["live"] == "1-ease"
            old = told(client)
            assert old != new
            assert client.post(f"/v1/models/{name}/activate").json()["live"] == name
            assert told(client) == new
            assert client.post("/v1/models/rollback").json()["live"] == "1-ease"
            assert told(client) == old
            assert client.post(f"/v1/models/{name}/activate").json()["live"] == name
