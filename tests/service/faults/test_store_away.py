"""A store that cannot be written, or is not there for a while: events are refused, the rest goes on, and it is found
again."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import apsw
import httpx
import psutil

from foldin.workspace import Workspace
from tests.service.faults.silent_network import network_to
from tests.service.server import FOLDIN, Server, send, serving, until
from tests.store.postgres_server import PostgresServer

ALONG: dict[str, object] = {"history": ["i01", "i03"], "k": 4}
STORED: dict[str, object] = {"user": "u02", "k": 1}


def post(client: httpx.Client, user: str, item: str = "i01") -> httpx.Response:
    return client.post("/v1/events", json={"events": [{"user": user, "item": item}]})


def refused(answer: httpx.Response) -> bool:
    """Whether it says when to come again, and nothing of where the store is."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["Retry-After"]
    assert "store cannot be used" in answer.json()["detail"]
    assert "/" not in answer.json()["detail"]
    return True


@contextmanager
def full_disk(server: Server, workspace: Workspace) -> Iterator[None]:
    """No file of the service may grow past what the store's log has."""
    process = psutil.Process(server.process.pid)
    size = (workspace.folder / "store.sqlite-wal").stat().st_size
    process.rlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    yield
    process.rlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_a_full_disk_stops_events_alone(new_workspace: Callable[[], Workspace]) -> None:
    workspace = new_workspace()
    with serving(workspace.folder) as server, server.client() as client:
        for number in range(20):
            assert post(client, "before", f"x{number}").json()["stored"] == 1
        with full_disk(server, workspace):
            assert all(refused(post(client, "lost")) for _ in range(5))
            assert refused(client.put("/v1/users/lost", json={"profile": {"role": "admin"}}))
            assert refused(client.delete("/v1/users/before"))
            assert client.post("/v1/recommend", json=ALONG).status_code == 200
            assert client.post("/v1/recommend", json=STORED).json()["items"][0]["item"] == "i02"
            assert len(client.get("/v1/users/before").json()["history"]) == 20
            assert client.get("/health/ready").status_code == 200
        assert post(client, "after").json()["stored"] == 1
        assert client.get("/v1/users/lost").status_code == 404
        assert client.delete("/v1/users/before").json()["events"] == 20
        until(lambda: '"events refused: over"' in server.log.read_text(encoding="utf-8"))
        said = server.log.read_text(encoding="utf-8")
        failed = [json.loads(line) for line in said.splitlines() if '"request failed"' in line]
        assert any(line["request_id"] and "store.sqlite" in line["reason"] for line in failed)
        assert '"lost"' not in said
        assert (said.count('"events refused"'), said.count('"events refused: over"')) == (1, 1)


def test_a_database_that_is_restarted_is_found_again(
    new_workspace: Callable[[str], Workspace], unlucky_postgres_server: PostgresServer
) -> None:
    workspace = new_workspace(unlucky_postgres_server.new_url())
    with serving(workspace.folder) as server, server.client() as client:
        assert post(client, "kept").json()["stored"] == 1
        for end in (unlucky_postgres_server.stop, unlucky_postgres_server.kill):
            end()
            assert refused(post(client, "kept"))
            assert refused(client.get("/v1/users/kept"))
            assert refused(client.put("/v1/items/i01", json={}))
            assert refused(client.post("/v1/recommend", json=STORED))
            assert client.post("/v1/recommend", json=ALONG).status_code == 200
            unready = client.get("/health/ready")
            assert (unready.status_code, unready.json()["writing"]) == (503, "not ready")
            assert client.get("/health/live").status_code == 200
            unlucky_postgres_server.start()
            until(lambda: client.get("/health/ready").status_code == 200)
            until(lambda: client.get("/health/ready?for=write").status_code == 200)  # by another connection
            assert post(client, "kept", "i03").json()["stored"] == 1
            found = client.post("/v1/recommend", json={"user": "kept", "k": 4}).json()["items"]
            assert {one["item"] for one in found} == {"i05", "i07", "i09", "i11"}
            assert client.put("/v1/items/i01", json={"attributes": {"title": "Item i01"}}).status_code == 200
        assert len(client.get("/v1/users/kept").json()["history"]) == 3


def test_histories_do_not_wait_for_a_database_that_does_not_answer(
    new_workspace: Callable[[str], Workspace], postgres_server: PostgresServer
) -> None:
    schema = postgres_server.new_url().rpartition("=")[2]
    with network_to(f"{postgres_server.process.pgdata}/.s.PGSQL.5432") as network:
        url = f"postgresql://postgres@127.0.0.1:{network.port}/postgres?schema={schema}"
        with (
            serving(new_workspace(url).folder, program=FOLDIN) as server,  # its deadline is what is tested
            server.client() as client,
            ThreadPoolExecutor(4) as threads,
        ):
            assert client.post("/v1/recommend", json=STORED).status_code == 200
            network.fall_silent()
            assert client.post("/v1/recommend", json=STORED).status_code == 503
            assert client.get("/health/ready").status_code == 503
            for _ in range(10):  # each would wait for the whole deadline by itself, and all the others with it
                stored = [threads.submit(client.post, "/v1/recommend", json=STORED) for _ in range(3)]
                assert client.post("/v1/recommend", json=ALONG).status_code == 200
                assert all(refused(one.result()) for one in stored)
            network.speak()
            until(lambda: client.get("/health/ready").status_code == 200)
            assert client.post("/v1/recommend", json=STORED).status_code == 200


def test_an_import_keeps_nobody_who_reads_waiting(new_workspace: Callable[[], Workspace]) -> None:
    workspace = new_workspace()
    with serving(workspace.folder) as server, server.client() as client, ThreadPoolExecutor() as threads:
        importing = apsw.Connection(str(workspace.folder / "store.sqlite"))
        importing.execute("BEGIN IMMEDIATE")
        profile = send(threads, server, "PUT", "/v1/users/new", {"profile": {"role": "admin"}})
        events = send(threads, server, "POST", "/v1/events", {"events": [{"user": "new", "item": "i01"}]})
        assert client.get("/health/ready").status_code == 200
        assert client.get("/v1/users/u02").status_code == 200
        assert client.post("/v1/recommend", json=STORED).status_code == 200
        assert not profile.done()
        assert not events.done()
        importing.execute("ROLLBACK")
        importing.close()
        assert profile.result().status_code == 200
        assert events.result().json()["stored"] == 1
