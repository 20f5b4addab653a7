"""SIGTERM in the middle of requests: each is answered whole or not at all, and what was acknowledged is stored."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from itertools import count
from time import sleep
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

import pytest

from foldin.workspace import Workspace
from tests.faults.scale import rounds
from tests.service.server import PATIENCE, Server, serving

CLIENTS = 8
Outcome: TypeAlias = Literal["answered", "cut off", "refused"]


def ask(connection: HTTPConnection, path: str, body: object, key: str) -> Outcome:
    """Whether there was an answer, half an answer, or none."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    try:
        connection.request("POST", path, json.dumps(body), headers)
        response = connection.getresponse()
    except (ConnectionError, TimeoutError):
        return "refused"
    except HTTPException:
        return "cut off"
    try:
        assert isinstance(json.loads(response.read()), dict)
    except (OSError, HTTPException, ValueError):
        return "cut off"
    return "answered" if response.status == 200 else "refused"


def ask_until_refused(server: Server, user: str) -> tuple[Counter[Outcome], list[str]]:
    """How the requests of a client ended, and which events were acknowledged."""
    outcomes, stored = Counter[Outcome](), list[str]()
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    for number in count():
        event = {"user": user, "item": f"{user}-{number}"}
        told = ask(connection, "/v1/events", {"events": [event]}, server.key)
        if told == "answered":
            stored.append(event["item"])
            people = {"people": [{"user": user}] * 64, "k": 12}
            outcomes[told] += 1
            told = ask(connection, "/v1/recommend/batch", people, server.key)
        outcomes[told] += 1
        if told != "answered":
            break
    connection.close()
    return outcomes, stored


@pytest.mark.parametrize("seed", range(rounds(30)))
def test_no_answer_is_cut_off_and_the_exit_code_is_0(seed: int, new_workspace: Callable[[], Workspace]) -> None:
    workspace = new_workspace()
    with serving(workspace.folder) as server, ThreadPoolExecutor(CLIENTS) as threads:
        running = [threads.submit(ask_until_refused, server, f"client{number}") for number in range(CLIENTS)]
        sleep(random.Random(seed).uniform(0.3, 1))
        assert server.stop() == 0
        done = [client.result() for client in running]
    outcomes = sum((counted for counted, _ in done), Counter[Outcome]())
    assert outcomes["answered"] > 2 * CLIENTS
    assert outcomes["cut off"] == 0
    with workspace.store() as store:
        for number, (_, stored) in enumerate(done):
            assert set(stored) <= set(store.history(f"client{number}").item_ids)
