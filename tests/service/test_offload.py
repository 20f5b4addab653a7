"""Long work on a thread: bounded waiting, an end at the request's deadline, and an exit that waits for no thread."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from time import sleep

import httpx
import pytest

from foldin.service.busy import BusyError
from foldin.service.offload import Worker, check_cancelled, offload
from foldin.workspace import Workspace
from tests.service.loops import completed
from tests.service.server import serving

HANGING = """
import sys, threading
import foldin.service.bodies, foldin.service.running, foldin.service.service
from foldin.cli.app import main
foldin.service.running.DRAIN = 1
foldin.service.running.CLOSE_SECONDS = 1.0
hang = lambda *_: threading.Event().wait()
foldin.service.bodies.parse_json = foldin.service.service.Service.all_measures = hang
main()
"""
"""The program of a service in which some work never ends."""


@contextmanager
def open_worker(max_waiting: int | None = None) -> Iterator[Worker]:
    worker = Worker("test", max_waiting)
    yield worker
    worker.close()


def wait(released: Event) -> str:
    assert released.wait(30)
    return "done"


def loop_until_cancelled(steps: list[int]) -> None:
    for step in range(30_000):
        check_cancelled()
        steps.append(step)
        sleep(0.001)


def test_work_over_the_limit_is_refused_until_there_is_room() -> None:
    async def ask() -> list[str]:
        released = Event()
        with open_worker(2) as worker:
            waiting = [asyncio.ensure_future(worker.run(lambda: wait(released))) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(BusyError):
                await worker.run(str)
            released.set()
            return [*await asyncio.gather(*waiting), await worker.run(lambda: "room")]

    assert completed(ask()) == ["done", "done", "room"]


def test_cancelled_work_leaves_room_and_is_not_started() -> None:
    async def ask() -> tuple[str, list[str]]:
        released, started = Event(), list[str]()
        with open_worker(3) as worker:
            running = asyncio.ensure_future(worker.run(lambda: wait(released)))
            cancelled = [asyncio.ensure_future(worker.run(lambda: started.append("late"))) for _ in range(2)]
            await asyncio.sleep(0)
            for one in cancelled:
                one.cancel()
            await asyncio.gather(*cancelled, return_exceptions=True)
            released.set()
            await running
            return await worker.run(lambda: "room"), started

    assert completed(ask()) == ("room", [])


def test_running_work_stops_at_the_deadline_of_its_request() -> None:
    async def ask() -> list[int]:
        steps: list[int] = []
        with open_worker() as worker:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await worker.run(lambda: loop_until_cancelled(steps))
            await worker.run(str)  # the thread is free again
            return steps

    assert 0 < len(completed(ask())) < 10_000


def test_closing_stops_what_runs_and_does_not_wait_for_what_hangs() -> None:
    async def ask() -> None:
        released, steps = Event(), list[int]()
        for work in (lambda: wait(released), lambda: loop_until_cancelled(steps)):
            worker = Worker("test")
            running = asyncio.ensure_future(worker.run(work))
            await asyncio.sleep(0.01)
            worker.close()
            with pytest.raises(asyncio.CancelledError):
                await running
        released.set()
        count = len(steps)
        await asyncio.sleep(0.05)
        assert len(steps) <= count + 1

    completed(ask())


def test_an_error_in_work_is_raised_where_it_is_awaited() -> None:
    async def ask() -> None:
        with pytest.raises(ValueError, match="7"):
            await offload(lambda: raise_error("7"), long=True)

    completed(ask())


def raise_error(text: str) -> None:
    raise ValueError(text)


def test_nothing_is_cancelled_outside_of_a_worker() -> None:
    check_cancelled()


def test_a_service_with_work_that_hangs_ends_on_sigterm(new_workspace: Callable[[], Workspace]) -> None:
    with serving(new_workspace().folder, program=("-c", HANGING)) as server, server.client() as client:
        client.timeout = 1.0
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v1/recommend", json={"history": ["i01"], "exclude": ["x" * 40_000]})
        with pytest.raises(httpx.ReadTimeout):
            client.get("/metrics")
        assert server.stop() == 1
        (line,) = (line for line in server.log.read_text(encoding="utf-8").splitlines() if "exit forced" in line)
    # the process would have ended but for the thread of `asyncio.to_thread`
    assert not any("foldin" in name for name in json.loads(line)["threads"])
