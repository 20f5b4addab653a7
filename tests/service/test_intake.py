"""Events come in as long as there is room for them, and not one batch more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import pytest

from foldin.data.interactions import Interactions
from foldin.errors import ConflictError
from foldin.service.busy import BusyError
from foldin.service.intake import Intake
from foldin.store.contract import Batch
from foldin.store.opening import open_store

ROOM = 5
PATIENCE = 60


@pytest.fixture
def file(tmp_path: Path) -> Path:
    open_store(f"sqlite:///{tmp_path}/store.sqlite", create=True).close()
    return tmp_path / "store.sqlite"


def test_a_batch_without_a_place_is_refused_at_once_and_others_are_stored(
    file: Path, checkerboard: Interactions
) -> None:
    async def bring() -> None:
        other = apsw.Connection(str(file))
        other.execute("BEGIN IMMEDIATE")
        intake = Intake(f"sqlite:///{file}", most_waiting=ROOM)
        waiting = [asyncio.create_task(intake.append(Batch(checkerboard, "tests"))) for _ in range(ROOM)]
        await asyncio.sleep(0)
        waiting[0].cancel()  # whoever went away has taken a place all the same
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await asyncio.wait_for(intake.append(Batch(checkerboard, "tests")), PATIENCE)
        other.execute("ROLLBACK")
        other.close()
        stored = await asyncio.gather(*waiting[1:])
        assert [one.events for one in stored] == [len(checkerboard)] * (ROOM - 1)
        assert (await intake.append(Batch(checkerboard, "tests"))).events == len(checkerboard)
        intake.close()

    with ThreadPoolExecutor(1) as thread:  # the browser's tests leave a loop running in this one
        thread.submit(lambda: asyncio.run(bring())).result()
    with open_store(f"sqlite:///{file}") as store:
        assert store.summary().events == (ROOM + 1) * len(checkerboard)


def test_an_event_that_is_refused_is_no_outage(
    file: Path, log_of: Callable[..., Interactions], caplog: pytest.LogCaptureFixture
) -> None:
    async def bring() -> None:
        intake = Intake(f"sqlite:///{file}", most_waiting=ROOM)
        await intake.append(Batch(log_of([("ann", "i01")]), "tests", ["e1"]))
        with pytest.raises(ConflictError):
            await intake.append(Batch(log_of([("ann", "i02")]), "tests", ["e1"]))
        intake.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(bring())).result()
    assert not caplog.records
