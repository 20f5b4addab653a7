"""Ten times as many clients as it takes: an answer costs little more, the rest is told to come again; memory stays."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from subprocess import check_output
from urllib.parse import urlsplit

import psutil

from foldin.service.crowd import FEW
from tests.faults.scale import SOAK, rounds
from tests.service.server import FOLDIN, Server, serving

ENOUGH = 64
"""Clients that keep a service busy: as many rankings as it scores at once."""

PAIRS = 3 if SOAK else 1
"""How often a turn of the peak and one of the overload are compared."""

SECONDS = rounds(20)
"""Of each turn at least; those of the peak and of the overload alternate."""

ANSWERS = rounds(3_000)
"""In each turn at least, however slow the machine is."""

REFUSAL = 0.5
"""How much of the work of an answer a refusal may take: how many are refused in a turn depends on the machine."""

GOODPUT = 0.75
"""What a second of the service's work brings, as a part of what it brings at the peak. The work is measured by the
processor's time, which passes only while the service works, whatever else the machine does."""

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Turn:
    """What became of the requests, how many waited with each that was answered, and the seconds of work."""

    outcomes: dict[str, int]
    beside: float
    worked: float


def pressed(server: Server, clients: int) -> Turn:
    """A turn of so many clients."""
    arguments = [str(urlsplit(server.url).port), server.key, str(clients), str(SECONDS), str(ANSWERS)]
    before = work(server)
    told = check_output([sys.executable, "-m", "tests.service.faults.pressing", *arguments], cwd=ROOT)
    return Turn(**json.loads(told), worked=work(server) - before)


def work(server: Server) -> float:
    """Seconds of the processor that the service has had."""
    times = psutil.Process(server.process.pid).cpu_times()
    return float(times.user + times.system)


def memory(server: Server) -> int:
    return int(psutil.Process(server.process.pid).memory_info().rss)


def overloaded(server: Server) -> Turn:
    """The same of ten times as many as keep it busy; the store's page cache, which grows with the store, is the peak's
    as well."""
    before = memory(server)
    turn = pressed(server, 10 * ENOUGH)
    assert memory(server) < 1.2 * before
    return turn


def goodput(turns: tuple[Turn, ...]) -> float:
    """Answers for a second of work, and refusals as the part of one that they may take."""
    brought = sum(turn.outcomes["answered"] + REFUSAL * turn.outcomes["refused"] for turn in turns)
    return brought / sum(turn.worked for turn in turns)


def test_ten_times_the_load_neither_fills_memory_nor_stops_answers(workspace: Path) -> None:
    with serving(workspace, "--rate", "1000000", program=FOLDIN) as server:
        pressed(server, ENOUGH)
        turns = [(pressed(server, ENOUGH), overloaded(server)) for _ in range(PAIRS)]
        peaks, overloads = zip(*turns, strict=True)
        assert {name for turn in (*peaks, *overloads) for name in turn.outcomes} == {"answered", "refused"}
        assert goodput(overloads) >= GOODPUT * goodput(peaks)
        assert all(turn.outcomes["refused"] for turn in overloads)
        assert all(turn.beside >= FEW / 2 for turn in overloads)  # it never lacked work that it had refused
        with server.client() as client:
            assert client.post("/v1/recommend", json={"user": "u02"}).status_code == 200
