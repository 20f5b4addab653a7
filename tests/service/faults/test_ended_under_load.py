"""SIGTERM in the middle of requests: each is answered whole or not at all, and what was acknowledged is stored."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from itertools import count
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

import pytest

from foldin.workspace import Workspace
from tests.faults.scale import rounds
from tests.service.server import PATIENCE, Server, serving, until

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


def ask_until_refused(server: Server, user: str, outcomes: Counter[Outcome]) -> list[str]:
    """Counts how the requests of a client end; which events were acknowledged."""
    stored = list[str]()
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
    return stored


@pytest.mark.parametrize("seed", range(rounds(30)))
def test_no_answer_is_cut_off_and_the_exit_code_is_0(seed: int, new_workspace: Callable[[], Workspace]) -> None:
    workspace, counted = new_workspace(), [Counter[Outcome]() for _ in range(CLIENTS)]
    enough = random.Random(seed).randint(3 * CLIENTS, 20 * CLIENTS)
    with serving(workspace.folder) as server, ThreadPoolExecutor(CLIENTS) as threads:
        running = [
            threads.submit(ask_until_refused, server, f"client{number}", outcomes)
            for number, outcomes in enumerate(counted)
        ]
        until(lambda: sum(outcomes["answered"] for outcomes in counted) >= enough)
        assert server.stop() == 0
        done = [client.result() for client in running]
    assert sum(outcomes["cut off"] for outcomes in counted) == 0
    with workspace.store() as store:
        for number, stored in enumerate(done):
            assert set(stored) <= set(store.history(f"client{number}").item_ids)
