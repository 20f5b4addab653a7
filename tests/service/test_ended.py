"""SIGTERM ends the service in order: what was asked is answered, what was brought is stored."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import httpx
import psutil
import pytest

from foldin.workspace import Workspace
from tests.service.server import PATIENCE, Server, send, serving, until

EVENT = {"user": "last", "item": "i01"}


def is_shut(server: Server) -> bool:
    try:
        httpx.get(f"{server.url}/health/live", timeout=PATIENCE, verify=False)
    except (httpx.NetworkError, httpx.RemoteProtocolError):
        return True
    return False


def test_what_waits_for_the_disk_is_answered_before_the_end(new_workspace: Callable[[], Workspace]) -> None:
    workspace = new_workspace()
    with serving(workspace.folder) as server, ThreadPoolExecutor() as threads:
        other = apsw.Connection(str(workspace.folder / "store.sqlite"))
        other.execute("BEGIN IMMEDIATE")
        waiting = send(threads, server, "POST", "/v1/events", {"events": [EVENT]})
        assert not waiting.done()
        server.process.terminate()
        until(lambda: is_shut(server))
        other.execute("ROLLBACK")
        other.close()
        assert waiting.result().json()["stored"] == 1
        assert server.process.wait(PATIENCE) == 0
    with workspace.store() as store:
        assert store.history("last").item_ids == ("i01",)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_end_leaves_nothing_to_complain_of(workers: str, workspace: Path) -> None:
    with serving(workspace, "--workers", workers) as server:
        assert server.stop() == 0
        assert "leaked" not in server.log.read_text(encoding="utf-8")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_log_holds_all_that_was_answered_and_the_end(workers: str, workspace: Path) -> None:
    with serving(workspace, "--workers", workers) as server, server.client() as client:
        for number in range(20):
            client.get("/health/live", headers={"X-Request-ID": f"request-{number}"})
        assert server.stop() == 0
        log = server.log.read_text(encoding="utf-8")
    assert [f'"request-{number}"' in log for number in range(20)] == [True] * 20
    assert log.count("Finished server process") == int(workers)


def test_workers_end_with_a_supervisor_that_is_killed(workspace: Path) -> None:
    with serving(workspace, "--workers", "2") as server:
        workers = psutil.Process(server.process.pid).children(recursive=True)
        assert len(workers) >= 2
        server.process.kill()
        server.process.wait()
        try:
            until(lambda: not any(worker.is_running() for worker in workers))
        finally:
            for worker in workers:
                if worker.is_running():
                    worker.kill()
        assert is_shut(server)
