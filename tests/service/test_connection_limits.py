"""Connections that do not read, wait idle or pipeline without end neither stay nor keep other clients out."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPResponse
from pathlib import Path
from subprocess import check_output
from time import sleep
from urllib.parse import urlsplit

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from foldin.service import connections
from foldin.service.connection_limit import RESERVED_FILES, ConnectionLimit
from foldin.service.connections import MAX_PIPELINED, WRITE_CHECK, WRITE_TIMEOUT, Connection
from tests.service.http_server import HttpServer, read_answer, serve_app
from tests.service.server import PATIENCE, serving, until

LARGE = b"x" * 2**20
"""More than the kernel holds for a connection."""

GET = b"GET /large HTTP/1.1\r\nHost: service\r\n\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a large body, or a small one."""
    answer = LARGE if scope["path"] == "/large" else b"small"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(answer))]})
    await send({"type": "http.response.body", "body": answer})


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    with serve_app(app) as running:
        yield running


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "WRITE_TIMEOUT", 0.5)
    monkeypatch.setattr(connections, "WRITE_CHECK", 0.1)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("requests", [1, 20])
def test_connections_that_never_read_are_closed_without_a_traceback(
    requests: int, server: HttpServer, caplog: pytest.LogCaptureFixture
) -> None:
    before = server.requests
    with ExitStack() as opened:
        for _ in range(50):
            opened.enter_context(server.connect(receive_buffer=4_096)).sendall(GET * requests)
        until(lambda: server.requests >= before + 50)
        until(lambda: server.connections == 0)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.usefixtures("impatient")
def test_a_slow_reader_gets_the_whole_answer(server: HttpServer) -> None:
    with server.connect(receive_buffer=4_096) as connection:
        connection.sendall(GET)
        response = HTTPResponse(connection)
        response.begin()
        parts = []
        for _ in range(24):  # for longer than one that reads nothing is waited for
            parts.append(response.read(2**15))
            sleep(0.04)
        parts.append(response.read())
    assert len(b"".join(parts)) == len(LARGE)


class Clock:
    """Event loop whose time passes on demand, with the timers alone."""

    def __init__(self) -> None:
        self.now = 0.0
        self._timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None]) -> Clock:
        self._timers.append((self.now + delay, callback))
        return self

    def cancel(self) -> None:
        """Timers run out all the same: none of these tests cancels one."""

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [timer for timer in self._timers if timer[0] <= end]:
            first = min(due, key=lambda timer: timer[0])
            self._timers.remove(first)
            self.now = first[0]
            first[1]()
        self.now = end


class Peer(asyncio.Transport):
    """Transport of which nothing is read unless a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.unread = 0
        self.closing = self.aborted = False

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = self.aborted = True


def connect(clock: Clock, limit: ConnectionLimit | None = None) -> tuple[Connection, Peer]:
    config, peer = uvicorn.Config(app, ws="none", lifespan="off", log_config=None), Peer()
    config.load()
    connection = Connection(
        config=config, server_state=ServerState(), app_state={}, _loop=clock, limit=limit or ConnectionLimit(10)
    )
    connection.connection_made(peer)
    return connection, peer


def test_what_is_not_read_is_aborted_in_time() -> None:
    clock = Clock()
    _, peer = connect(clock)
    peer.unread = 10_000
    clock.advance(WRITE_TIMEOUT - WRITE_CHECK)
    assert not peer.aborted
    clock.advance(2 * WRITE_CHECK)
    assert peer.aborted


def test_what_is_read_slowly_is_not_aborted() -> None:
    clock = Clock()
    _, peer = connect(clock)
    peer.unread = 10_000
    for _ in range(20):
        clock.advance(WRITE_TIMEOUT / 2)
        peer.unread -= 100
    assert not peer.aborted
    clock.advance(2 * WRITE_TIMEOUT)
    assert peer.aborted


def test_a_connection_that_is_closed_does_not_wait_for_ever_for_its_peer() -> None:
    clock = Clock()
    connection, peer = connect(clock)
    peer.unread = 100
    connection.timeout_keep_alive_handler()
    assert (peer.closing, peer.aborted) == (True, False)
    clock.advance(WRITE_TIMEOUT + WRITE_CHECK)
    assert peer.aborted


def test_one_connection_too_many_closes_the_one_that_is_idle_longest() -> None:
    clock, limit = Clock(), ConnectionLimit(3)
    (busy, busy_peer), (_, first), (_, second) = (connect(clock, limit) for _ in range(3))
    limit.mark_busy(busy)
    _, third = connect(clock, limit)
    assert [peer.aborted for peer in (busy_peer, first, second, third)] == [False, True, False, False]
    limit.mark_idle(busy)
    _, fourth = connect(clock, limit)
    assert [peer.aborted for peer in (busy_peer, second, third, fourth)] == [False, True, False, False]


def test_a_connection_that_is_lost_makes_room() -> None:
    clock, limit = Clock(), ConnectionLimit(2)
    (_, first), (second, _) = (connect(clock, limit) for _ in range(2))
    second.connection_lost(ConnectionResetError())
    _, third = connect(clock, limit)
    assert not first.aborted
    assert not third.aborted


def test_where_all_others_are_busy_the_new_connection_is_refused() -> None:
    clock, limit = Clock(), ConnectionLimit(1)
    busy, peer = connect(clock, limit)
    limit.mark_busy(busy)
    _, new = connect(clock, limit)
    assert (peer.aborted, new.aborted) == (False, True)


def test_idle_connections_keep_no_client_out() -> None:
    with serve_app(app, most=20) as server, ExitStack() as opened:
        for _ in range(60):
            opened.enter_context(server.connect())
        with server.connect() as connection:
            connection.sendall(GET)
            assert read_answer(connection) == LARGE
        assert server.connections <= 20


def test_more_connections_than_files_keep_no_client_out(workspace: Path) -> None:
    files = RESERVED_FILES + 50
    with serving(workspace, files=files) as server, ExitStack() as opened:
        place = urlsplit(server.url)
        for _ in range(files):
            opened.enter_context(socket.create_connection((str(place.hostname), place.port or 0), PATIENCE))
        with server.client() as client:
            assert client.post("/v1/recommend", json={"user": "u02"}).status_code == 200
        assert "Too many open files" not in server.log.read_text(encoding="utf-8")


RAISED = """
import resource
from foldin.service.connection_limit import max_connections, raise_file_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 600))
before = max_connections()
raise_file_limit()
print(before, resource.getrlimit(resource.RLIMIT_NOFILE), max_connections())
"""


def test_the_limit_of_open_files_is_raised_and_connections_stay_below_it() -> None:
    assert check_output([sys.executable, "-c", RAISED], text=True) == f"50 (600, 600) {600 - RESERVED_FILES}\n"


def test_too_many_pipelined_requests_are_refused(server: HttpServer) -> None:
    request = b"GET / HTTP/1.1\r\nHost: service\r\n\r\n"
    with server.connect() as connection:
        connection.sendall(request * MAX_PIPELINED)
        for _ in range(MAX_PIPELINED):
            assert read_answer(connection) == b"small"
    with server.connect() as connection:
        connection.sendall(request * (MAX_PIPELINED + 2))
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""
