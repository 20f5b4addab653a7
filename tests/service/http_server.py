"""HTTP server of an ASGI application in a thread, with the service's own connections, for tests of these."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Thread
from time import monotonic, sleep
from typing import Any, cast

import uvicorn

from foldin.service.connection_limit import ConnectionLimit
from foldin.service.connections import Connection
from tests.service.server import PATIENCE

__all__ = ["HttpServer", "read_answer", "serve_app"]

SEND_BUFFER = 2**16
"""Bytes that the kernel takes for a connection; by itself it takes megabytes."""


@dataclass(frozen=True)
class HttpServer:
    """A running server."""

    port: int
    server: uvicorn.Server

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self.server.server_state.connections)

    @property
    def requests(self) -> int:
        """How many have been answered."""
        return self.server.server_state.total_requests

    def connect(self, receive_buffer: int | None = None) -> socket.socket:
        """Open a connection."""
        connection = socket.socket()
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(PATIENCE)
        connection.connect(("127.0.0.1", self.port))
        return connection


@contextmanager
def serve_app(app: Any, most: int = 1_000) -> Iterator[HttpServer]:
    """Serve an application with at most so many connections."""
    connection = cast(type[asyncio.Protocol], partial(Connection, limit=ConnectionLimit(most)))
    config = uvicorn.Config(
        app, http=connection, ws="none", lifespan="off", log_config=None, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0), backlog=1_024) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)  # connections inherit it
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            _wait_until_started(server)
            yield HttpServer(listening.getsockname()[1], server)
        finally:
            server.should_exit = True
            thread.join(PATIENCE)


def read_answer(connection: socket.socket) -> bytes:
    """Read one answer and nothing of the next, which stays in the socket."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += _read_some(connection, 1)
    assert head.startswith(b"HTTP/1.1 200 ")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    body = b""
    while len(body) < length:
        body += _read_some(connection, length - len(body))
    return body


def _read_some(connection: socket.socket, most: int) -> bytes:
    some = connection.recv(most)
    assert some, "the connection was closed"
    return some


def _wait_until_started(server: uvicorn.Server) -> None:
    end = monotonic() + PATIENCE
    while not server.started and monotonic() < end:
        sleep(0.01)
    assert server.started
