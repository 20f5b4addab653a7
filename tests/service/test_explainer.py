"""Reasons wait for each other, and nothing else waits for them."""

from __future__ import annotations

import asyncio
from threading import Event

import pytest

from foldin.service.explainer import Explainer
from foldin.service.scoring import BusyError
from tests.service.loops import completed


def test_of_more_than_may_wait_the_next_is_refused_and_room_comes_back() -> None:
    async def asked() -> list[str]:
        goes_on, explainer = Event(), Explainer(2)
        waiting = [asyncio.ensure_future(explainer.run(lambda: told(goes_on))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await explainer.run(str)
        goes_on.set()
        reasons = [*await asyncio.gather(*waiting), await explainer.run(lambda: "room")]
        explainer.close()
        return reasons

    assert completed(asked()) == ["reasons", "reasons", "room"]


def test_whoever_gives_up_leaves_room() -> None:
    async def asked() -> str:
        goes_on, explainer = Event(), Explainer(2)
        given_up = [asyncio.ensure_future(explainer.run(lambda: told(goes_on))) for _ in range(2)]
        await asyncio.sleep(0)
        for one in given_up:
            one.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)
        goes_on.set()
        reasons = await explainer.run(lambda: "room")
        explainer.close()
        return reasons

    assert completed(asked()) == "room"


def told(goes_on: Event) -> str:
    assert goes_on.wait(60)
    return "reasons"
