"""Many clients of a service at once, as a program: each asks again once it is answered, or after the time it is told.

    python -m tests.service.faults.pressing PORT KEY CLIENTS SECONDS ANSWERS

It goes on for so many seconds, and until there were so many answers. It prints how many requests were answered, how
many refused as promised, how many ended in any other way, and how many others waited with each that was answered, on
average, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from time import monotonic

BODY = json.dumps({"user": "u02", "k": 12}).encode()


@dataclass
class Pressing:
    """What became of the requests so far; `inside`: those that wait; `beside`: the sum of them over the answers."""

    end: float
    answers: int
    outcomes: Counter[str] = field(default_factory=Counter)
    inside: int = 0
    beside: int = 0

    def goes_on(self) -> bool:
        return monotonic() < self.end or self.outcomes["answered"] < self.answers

    def note(self, status: int, *, told_when: bool) -> None:
        refused = status in (429, 503) and told_when
        self.outcomes["refused" if refused else "answered" if status == 200 else f"status {status}"] += 1
        self.beside += self.inside if status == 200 else 0


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str) -> tuple[int, dict[str, str]]:
    head = f"POST /v1/recommend HTTP/1.1\r\nHost: service\r\nAuthorization: Bearer {key}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
    writer.write(head.encode() + BODY)
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines if line)
    await reader.readexactly(int(headers["content-length"]))
    return int(first.split()[1]), headers


async def press(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str, pressing: Pressing) -> None:
    while pressing.goes_on():
        pressing.inside += 1
        status, headers = await ask(reader, writer, key)
        pressing.inside -= 1
        pressing.note(status, told_when="retry-after" in headers)
        if status in (429, 503):
            await asyncio.sleep(float(headers.get("retry-after", 1)))


async def press_all(port: int, key: str, clients: int, seconds: float, answers: int) -> Pressing:
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(clients)]
    pressing = Pressing(monotonic() + seconds, answers)
    ended = await asyncio.gather(*(press(*one, key, pressing) for one in connections), return_exceptions=True)
    for _, writer in connections:
        writer.close()
    pressing.outcomes.update(type(failure).__name__ for failure in ended if failure is not None)
    return pressing


if __name__ == "__main__":
    port, key, clients, seconds, answers = sys.argv[1:]
    pressed = asyncio.run(press_all(int(port), key, int(clients), float(seconds), int(answers)))
    outcomes = {"answered": 0, "refused": 0, **pressed.outcomes}
    beside = pressed.beside / max(1, outcomes["answered"])
    sys.stdout.write(json.dumps({"outcomes": outcomes, "beside": beside}))
