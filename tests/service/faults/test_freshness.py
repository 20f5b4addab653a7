"""What was posted is known to the very next recommendation, whichever process answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx

from foldin.workspace import Workspace
from tests.faults.scale import rounds
from tests.service.server import Server, serving

CLIENTS = 8
PAIRS = rounds(1_000) // CLIENTS
ITEMS = 12

MOST_TURNS = 20
"""Which process gets a connection is the kernel's affair: where there is little to do it may be the same for long."""

TOOK = re.compile(r'"process": (\d+).*"route": "/v1/events"')


def ask(client: httpx.Client, method: str, path: str, body: object = None) -> httpx.Response:
    """On a connection of its own, so that any process may get it."""
    return client.request(method, path, json=body, headers={"Connection": "close"}).raise_for_status()


def stale_pairs(server: Server, client: str) -> int:
    """How many recommendations held what had just been posted; `client`: a name for its users."""
    stale = 0
    with server.client() as asking:
        for pair in range(PAIRS):
            event = {"user": f"user {client} {pair // ITEMS}", "item": f"i{pair % ITEMS:02}"}
            assert ask(asking, "POST", "/v1/events", {"events": [event]}).json()["stored"] == 1
            found = ask(asking, "POST", "/v1/recommend", {"user": event["user"], "k": ITEMS}).json()["items"]
            assert len(found) == ITEMS - 1 - pair % ITEMS
            stale += event["item"] in [one["item"] for one in found]
    return stale


def who_stored(server: Server) -> set[str]:
    """The processes whose lines in the log say that they took events."""
    return {found[1] for found in TOOK.finditer(server.log.read_text(encoding="utf-8"))}


def test_no_recommendation_is_stale(new_workspace: Callable[[], Workspace]) -> None:
    with serving(new_workspace().folder, "--workers", "2") as server, ThreadPoolExecutor(CLIENTS) as threads:
        for turn in range(MOST_TURNS):
            clients = [f"{turn}-{client}" for client in range(CLIENTS)]
            assert sum(threads.map(partial(stale_pairs, server), clients)) == 0
            if len(who_stored(server)) == 2:
                return  # each process stored some, and answered for what the other had
        raise AssertionError("one process answered everything")
