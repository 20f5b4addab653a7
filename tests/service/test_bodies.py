"""Bodies that are late, large or cut off."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from select import select
from urllib.parse import urlsplit

import apsw
import httpx

from foldin.service.settings import Settings
from tests.service.server import PATIENCE, Server, serving, until

MOST_EVENTS = 10_000


@contextmanager
def begun(server: Server, path: str, length: int, body: bytes = b"", name: str = "half") -> Iterator[socket.socket]:
    """A request of which not all comes; the log knows it by its name."""
    place = urlsplit(server.url)
    assert place.hostname is not None
    assert place.port is not None
    with socket.create_connection((place.hostname, place.port), PATIENCE) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {server.key}\r\n"
        head += f"X-Request-ID: {name}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        connection.sendall(head.encode() + body)
        yield connection


def test_a_body_of_which_nothing_more_comes_is_given_up(server: Server) -> None:
    for path in ("/v1/recommend", "/v1/events"):
        with begun(server, path, 100, b'{"k": ') as connection:
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"nothing more of the body came" in answer


def test_half_a_body_does_nothing(server: Server, client: httpx.Client) -> None:
    before = client.get("/v1/jobs").json()
    with begun(server, "/v1/train", 100, name="half-1"):
        pass
    with begun(server, "/v1/events", 1_000, b'{"events": [{"user": "half", "item": "i01"}]}', name="half-2"):
        pass
    for name in ("half-1", "half-2"):
        until(lambda: f'"{name}"' in server.log.read_text(encoding="utf-8"))  # noqa: B023 - called at once
    assert client.get("/v1/users/half").status_code == 404
    assert client.get("/v1/jobs").json() == before


def test_writers_that_wait_for_the_disk_keep_nobody_from_reading(workspace: Path) -> None:
    with serving(workspace) as server, server.client() as client, ExitStack() as writers:
        other = apsw.Connection(str(workspace / "store.sqlite"))
        other.execute("BEGIN IMMEDIATE")
        event = b'{"events": [{"user": "waiting", "item": "i01"}]}'
        for _ in range(Settings.most_requests):
            writers.enter_context(begun(server, "/v1/events", len(event), event))
        others: list[socket.socket] = []
        until(lambda: is_refused(others, writers.enter_context(begun(server, "/v1/events", len(event), event))))
        assert client.get("/v1/models").status_code == 200
        assert client.get("/metrics").status_code == 200
        assert client.get("/v1/users/u02").status_code == 200
        other.execute("ROLLBACK")
        other.close()
        until(lambda: client.get("/v1/users/waiting").status_code == 200)


def test_whoever_has_no_key_keeps_nobody_out(workspace: Path) -> None:
    with serving(workspace) as server, server.client() as client, ExitStack() as strangers:
        for _ in range(Settings.most_requests):
            strangers.enter_context(begun(replace(server, key=""), "/health/live", 1_000, b" "))
        event = {"user": "let in", "item": "i01"}
        assert client.post("/v1/events", json={"events": [event]}).status_code == 200
        assert client.get("/v1/users/let in").status_code == 200
        assert client.post("/what-if", data={"user": "u02"}).status_code == 200


def is_refused(others: list[socket.socket], another: socket.socket) -> bool:
    """Whether one of those that would write, too, hears that there is no room; who has room is not answered yet."""
    others.append(another)
    answered, _, _ = select(others, [], [], 0.1)
    return any(b" 503 " in connection.recv(65_536) for connection in answered)


def test_as_many_events_as_allowed_fit_in_one_request(client: httpx.Client) -> None:
    events = [
        {
            "user": f"a user with a rather long name {place % 100:08}",
            "item": f"an item with a rather long name {place:08}",
            "kind": "view",
            "value": 1.5,
            "time": "2026-03-01T09:00:00.123456+01:00",
            "event_id": f"01234567-89ab-cdef-0123-{place:012}",
        }
        for place in range(MOST_EVENTS)
    ]
    whole = client.post("/v1/events", json={"events": events})
    assert whole.json()["stored"] == MOST_EVENTS
    packed = gzip.compress(json.dumps({"events": events, "partial": True}).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    again = client.post("/v1/events", content=packed, headers=headers).json()
    assert (again["known"], again["codes"]) == (MOST_EVENTS, [200] * MOST_EVENTS)


def test_bodies_have_a_limit_where_events_come_in_too(client: httpx.Client) -> None:
    bomb = gzip.compress(b" " * 2**25)
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert client.post("/v1/events", content=bomb, headers=packed).status_code == 413
    assert client.post("/v1/events", content=b" " * (2**22 + 1)).status_code == 413
