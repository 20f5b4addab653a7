"""A large body is read beside the event loop, and told of as a small one is."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from pydantic import AfterValidator, BaseModel

from foldin.service import bodies
from foldin.service.bodies import LARGE, Bodies, QuickRoute
from foldin.strict_json import parse_json
from tests.service.loops import completed
from tests.service.server import PATIENCE

ASKED, OTHERS = Event(), Event()


def while_others_are_answered(text: str) -> str:
    """Reads a word when another request has been answered meanwhile."""
    ASKED.set()
    assert OTHERS.wait(PATIENCE), "nobody else was answered"
    return text


class Word(BaseModel):
    text: Annotated[str, AfterValidator(while_others_are_answered)]


quick = APIRouter(route_class=QuickRoute)


@quick.post("/words")
async def words(word: Word) -> Word:
    return word


app = FastAPI()
app.include_router(quick)
app.add_middleware(Bodies, most=10 * LARGE, most_at={}, pause=PATIENCE)


@app.get("/others")
async def others() -> None:
    OTHERS.set()


async def asked() -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here", timeout=None) as client:
        reading = asyncio.create_task(client.post("/words", json={"text": "a" * LARGE}))
        await asyncio.to_thread(ASKED.wait, PATIENCE)
        await client.get("/others")
        return await reading


def test_others_are_answered_while_a_large_body_is_read() -> None:
    assert completed(asked()).status_code == 200


def test_a_body_that_is_no_json_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []

    def noted(body: bytes) -> object:
        read.append(body)
        return parse_json(body)

    monkeypatch.setattr(bodies, "parse_json", noted)

    async def refused() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
            headers = {"Content-Type": "application/json"}
            return (await client.post("/words", content=b'{"text": ', headers=headers)).status_code

    assert completed(refused()) == 422
    assert len(read) == 1


def test_a_large_body_is_told_of_as_a_small_one(client: httpx.Client) -> None:
    good = {"user": "large", "item": "i01"}
    for wrong in ({"value": "much"}, {"user": ""}, {"unknown": 1}):
        small, large = ({"events": [good | wrong, *[good] * count]} for count in (1, LARGE // 32))
        answers = [client.post("/v1/events", json=body) for body in (small, large)]
        assert [one.status_code for one in answers] == [422, 422]
        assert answers[0].json()["errors"] == answers[1].json()["errors"]
    for text in ("[,", "null", "[1]", '"a"', '{"events": [{"user": "a", "user": "a", "item": "i01"}]}'):
        headers = {"Content-Type": "application/json"}
        answers = [client.post("/v1/events", content=body, headers=headers) for body in (text, text + " " * LARGE)]
        assert [one.status_code for one in answers] == [422, 422]
        assert answers[0].json()["errors"] == answers[1].json()["errors"], text
    assert client.get("/v1/users/large").status_code == 404
