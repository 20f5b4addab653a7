"""The way straight to what is asked most: the same answers, and all else goes the way it went."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.requests import Request

from foldin.service.app import create_app
from foldin.service.bodies import Bodies, QuickRoute
from foldin.service.settings import Settings
from foldin.service.shortcut import Shortcut
from tests.service.loops import completed


class RefusedError(Exception):
    """What a route refuses."""


class Word(BaseModel):
    text: str


quick = APIRouter(route_class=QuickRoute)


@quick.post("/words")
async def words(word: Word) -> Word:
    if word.text == "no":
        raise RefusedError
    return word


@quick.post("/words/{place}")
async def placed(word: Word) -> Word:
    return word


app = FastAPI()


@app.exception_handler(RefusedError)
async def refused(_: Request, error: RefusedError) -> JSONResponse:
    return JSONResponse(type(error).__name__, 418)


@app.api_route("/{anything:path}", methods=["GET", "POST"])
async def elsewhere(anything: str) -> str:
    return f"the long way to {anything}"


app.add_middleware(
    Shortcut,
    routes=[route for route in quick.routes if isinstance(route, QuickRoute)],
    handlers=app.exception_handlers,
)
app.add_middleware(Bodies, most=1_000, most_at={}, pause=10)


async def answer(method: str, path: str, text: str) -> tuple[int, object]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        answered = await client.request(method, path, json={"text": text})
        return answered.status_code, answered.json()


@pytest.mark.parametrize(
    ("method", "path", "text", "expected"),
    [
        ("POST", "/words", "yes", (200, {"text": "yes"})),
        ("POST", "/words", "no", (418, "RefusedError")),
        ("GET", "/words", "yes", (200, "the long way to words")),
        ("POST", "/words/7", "yes", (200, "the long way to words/7")),
        ("POST", "/others", "yes", (200, "the long way to others")),
    ],
)
def test_the_shortcut_serves_its_own_and_nothing_else(
    method: str, path: str, text: str, expected: tuple[int, object]
) -> None:
    assert completed(answer(method, path, text)) == expected


def test_it_leads_to_the_routes_of_the_service_where_the_service_has_them(workspace: Path) -> None:
    served = create_app(Settings(workspace))
    try:
        (shortcut,) = (one for one in served.user_middleware if "routes" in one.kwargs)
        routes = cast("list[QuickRoute]", shortcut.kwargs["routes"])
        led_to = {(method.lower(), route.path) for route in routes for method in route.methods or ()}
        described = {(method, path) for path, methods in served.openapi()["paths"].items() for method in methods}
        assert {("post", "/v1/recommend"), ("post", "/v1/recommend/batch"), ("post", "/v1/events")} <= led_to
        assert led_to <= described
    finally:
        served.state.service.close()
