"""A load generator that costs little: raw HTTP/1.1 on kept connections, each with one request in flight at a time.

`python -m benchmarks.load` runs it in a process of its own; `load` starts that and reads what it found.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import cast

import numpy as np

__all__ = ["Found", "Load", "load", "request"]

ROOT = Path(__file__).parent.parent
PAUSE = 0.1
"""Seconds until a request that was refused is followed by another."""


@dataclass(frozen=True)
class Load:
    """What to send: `requests`, a file of a JSON list of whole requests, in turn, over `connections`, for `seconds`
    or until `most` were answered."""

    port: int
    requests: str
    connections: int
    seconds: float = 3.0
    most: int = 10**9


@dataclass(frozen=True)
class Found:
    """What came of it: answers of status 200, with their latencies in milliseconds, and how many had another.

    `processor`: what part of a core sending took.
    """

    answered: int
    refused: int
    per_second: float
    p50: float
    p99: float
    processor: float


def request(path: str, body: object, key: str = "") -> str:
    """A whole request."""
    content = json.dumps(body)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Authorization: Bearer {key}\r\nContent-Length: {len(content)}\r\n\r\n{content}"


def load(asked: Load) -> Found:
    """Sends it from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.load", json.dumps(asdict(asked))]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=2 * asked.seconds + 60)
    return Found(**json.loads(done.stdout))


class Connection(asyncio.Protocol):
    """Sends the next request once the last one is answered, until `end`."""

    def __init__(self, requests: Sequence[bytes], end: float, most: int) -> None:
        self._requests, self._end, self._most = cycle(requests), end, most
        self._read = bytearray()
        self._sent = 0.0
        self.latencies: list[float] = []
        self.refused = 0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._read += data
        if not self._whole():
            return
        now, good = time.perf_counter(), self._read[9:12] == b"200"
        self._read.clear()
        if good:
            self.latencies.append(now - self._sent)
        else:
            self.refused += 1
        if now >= self._end or len(self.latencies) >= self._most:
            self._transport.close()
        elif good:
            self._send()
        else:  # whoever is refused comes again later
            asyncio.get_running_loop().call_later(PAUSE, self._send)

    def connection_lost(self, _: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(next(self._requests))

    def _whole(self) -> bool:
        head = self._read.find(b"\r\n\r\n")
        if head < 0:
            return False
        start = self._read.lower().find(b"content-length:", 0, head) + 15
        return len(self._read) >= head + 4 + int(self._read[start : self._read.find(b"\r", start)])


async def sent(asked: Load) -> Found:
    requests = [text.encode() for text in json.loads(Path(asked.requests).read_text(encoding="utf-8"))]
    began, processor = time.perf_counter(), time.process_time()
    most = -(-asked.most // asked.connections)
    connections: list[Connection] = []
    for number in range(asked.connections):
        mine = requests[number :: asked.connections] or requests
        made = await asyncio.get_running_loop().create_connection(
            partial(Connection, mine, began + asked.seconds, most), "127.0.0.1", asked.port
        )
        connections.append(made[1])
    await asyncio.gather(*(connection.done for connection in connections))
    lasted = time.perf_counter() - began
    latencies = 1_000 * np.concatenate([connection.latencies for connection in connections])
    return Found(
        len(latencies),
        sum(connection.refused for connection in connections),
        len(latencies) / lasted,
        float(np.percentile(latencies, 50)),
        float(np.percentile(latencies, 99)),
        (time.process_time() - processor) / lasted,
    )


def main() -> None:
    import uvloop

    print(json.dumps(asdict(uvloop.run(sent(Load(**json.loads(sys.argv[1])))))))


if __name__ == "__main__":
    main()
