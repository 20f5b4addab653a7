"""Ten times as many clients as it takes: nearly as much is answered, the rest is told to come again; memory stays."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from subprocess import check_output
from urllib.parse import urlsplit

import psutil
import pytest

from tests.faults.scale import SOAK, rounds
from tests.service.server import Server, serving

ENOUGH = 64
"""Clients that keep a service busy: as many rankings as it scores at once."""

SECONDS = rounds(30)
"""Of each turn; those of the peak and of the overload alternate, so that whatever else the machine does meets both."""

GOODPUT = 0.8 if SOAK else 0.6
"""Of the peak. Of two equal turns as short as those of `make test`, one is often a third faster."""

ROOT = Path(__file__).parents[3]


def pressed(server: Server, clients: int) -> dict[str, int]:
    """What became of the requests of so many clients."""
    arguments = [str(urlsplit(server.url).port), server.key, str(clients), str(SECONDS)]
    command = [sys.executable, "-m", "tests.service.faults.pressing", *arguments]
    outcomes: dict[str, int] = json.loads(check_output(command, cwd=ROOT))
    return outcomes


def memory(server: Server) -> int:
    return int(psutil.Process(server.process.pid).memory_info().rss)


def overloaded(server: Server) -> dict[str, int]:
    """The same of ten times as many as keep it busy; the store's page cache, which grows with the store, is the peak's
    as well."""
    before = memory(server)
    outcomes = pressed(server, 10 * ENOUGH)
    assert memory(server) < 1.2 * before
    return outcomes


@pytest.mark.alone
def test_ten_times_the_load_neither_fills_memory_nor_stops_answers(workspace: Path) -> None:
    with serving(workspace, "--rate", "1000000") as server:
        pressed(server, ENOUGH)
        turns = [(pressed(server, ENOUGH), overloaded(server)) for _ in range(3)]
        peaks, overloads = zip(*turns, strict=True)
        assert {name for one in (*peaks, *overloads) for name in one} == {"answered", "refused"}
        assert sum(one["answered"] for one in overloads) >= GOODPUT * sum(one["answered"] for one in peaks)
        assert all(one["refused"] for one in overloads)
        with server.client() as client:
            assert client.post("/v1/recommend", json={"user": "u02"}).status_code == 200
