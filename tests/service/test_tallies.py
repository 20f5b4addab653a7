"""Several workers measure as one: whichever is asked tells the sum, also of those that were killed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

import httpx
import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Metric

from foldin.service.tallies import Tallies
from tests.service.server import PATIENCE, Server, serving, until

ROOT = Path(__file__).parents[2]
RANKINGS = re.compile(r'^foldin_recommendations_total{start="warm"} (\S+)$', re.M)
REQUESTS = re.compile(r'^foldin_request_seconds_count{method="POST",route="/v1/recommend",status="200"} (\S+)$', re.M)
LIVE = re.compile(r"^foldin_model{.*$", re.M)


def workers_of(server: Server) -> list[psutil.Process]:
    children = psutil.Process(server.process.pid).children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


@contextmanager
def alone(server: Server, worker: psutil.Process) -> Iterator[None]:
    """Nobody answers meanwhile but this one: the kernel gives connections to whom it likes."""
    others = [other for other in workers_of(server) if other != worker]
    for other in others:
        other.suspend()
    yield
    for other in others:
        other.resume()


def recommend(client: httpx.Client, times: int) -> None:
    for _ in range(times):
        body = {"history": ["i01"], "k": 1}
        client.post("/v1/recommend", json=body, headers={"Connection": "close"}).raise_for_status()


def told(client: httpx.Client) -> str:
    return client.get("/metrics", headers={"Connection": "close"}).raise_for_status().text


def rankings(client: httpx.Client) -> float:
    found = RANKINGS.search(told(client))
    return float(found[1]) if found else 0


def test_a_scrape_tells_the_sum_over_workers_and_never_less(workspace: Path) -> None:
    with serving(workspace, "--workers", "2") as server, server.client() as client:
        one, other = until(lambda: found if len(found := workers_of(server)) == 2 else None)
        with alone(server, one):
            recommend(client, 3)
            assert rankings(client) == 3
        with alone(server, other):
            recommend(client, 4)
            assert rankings(client) == 7
        with alone(server, one):
            text = told(client)
        assert REQUESTS.findall(text) == ["7.0"]
        assert LIVE.findall(text) == [f'foldin_model{{version="{client.get("/v1/models").json()["live"]}"}} 1.0']
        one.kill()
        until(lambda: has_ended(one))
        with server.client() as later:  # the connection of before was to the one that has ended
            recommend(later, 5)
            until(lambda: rankings(later) == 12)


def has_ended(process: psutil.Process) -> bool:
    """Whether it runs no more; a patient parent may notice the end of one that it has just asked much later."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_counts_stay_when_a_process_has_ended_and_what_is_so_just_now_goes(tmp_path: Path) -> None:
    here = Tallies(tmp_path, measured(4))
    command = [sys.executable, "-c", f"from {__name__} import measure; measure({str(tmp_path)!r}, 3)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as other:
        try:
            assert other.stdout is not None
            other.stdout.readline()
            assert values(here) == {"foldin_events_total": 7, "foldin_queue": 7, "foldin_model_age_seconds": 4}
        finally:
            other.kill()
    assert values(here) == {"foldin_events_total": 7, "foldin_queue": 4, "foldin_model_age_seconds": 4}
    here.close()


def test_a_folder_that_is_gone_leaves_what_this_process_measures(tmp_path: Path) -> None:
    here = Tallies(tmp_path / "gone", measured(4))
    assert values(here)["foldin_events_total"] == 4
    here.close()


def measure(folder: str, number: int) -> None:
    """What the other process does, until it is killed."""
    Tallies(Path(folder), measured(number)).total()
    print(flush=True)  # noqa: T201 - it says that it is ready
    sleep(PATIENCE)


def measured(number: int) -> Callable[[], list[Metric]]:
    registry = CollectorRegistry()
    Counter("foldin_events", "Events.", registry=registry).inc(number)
    Gauge("foldin_queue", "Waiting.", registry=registry).set(number)
    Gauge("foldin_model_age_seconds", "Age.", registry=registry).set(number)
    return lambda: list(registry.collect())


def values(tallies: Tallies) -> dict[str, float]:
    samples = (sample for metric in tallies.total() for sample in metric.samples)
    return {sample.name: sample.value for sample in samples if not sample.name.endswith("_created")}
