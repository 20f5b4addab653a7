"""kill -9 of the service while events come in: whatever was acknowledged is there afterwards, and no batch is torn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from random import Random
from threading import Event

import httpx

from foldin.workspace import Workspace
from tests.faults.scale import rounds
from tests.service.server import Server, serving, until

KILLS = rounds(50)
WRITERS = 4
SIZES = (1, 3, 50)
"""Events in a batch."""


def write_until_killed(server: Server, user: str, acknowledged: list[str], enough: Callable[[], bool]) -> None:
    """Posts batch after batch, noting those that were acknowledged; items are called after their batch."""
    random = Random(user)
    with server.client() as client:
        for number in count():
            batch, size = f"{user}/{number}", random.choice(SIZES)
            events = [{"user": user, "item": f"{batch}/{size}/{place}"} for place in range(size)]
            try:
                assert client.post("/v1/events", json={"events": events}).json()["stored"] == size
            except httpx.TransportError:
                return
            acknowledged.append(f"{batch}/{size}")
            if enough():
                return


def batches(server: Server, user: str) -> Counter[str]:
    """The batches the service knows of a user, with their numbers of events."""
    with server.client() as client:
        history = client.get("/v1/user", params={"user": user}).json().get("history", [])
    return Counter(one["item"].rpartition("/")[0] for one in history)


def check(server: Server, acknowledged: dict[str, list[str]]) -> None:
    for user, told in acknowledged.items():
        kept = batches(server, user)
        assert set(told) <= set(kept)
        assert [batch for batch, events in kept.items() if events != int(batch.rpartition("/")[2])] == []


def test_nothing_that_was_acknowledged_is_lost(new_workspace: Callable[[], Workspace]) -> None:
    folder, random = new_workspace().folder, Random(0)
    acknowledged: dict[str, list[str]] = {}
    for kill in range(KILLS):
        users = {f"writer {kill} {number}": list[str]() for number in range(WRITERS)}
        with serving(folder) as server, ThreadPoolExecutor(WRITERS) as threads:
            check(server, acknowledged)
            never = Event()
            for user, told in users.items():
                threads.submit(write_until_killed, server, user, told, never.is_set)
            goal = random.randint(1, 200)
            until(lambda: sum(map(len, users.values())) >= goal)  # noqa: B023 - called at once
            server.process.kill()
            server.process.wait()
        # of those before, one round's suffice at each start, and all of them at the end
        acknowledged = users if kill < KILLS - 1 else acknowledged | users
    with serving(folder) as server:
        check(server, acknowledged)
