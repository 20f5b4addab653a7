"""The check whether events can be stored: what it waits for, and what it makes of errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import apsw
import pytest

from foldin.errors import ConfigurationError, StoreError
from foldin.service.desk import Desk
from foldin.service.outage import Outage
from foldin.service.write_check import WriteCheck
from tests.service.loops import completed


class FakeDesk:
    """Runs `answer` in place of any work with the store."""

    def __init__(self, answer: Callable[[], Awaitable[None]]) -> None:
        self._answer = answer

    async def run(self, _work: Callable[[Any], object]) -> None:
        await self._answer()


def make_check(answer: Callable[[], Awaitable[None]]) -> WriteCheck:
    return WriteCheck(cast(Desk, FakeDesk(answer)), Outage("events cannot be stored"))


def test_a_check_without_a_probe_does_not_wait_for_one_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foldin.service.write_check.MAX_PROBE_SECONDS", 30.0)

    async def asked() -> bool:
        released = asyncio.Event()

        async def wait() -> None:
            await released.wait()

        check = make_check(wait)
        probing = asyncio.create_task(check.succeeds(probe=True))
        await asyncio.sleep(0)
        ready = await asyncio.wait_for(check.succeeds(probe=False), timeout=5)
        assert not probing.done()
        released.set()
        return ready and await probing

    assert completed(asked())


@pytest.mark.parametrize(
    "failure", [StoreError("locked"), ConfigurationError("no rights"), apsw.IOError("disk"), OSError()]
)
def test_any_error_of_the_store_is_reported_as_not_writable(failure: Exception) -> None:
    async def fail() -> None:
        raise failure

    assert not completed(make_check(fail).succeeds(probe=True))
