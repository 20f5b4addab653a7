"""Many clients of a service at once, as a program: each asks again once it is answered, or after the time it is told.

    python -m tests.service.faults.pressing PORT KEY CLIENTS SECONDS

It prints how many requests were answered, how many refused as promised, and how many ended in any other way, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from time import monotonic

WARM = 1.0
"""Seconds before anything is counted, in which all have come."""

BODY = json.dumps({"user": "u02", "k": 12}).encode()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str) -> tuple[int, dict[str, str]]:
    head = f"POST /v1/recommend HTTP/1.1\r\nHost: service\r\nAuthorization: Bearer {key}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
    writer.write(head.encode() + BODY)
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines if line)
    await reader.readexactly(int(headers["content-length"]))
    return int(first.split()[1]), headers


async def press(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str, start: float, end: float
) -> Counter[str]:
    outcomes = Counter[str]()
    while monotonic() < end:
        status, headers = await ask(reader, writer, key)
        refused = status in (429, 503) and "retry-after" in headers
        if status not in (200, 429, 503) or start <= monotonic() < end:
            outcomes["refused" if refused else "answered" if status == 200 else f"status {status}"] += 1
        if refused:
            await asyncio.sleep(float(headers["retry-after"]))
    return outcomes


async def press_all(port: int, key: str, clients: int, seconds: float) -> Counter[str]:
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(clients)]
    start = monotonic() + WARM
    pressing = (press(*connection, key, start, start + seconds) for connection in connections)
    counted = await asyncio.gather(*pressing, return_exceptions=True)
    for _, writer in connections:
        writer.close()
    return sum(map(outcome_of, counted), Counter[str]())


def outcome_of(counted: Counter[str] | BaseException) -> Counter[str]:
    return counted if isinstance(counted, Counter) else Counter([type(counted).__name__])


if __name__ == "__main__":
    port, key, clients, seconds = sys.argv[1:]
    counted = asyncio.run(press_all(int(port), key, int(clients), float(seconds)))
    sys.stdout.write(json.dumps({"answered": 0, "refused": 0, **counted}))
