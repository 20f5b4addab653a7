"""Explanations are bounded: by pairs of a ranked item and an item of the history, and by the request's deadline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import sleep

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from numpy.typing import NDArray

from foldin import explaining
from foldin.recommender import Recommender
from foldin.service.app import create_app
from foldin.service.routes import recommend
from foldin.service.settings import Settings
from foldin.workspace import Workspace
from tests.service.loops import completed

ITEMS = [f"i{number:02}" for number in range(12)]


class StoppedError(Exception):
    pass


@pytest.fixture(scope="module")
def settings(new_workspace: Callable[[], Workspace]) -> Settings:
    return Settings(new_workspace().folder, auth=False)


@contextmanager
def opened(settings: Settings) -> Iterator[FastAPI]:
    app = create_app(settings)
    yield app
    app.state.service.close()


async def post(app: FastAPI, path: str, body: object) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        return await client.post(path, json=body)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/recommend", {"history": ITEMS[:6], "k": 5, "seen": "include"}),
        ("/v1/recommend/batch", {"people": [{"history": ITEMS[:3]}] * 2, "k": 5, "seen": "include"}),
    ],
)
def test_one_limit_holds_for_one_user_and_for_many(
    path: str, body: dict[str, object], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(settings) as app:
        monkeypatch.setattr(recommend, "MAX_EXPLAINED_PAIRS", 30)
        assert completed(post(app, path, {**body, "explain": True})).status_code == 200
        monkeypatch.setattr(recommend, "MAX_EXPLAINED_PAIRS", 29)
        refused = completed(post(app, path, {**body, "explain": True}))
        assert refused.status_code == 422
        assert "takes 30 pairs" in refused.json()["detail"]
        assert "limit of 29: lower 'k'" in refused.json()["detail"]
        assert completed(post(app, path, body)).status_code == 200


def test_an_item_that_occurs_twice_in_a_history_counts_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommend, "MAX_EXPLAINED_PAIRS", 5)
    body = {"history": ["i01"] * 100, "k": 5, "explain": True, "seen": "include"}
    with opened(settings) as app:
        assert completed(post(app, "/v1/recommend", body)).status_code == 200


def test_the_thread_stops_explaining_at_the_deadline(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    largest, calls = explaining._largest, list[int]()

    def slow(names: Sequence[str], amounts: NDArray[np.floating], top: int | None = None) -> object:
        calls.append(1)
        sleep(0.05)
        return largest(names, amounts, top)

    async def ask(app: FastAPI) -> httpx.Response:
        given_up = await post(app, "/v1/recommend", {"history": ["i01"], "k": 10, "explain": True, "seen": "include"})
        await app.state.service.explainer.run(str)  # waits until the thread is free
        return given_up

    with opened(replace(settings, deadline=0.25)) as app:
        monkeypatch.setattr(explaining, "_largest", slow)
        assert completed(ask(app)).status_code == 503
        assert 0 < len(calls) < 20  # two for each item


@pytest.mark.parametrize("model", ["linear", "network"])
def test_explaining_can_be_stopped_between_its_steps(model: str, request: pytest.FixtureRequest) -> None:
    recommender: Recommender = request.getfixturevalue(model)
    checks: list[int] = []
    recommender.explain_many(ITEMS[:6], ITEMS, check=lambda: checks.append(1))
    assert len(checks) >= len(ITEMS)
    for stopped_at in (1, 5, len(checks)):
        with pytest.raises(StoppedError):
            recommender.explain_many(ITEMS[:6], ITEMS, check=stopping_at(stopped_at))


def stopping_at(last: int) -> Callable[[], None]:
    checks: list[int] = []

    def check() -> None:
        checks.append(1)
        if len(checks) == last:
            raise StoppedError

    return check


@pytest.mark.parametrize("model", ["linear", "network", "profiled"])
@pytest.mark.parametrize("top", [1, 3, 6, 100])
def test_the_largest_contributions_are_the_first_of_all(model: str, top: int, request: pytest.FixtureRequest) -> None:
    recommender: Recommender = request.getfixturevalue(model)
    items = recommender.catalog.item_ids.tolist()
    for whole, cut in zip(
        recommender.explain_many(ITEMS[:6], items), recommender.explain_many(ITEMS[:6], items, top=top), strict=True
    ):
        assert cut == replace(whole, items=whole.items[:top])
