"""A page that asks for news again and again hears of each once, and does not keep the service counting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import httpx
import pytest
from fastapi import FastAPI

from foldin.data.interactions import Interactions
from foldin.service.page import reading
from foldin.service.page.digest import Digest, digest_of
from foldin.service.page.reading import PAUSE, Reading
from foldin.service.routes.data_page import data_page_routes
from foldin.service.service import Service
from foldin.store.contract import Batch, Store
from foldin.workspace import Workspace, create_workspace
from tests.service.loops import completed
from tests.service.server import until

Result = TypeVar("Result")

LATER = 10**9
"""A position that is not reached."""


@pytest.fixture
def filled(tmp_path: Path, checkerboard: Interactions) -> Workspace:
    workspace = create_workspace(tmp_path / "filled")
    with workspace.store(create=True) as store:
        store.ingest([Batch(checkerboard, "tests")])
    return workspace


def test_there_is_a_pause_between_readings_for_who_is_patient(
    filled: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    took, clock, readings = 2.0, [100.0], []

    def counted(log: Interactions, position: int) -> Digest:
        clock[0] += took
        readings.append(clock[0])
        return digest_of(log, position)

    def asked(*, patient: bool) -> int:
        """How many readings there were once one that was begun has ended."""
        known.digest(LATER, patient=patient)
        until(lambda: known._thread is not None and not known._thread.is_alive())
        return len(readings)

    monkeypatch.setattr(reading, "digest_of", counted)
    monkeypatch.setattr(reading, "monotonic", lambda: clock[0])
    known = Reading(filled.store_url)
    assert asked(patient=True) == 1
    clock[0] += 0.99 * PAUSE * took
    assert asked(patient=True) == 1
    clock[0] += 0.02 * PAUSE * took
    assert asked(patient=True) == 2
    assert asked(patient=False) == 3
    assert known.digest(LATER, patient=True) is not None


class AtDesk:
    """A service of which only its desk and its workspace are asked."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace, self.desk = workspace, self

    async def run(self, work: Callable[[Store], Result]) -> Result:
        with self.workspace.store() as store:
            return work(store)


def answers(workspace: Workspace, known: Reading, *addresses: str) -> list[httpx.Response]:
    app = FastAPI()
    app.include_router(data_page_routes(cast("Service", AtDesk(workspace)), known))

    async def asked() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here", verify=False) as client:
            return [await client.get(address) for address in addresses]

    return completed(asked())


def test_what_an_open_page_shows_is_not_sent_again(filled: Workspace) -> None:
    known = Reading(filled.store_url)
    position = until(lambda: known.digest(0)).position
    codes = [one.status_code for one in answers(filled, known, *(f"/data?counted={position - n}" for n in (0, 1)))]
    assert codes == [204, 200]


def test_why_nothing_is_counted_is_told_once(filled: Workspace) -> None:
    known = Reading(f"{filled.store_url}-that-is-not-there")
    assert known.digest(0) is None
    until(lambda: known.trouble)
    opened, again, first = answers(filled, known, "/data", "/data?counted=-1&told=1", "/data?counted=-1")
    assert "that-is-not-there" in opened.text
    assert 'hx-get="/data?counted=-1&amp;told=1"' in opened.text
    assert (again.status_code, first.status_code) == (204, 200)
