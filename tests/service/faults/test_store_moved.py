"""A service whose store is deleted or replaced acknowledges no event that would be lost, and says so."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic

import httpx
import pytest

from foldin.service.app import create_app
from foldin.service.jobs import Jobs
from foldin.service.retraining import Retraining
from foldin.service.service import Service
from foldin.service.settings import Settings
from foldin.store.backup import back_up
from foldin.workspace import Workspace
from tests.service.loops import completed

PATIENCE = 20.0
EVENT = {"user": "late", "item": "i01"}


@pytest.fixture
def made(new_workspace: Callable[[], Workspace]) -> Workspace:
    return new_workspace()


@asynccontextmanager
async def asking(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Asks a service in this process, without keys."""
    app = create_app(Settings(folder, auth=False, look=0.05))
    service: Service = app.state.service
    try:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            yield client
    finally:
        await asyncio.to_thread(service.close)


async def post(client: httpx.AsyncClient) -> int:
    return (await client.post("/v1/events", json={"events": [EVENT]})).status_code


async def ready(client: httpx.AsyncClient, purpose: str, expected: int) -> dict[str, str]:
    """What readiness answers once it is as expected."""
    end = monotonic() + PATIENCE
    while (answer := await client.get("/health/ready", params={"for": purpose})).status_code != expected:
        assert monotonic() < end, answer.text
        await asyncio.sleep(0.05)
    body: dict[str, str] = answer.json()
    return body


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


def test_events_for_a_deleted_store_are_refused_until_it_is_back(
    made: Workspace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = list(made.folder.glob("store.sqlite*"))

    async def ask() -> None:
        async with asking(made.folder) as client:
            assert await post(client) == 200
            files.extend(set(made.folder.glob("store.sqlite*")) - set(files))
            for file in files:
                file.rename(tmp_path / file.name)
            assert [await post(client) for _ in range(20)] == [503] * 20
            assert await ready(client, "write", 503) == {
                "status": "not ready",
                "writing": "not ready",
                "reason": "events cannot be stored: the log says why",
            }
            assert (await ready(client, "read", 503))["reason"] == "the store is away"
            assert (await client.post("/v1/recommend", json={"user": "u02"})).status_code == 503
            for file in files:
                (tmp_path / file.name).rename(file)
            assert await ready(client, "write", 200) == {"status": "ready", "writing": "ready"}
            assert await ready(client, "read", 200) == {"status": "ready", "writing": "ready"}
            assert await post(client) == 200

    completed(ask())
    assert errors(caplog).count("events refused") == 1
    with made.store() as store:
        assert len(store.history("late")) == 2


def test_events_for_a_replaced_store_are_refused_and_the_replacement_stays_sound(
    made: Workspace, tmp_path: Path
) -> None:
    file = made.folder / "store.sqlite"

    async def ask() -> None:
        async with asking(made.folder) as client:
            back_up(made.store_url, tmp_path / "backup")
            assert [await post(client) for _ in range(50)] == [200] * 50
            (tmp_path / "backup").replace(file)
            assert [await post(client) for _ in range(20)] == [503] * 20
            await ready(client, "read", 503)

    completed(ask())
    assert checked(file) == "ok"
    with made.store() as store:
        assert "late" not in store.user_ids()


def test_a_lost_store_is_not_made_anew(made: Workspace) -> None:
    for file in made.folder.glob("store.sqlite*"):
        file.unlink()
    with pytest.raises(Exception, match="there are models trained from one"):
        create_app(Settings(made.folder))
    assert not list(made.folder.glob("store.sqlite*"))


def test_a_restored_store_that_is_behind_the_model_is_trained_on(made: Workspace) -> None:
    retraining = Retraining(made, Jobs(made.folder), 0, keep=5, live=lambda: None)
    with made.store() as store:
        position = store.summary().position
    for learned_from, new in ((position, False), (position + 5, True), (position - 5, True)):
        made.publish(replace(made.current(), data_position=learned_from))
        assert retraining._anything_new() == new


def test_readiness_for_writing_probes_once_a_second_at_most(made: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> None:
        async with asking(made.folder) as client:
            position = (made.folder / "store.sqlite-wal").stat().st_size
            for _ in range(5):
                await client.get("/health/ready")
            assert (made.folder / "store.sqlite-wal").stat().st_size == position
            monkeypatch.setattr("foldin.service.write_check.MIN_SECONDS_BETWEEN_PROBES", 3_600)
            for _ in range(5):
                assert (await client.get("/health/ready?for=write")).status_code == 200
            assert (made.folder / "store.sqlite-wal").stat().st_size - position < 2 * 4_200
            assert (await client.get("/health/ready?for=all")).status_code == 422

    completed(ask())


def checked(file: Path) -> str:
    """What SQLite finds in a file and the log beside it, in a process that holds no locks of this one's."""
    program = "import apsw, sys; print(apsw.Connection(sys.argv[1]).execute('PRAGMA integrity_check').get)"
    done = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=False)
    return done.stdout.strip()
