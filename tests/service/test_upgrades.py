"""Requests that offer another protocol, as Java's `HttpClient` does by default, are served as HTTP/1.1."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from time import sleep

import pytest
from starlette.types import Receive, Scope, Send

from tests.service.http_server import HttpServer, read_answer, serve_app


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Repeat the method and the body."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    answer = scope["method"].encode() + b" " + body
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(answer))]})
    await send({"type": "http.response.body", "body": answer})


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    with serve_app(app) as running:
        yield running


UPGRADE = (
    b"POST /echo HTTP/1.1\r\nHost: service\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
)
SIZED = UPGRADE + b"Content-Length: 5\r\n\r\n"
CHUNKED = UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "pieces",
    [(SIZED + b"hello",), (SIZED, b"hello"), (SIZED + b"he", b"llo"), (CHUNKED + b"5\r\nhello\r\n", b"0\r\n\r\n")],
)
def test_a_request_to_upgrade_to_http2_is_served_with_its_body(
    pieces: tuple[bytes, ...], server: HttpServer, caplog: pytest.LogCaptureFixture
) -> None:
    with server.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(2):
            for piece in pieces:
                connection.sendall(piece)
                sleep(0.05)
            assert read_answer(connection) == b"POST hello"
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_pipelined_requests_to_upgrade_are_all_served(server: HttpServer) -> None:
    with server.connect() as connection:
        connection.sendall((SIZED + b"hello") * 50)
        assert [read_answer(connection) for _ in range(50)] == [b"POST hello"] * 50


def test_a_request_for_a_websocket_is_served_as_any_other(server: HttpServer) -> None:
    request = b"GET /echo HTTP/1.1\r\nHost: service\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    with server.connect() as connection:
        connection.sendall(request + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n\r\n")
        assert read_answer(connection) == b"GET "
