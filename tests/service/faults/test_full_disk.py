"""A service whose disk is full: it starts and recommends, refuses events, says so, and goes on once there is room."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from foldin.service.keys import create_key
from foldin.workspace import Workspace, open_workspace
from tests.faults.small_disk import SmallDisk, small_disk
from tests.service.server import serving, until

STORED: dict[str, object] = {"user": "u02", "k": 1}


@pytest.fixture
def disk(new_workspace: Callable[[], Workspace], tmp_path: Path) -> Iterator[SmallDisk]:
    """A small disk with a workspace of one model on it, in `w`."""
    with small_disk(tmp_path / "disk") as made:
        shutil.copytree(new_workspace().folder, made.folder / "w")
        yield made


def post(client: httpx.Client, count: int = 1) -> int:
    events = [{"user": "late", "item": f"i{number}"} for number in range(count)]
    return client.post("/v1/events", json={"events": events}).status_code


def ready(client: httpx.Client, purpose: str) -> tuple[int, str, str]:
    answer = client.get("/health/ready", params={"for": purpose})
    return answer.status_code, answer.json()["status"], answer.json()["writing"]


def test_a_service_starts_on_a_full_disk_and_stores_once_there_is_room(disk: SmallDisk, tmp_path: Path) -> None:
    folder = disk.folder / "w"
    key = create_key(folder, "before", ["admin"])
    log = tmp_path / "log"
    with disk.full(), serving(folder, key=key, log=log) as server, server.client() as client:
        assert client.post("/v1/recommend", json=STORED).json()["items"][0]["item"] == "i02"
        assert post(client) == 503
        assert ready(client, "read") == (200, "ready", "not ready")
        assert ready(client, "write") == (503, "not ready", "not ready")
        (disk.folder / ".filler").open("wb").close()
        until(lambda: ready(client, "write") == (200, "ready", "ready"))
        assert post(client, 5) == 200
        assert len(client.get("/v1/users/late").json()["history"]) == 5
        assert client.post("/v1/recommend", json=STORED).status_code == 200
    assert "note: `foldin link` will not find this service: " in log.read_text()


def test_a_model_is_taken_into_use_on_a_full_disk(disk: SmallDisk) -> None:
    workspace = open_workspace(disk.folder / "w")
    workspace.publish(workspace.current())
    assert workspace.current_name() == "2-ease"
    with disk.full():
        assert workspace.rollback() == workspace.current_name() == "1-ease"
        assert workspace.use("2") == workspace.current_name() == "2-ease"
    assert workspace.use("1") == workspace.current_name() == "1-ease"
