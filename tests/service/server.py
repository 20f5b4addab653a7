"""A service of the tests' own: the real command in a process of its own, asked over real HTTP."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from typing import Any

import httpx

from foldin.service.keys import create_key
from tests.service.forked import ForkedProcess, fork_service

__all__ = ["FOLDIN", "PATIENCE", "Server", "send", "serving", "until"]

PATIENCE = 60.0
"""Seconds that a busy machine may take for anything; they pass only where a test fails."""

FOLDIN = ("-m", "foldin")
"""Arguments of Python that start the service as users do."""


@dataclass(frozen=True)
class Server:
    """A running service; `key` opens everything."""

    process: subprocess.Popen[bytes] | ForkedProcess
    url: str
    key: str
    log: Path

    def client(self, key: str | None = None) -> httpx.Client:
        """Asks with a key, the one that opens everything unless another is given."""
        headers = {"Authorization": f"Bearer {self.key if key is None else key}"}
        # nothing is encrypted here, and to read the certificates of all authorities takes longer than most answers
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE, verify=False)

    def stop(self) -> int:
        """Ends it as an operator does, and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def serving(
    workspace: Path,
    *options: str,
    key: str | None = None,
    log: Path | None = None,
    files: int | None = None,
    program: Sequence[str] | None = None,
) -> Iterator[Server]:
    """The service of a workspace, from when it answers until the end of the block.

    It is forked from a process that has imported it, and has more time than any slow machine takes. `key`: one that
    opens everything; a new one unless given. `log`: where its log goes, the workspace unless given. `files`: how many
    it may open; it then starts as `FOLDIN`. `program`: arguments of Python that run another program as the command,
    such as `FOLDIN` for tests of the service's own limits in seconds, or of the start and end of its process.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key = create_key(workspace, f"tests {port}", ["admin"]) if key is None else key
    log = workspace / f"service-{port}.log" if log is None else log
    arguments = ["serve", "-w", str(workspace), "--port", str(port), *options]
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    process: subprocess.Popen[bytes] | ForkedProcess
    if program is None and files is None:
        process = fork_service(arguments, log, environment)
    else:
        process = _start([*(program or FOLDIN), *arguments], log, environment)
    if files is not None:  # before it has been imported
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (files, files))
    server = Server(process, f"http://127.0.0.1:{port}", key, log)
    try:
        _wait_for(server)
        yield server
    finally:
        _end(server.process)


def _start(arguments: list[str], log: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with log.open("wb") as lines:
        return subprocess.Popen([sys.executable, *arguments], stderr=lines, stdout=lines, env=environment)


def until(found: Callable[[], Any]) -> Any:
    """What is found at last, by looking again and again."""
    end = monotonic() + PATIENCE
    while monotonic() < end:
        if answer := found():
            return answer
        sleep(0.02)
    raise AssertionError("it did not come")


def send(threads: Executor, server: Server, method: str, path: str, body: object) -> Future[httpx.Response]:
    """Sends a request from another thread and returns once the service, of one process, has read it."""
    sent = Event()

    def asked() -> httpx.Response:
        with server.client() as client:
            return client.request(method, path, json=body, extensions={"trace": traced})

    def traced(step: str, _: object) -> None:
        if step == "http11.send_request_body.complete":
            sent.set()

    answer = threads.submit(asked)
    assert sent.wait(PATIENCE)
    with server.client() as client:
        client.get("/health/live").raise_for_status()  # connections are read in the order in which they come
    return answer


def _end(process: subprocess.Popen[bytes] | ForkedProcess) -> None:
    process.terminate()  # the workers of one that is killed would stay
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(server: Server) -> None:
    end = monotonic() + PATIENCE
    with server.client() as client:
        while monotonic() < end and server.process.poll() is None:
            try:
                client.get("/health/live")
            except httpx.TransportError:
                sleep(0.05)
            else:
                return
    raise AssertionError(f"the service did not start:\n{server.log.read_text(encoding='utf-8')}")
