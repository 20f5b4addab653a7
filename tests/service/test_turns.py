"""What those hear who were not answered in time."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from foldin.service.crowd import FEW
from foldin.service.turns import Admission, Turns
from tests.service.loops import completed


async def never(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.Event().wait()


async def late(method: str, path: str, accepted: str = "*/*", *, deadline: float = 0.01, patience: float = 0.01) -> str:
    turns = Turns(never, Admission(deadline=deadline, patience=patience, most=1))

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        await turns({**scope, "state": {"request_id": "late"}}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(named), base_url="http://here") as client:
        answer = await client.request(method, path, headers={"Accept": accepted})
    assert (answer.status_code, answer.headers["Retry-After"] in {"1", "2", "3"}) == (503, True)
    return answer.text


QUESTIONS = [
    "GET /v1/users/u02",
    "GET /metrics",
    "POST /v1/recommend",
    "POST /v1/recommend/batch",
    "POST /v1/explain",
    "POST /what-if",
    "POST /reasons",
    "GET /v1/items/similar",
]
WRITES = [
    "POST /v1/events",
    "PUT /v1/users/u02",
    "DELETE /v1/items/i01",
    "PUT /v1/users/similar",
    "DELETE /v1/items/recommendations",
    "POST /v1/models/similar/activate",
]


@pytest.mark.parametrize("asked", QUESTIONS)
def test_a_question_stores_nothing_however_late_it_is(asked: str) -> None:
    assert "stored" not in completed(late(*asked.split()))


@pytest.mark.parametrize("asked", WRITES)
def test_of_what_is_late_it_is_not_known_whether_it_was_stored(asked: str) -> None:
    assert "whether anything was stored is not known" in completed(late(*asked.split()))


HURRIED, PATIENT = 0.01, 0.02
QUICK = [
    "POST /v1/recommend",
    "POST /what-if",
    "GET /v1/recommendations",
    "GET /v1/users/a/b/recommendations",
    "GET /v1/items/i01/similar",
]


@pytest.mark.parametrize("asked", [*QUICK, *WRITES, "GET /v1/users/similar", "GET /v1/items/recommendations"])
def test_what_somebody_waits_for_has_less_time(asked: str) -> None:
    words = completed(late(*asked.split(), deadline=HURRIED, patience=PATIENT))
    assert (f"within {HURRIED:g} s" in words) == (asked in QUICK)


def test_somebody_at_a_browser_reads_it_on_a_page() -> None:
    assert completed(late("GET", "/catalogue", "text/html")).startswith("<!doctype html>")


def test_whoever_asks_for_many_people_keeps_nobody_out_who_asks_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("foldin.service.turns.monotonic", lambda: clock[0])

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0)
        clock[0] += 0.1 if scope["path"].endswith("/batch") else 0.001
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    turns = Turns(answered, Admission(deadline=2, patience=30, most=256))

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        await turns({**scope, "state": {"request_id": "one"}}, receive, send)

    async def asked() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(named), base_url="http://here") as client:
            for _ in range(2 * FEW):
                await client.post("/v1/recommend/batch")
            answers = await asyncio.gather(*(client.post("/v1/recommend") for _ in range(2 * FEW)))
        return [answer.status_code for answer in answers]

    assert completed(asked()) == [200] * 2 * FEW
