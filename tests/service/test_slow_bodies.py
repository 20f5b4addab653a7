"""Slow bodies keep no other key out: they are read before a request takes a place, at a least pace, and by shares."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foldin.service import bodies
from foldin.service.app import create_app
from foldin.service.bodies import MAX_BODIES_READ_BY_KEY, Bodies
from foldin.service.key_quota import KeyQuota
from foldin.service.keys import Key, create_key
from foldin.service.settings import Settings
from tests.service.loops import completed

EVENTS = json.dumps({"events": [{"user": "slow", "item": "i01"}]}).encode()


def request(path: str, *headers: tuple[bytes, bytes], key: Key | None = None) -> Scope:
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), *headers],
        "state": {} if key is None else {"key": key},
    }


async def ask(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[int, dict[bytes, bytes], str]:
    """Return the status, the headers and the body of the answer."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:]).decode()
    return sent[0]["status"], dict(sent[0]["headers"]), body


def body_of(parts: Iterable[bytes], pause: float = 0.0) -> Receive:
    """Receive some parts, with a pause before each, and then nothing more."""
    left = [*parts]
    count = len(left)

    async def receive() -> Message:
        if pause or not left:
            await asyncio.sleep(pause or 3_600)
        part = left.pop(0)
        return {"type": "http.request", "body": part, "more_body": count > 1 and bool(left)}

    return receive


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


def unread() -> Receive:
    async def receive() -> Message:
        raise AssertionError("the body was read")

    return receive


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def limited(app: ASGIApp = answer, **options: object) -> Bodies:
    return Bodies(app, most=2**22, most_at={}, pause=3_600, **options)  # type: ignore[arg-type] # of a test


def key(name: str) -> Key:
    return Key(name, f"digest of {name}", ("events",), "2026-01-01T00:00:00+00:00")


@asynccontextmanager
async def sending(app: ASGIApp, scopes: Iterable[Scope], receive: Receive = never) -> AsyncIterator[None]:
    """Requests whose bodies do not end within the block."""
    tasks = [asyncio.create_task(ask(app, scope, receive)) for scope in scopes]
    await asyncio.sleep(0)
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_slow_bodies_of_one_key_keep_no_other_key_from_writing(workspace: Path) -> None:
    slow, other = (create_key(workspace, name, ["events"]) for name in ("slow", "other"))
    app = create_app(Settings(workspace, pause=3_600))

    def with_key(secret: str) -> Scope:
        return request("/v1/events", (b"authorization", f"Bearer {secret}".encode()))

    async def ask_beside_slow_bodies() -> int:
        async with sending(app, [with_key(slow) for _ in range(Settings.most_requests)]):
            return (await ask(app, with_key(other), body_of([EVENTS])))[0]

    try:
        assert completed(ask_beside_slow_bodies()) == 200
    finally:
        app.state.service.close()


def test_a_key_has_a_share_of_the_bodies_read_at_once() -> None:
    app = limited()

    async def ask_beside_its_share() -> list[tuple[int, bool]]:
        async with sending(app, [request("/v1/events", key=key("slow")) for _ in range(MAX_BODIES_READ_BY_KEY)]):
            answers = [
                await ask(app, request("/v1/events", key=key(name)), body_of([EVENTS])) for name in ("slow", "other")
            ]
        answers.append(await ask(app, request("/v1/events", key=key("slow")), body_of([EVENTS])))
        return [(status, b"retry-after" in headers) for status, headers, _ in answers]

    assert completed(ask_beside_its_share()) == [(429, True), (200, False), (200, False)]


def test_a_key_has_a_share_of_the_bytes_that_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_BYTES_HELD", 1_000)
    monkeypatch.setattr(bodies, "MAX_BYTES_HELD_BY_KEY", 500)
    finish = asyncio.Event()

    async def work(scope: Scope, receive: Receive, send: Send) -> None:
        await finish.wait()
        await answer(scope, receive, send)

    app = limited(work)

    async def ask_for(name: str, size: int) -> int:
        return (await ask(app, request("/v1/events", key=key(name)), body_of([b" " * size])))[0]

    async def ask_with_three_keys() -> list[int]:
        asked = [("first", 400), ("first", 200), ("second", 500), ("third", 101), ("third", 100)]
        tasks = [asyncio.create_task(ask_for(*one)) for one in asked]
        await asyncio.sleep(0.01)
        finish.set()
        return [await task for task in tasks]

    assert completed(ask_with_three_keys()) == [200, 429, 200, 503, 200]


def test_a_body_that_drips_is_given_up_after_the_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "GRACE_SECONDS", 0.05)
    app = limited()
    status, headers, text = completed(ask(app, request("/v1/events"), body_of([b" "] * 1_000, pause=0.01)))
    assert (status, headers[b"connection"]) == (408, b"close")
    assert "the body came too slowly" in text


def test_a_body_at_the_least_pace_is_read_however_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "GRACE_SECONDS", 0.05)
    parts = [b" " * bodies.MIN_BYTES_PER_SECOND] * 20  # each is good for a second
    assert completed(ask(limited(), request("/v1/events"), body_of(parts, pause=0.01)))[0] == 200


def test_no_body_is_read_of_a_request_that_is_refused() -> None:
    app = limited(has_room=lambda _: False)
    status, headers, _ = completed(ask(app, request("/v1/events"), unread()))
    assert (status, b"retry-after" in headers) == (503, True)


def test_a_quota_forgets_keys_that_use_nothing() -> None:
    quota = KeyQuota(10, 5)
    quota.take("key", 6)
    assert (quota.is_exceeded(), quota.is_exceeded_by("key"), quota.is_exceeded_by("other")) == (False, True, False)
    quota.give_back("key", 6)
    assert not quota._by_key
