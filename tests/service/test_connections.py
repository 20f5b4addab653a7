"""Connections that bring no request are closed, whoever opens them."""

from __future__ import annotations

import http.client
import socket
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import apsw
import httpx
import pytest

from tests.service.server import PATIENCE, Server, serving

HALF = b"GET /health/live HTTP/1.1\r\nHost: service\r\nX-Half: "

FLOOD = b"x" * 2**23
"""More than the sockets of both sides buffer."""

WHOLE = b"GET /health/live HTTP/1.1\r\nHost: service\r\n\r\n"
REFUSED = b"POST /v1/events HTTP/1.1\r\nHost: service\r\nContent-Length: 100\r\n\r\n"
BEGUN = (b"", b"\r\n", HALF, WHOLE + HALF, REFUSED + b"{")


def connected(server: Server) -> socket.socket:
    place = urlsplit(server.url)
    return socket.create_connection((str(place.hostname), place.port or 0), PATIENCE)


def test_a_connection_without_a_whole_request_is_closed(server: Server) -> None:
    with ExitStack() as open_ones:
        connections = [open_ones.enter_context(connected(server)) for _ in BEGUN]
        for connection, begun in zip(connections, BEGUN, strict=True):
            connection.sendall(begun)
        answers = [b"".join(iter(lambda: one.recv(65_536), b"")) for one in connections]  # noqa: B023 - called at once
    assert [answer.count(b"HTTP/1.1 ") for answer in answers] == [0, 0, 0, 1, 1]


def test_a_header_has_an_end(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(HALF)
        with pytest.raises(ConnectionError):
            connection.sendall(FLOOD)


def test_a_header_has_an_end_while_another_request_is_answered(workspace: Path) -> None:
    with serving(workspace) as server, connected(server) as connection:
        other = apsw.Connection(str(workspace / "store.sqlite"))
        other.execute("BEGIN IMMEDIATE")
        event = b'{"events": [{"user": "waiting", "item": "i01"}]}'
        head = f"POST /v1/events HTTP/1.1\r\nHost: service\r\nAuthorization: Bearer {server.key}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(event)}\r\n\r\n"
        connection.sendall(head.encode() + event + HALF)
        with pytest.raises(ConnectionError):
            connection.sendall(FLOOD)
        other.execute("ROLLBACK")
        other.close()


def test_a_body_that_is_refused_may_come_to_its_end(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(REFUSED.replace(b"100", str(2**25).encode()))
        answers = http.client.HTTPResponse(connection)
        answers.begin()
        assert (answers.status, bool(answers.read())) == (401, True)
        connection.sendall(b" " * 2**25 + WHOLE)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_what_is_kept_alive_goes_on(client: httpx.Client) -> None:
    for _ in range(20):
        assert client.post("/v1/recommend", json={"user": "u02", "only": ["i01"] * 5_000}).status_code == 200
