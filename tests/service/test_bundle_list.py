"""The list of bundles is there before all of their files are hashed, and bundles are removed from it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from threading import enumerate as threads
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from foldin.audit import FILE
from foldin.service.app import create_app
from foldin.service.bundle_list import BundleList
from foldin.service.settings import Settings
from foldin.workspace import Workspace, open_workspace
from tests.faults.unreadable import unreadable
from tests.service.loops import completed
from tests.service.server import until


@pytest.fixture(scope="module")
def trained(new_workspace: Callable[[], Workspace]) -> Path:
    """A workspace of three bundles, the second of them in use. Not to be written to: copy it."""
    workspace = new_workspace()
    bundles = workspace.folder / "bundles"
    for number in (2, 3):
        shutil.copytree(bundles / "1-ease", bundles / f"{number}-ease")
    workspace.make_current("2-ease")
    return workspace.folder


@pytest.fixture
def own(trained: Path, tmp_path: Path) -> Workspace:
    folder = shutil.copytree(trained, tmp_path / "w")
    for file in folder.glob("bundles/*/*"):
        os.utime(file)
    return open_workspace(folder)


@pytest.fixture
def app(own: Workspace) -> Iterator[FastAPI]:
    served = create_app(Settings(own.folder, auth=False, look=3_600))
    yield served
    served.state.service.close()


def answers(app: FastAPI, *asked: tuple[str, str]) -> list[httpx.Response]:
    """Answers to requests, one after another, each a method and a path."""

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", verify=False) as client:
            return [await client.request(method, path) for method, path in asked]

    return completed(ask())


def audited_removals(workspace: Workspace) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (workspace.folder / FILE).read_text(encoding="utf-8").splitlines()]
    return [{name: value for name, value in line.items() if name != "time"} for line in lines]


# -- hashing


def test_small_bundles_are_checked_at_the_first_look(own: Workspace) -> None:
    bundles = completed(BundleList(own).bundles())
    assert [(bundle.checked, bundle.damage) for bundle in bundles] == [(True, None)] * 3


def test_looks_do_not_wait_for_large_files_and_share_one_thread(
    own: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, hashed, file_digest = Event(), [], hashlib.file_digest

    def slow(file: Any, digest: str) -> Any:
        release.wait()
        hashed.append(file)
        return file_digest(file, digest)

    monkeypatch.setattr(hashlib, "file_digest", slow)
    listed = BundleList(own, wait_seconds=0.01)

    async def looks() -> list[list[Any]]:
        return await asyncio.gather(*(listed.bundles() for _ in range(8)))

    try:
        for bundles in completed(looks()):
            assert [(bundle.name, bundle.checked) for bundle in bundles] == [(f"{n}-ease", False) for n in (1, 2, 3)]
        assert len([thread for thread in threads() if thread.name == "foldin-hashing"]) == 1
    finally:
        release.set()
    until(lambda: all(bundle.checked for bundle in completed(listed.bundles())))
    assert len(hashed) == 6


def test_a_file_that_cannot_be_read_is_said_until_it_can(own: Workspace) -> None:
    listed = BundleList(own)
    with unreadable(own.folder / "bundles/1-ease/model.safetensors"):
        first, second, _ = completed(listed.bundles())
        assert "Input/output error" in str(first.damage)
        assert second.damage is None
    assert [bundle.damage for bundle in completed(listed.bundles())] == [None] * 3


# -- over HTTP


def test_a_bundle_is_removed_by_its_number_or_name(app: FastAPI, own: Workspace) -> None:
    first, second = answers(app, ("DELETE", "/v1/models/1"), ("DELETE", "/v1/models/3-ease"))
    assert (first.status_code, second.status_code) == (200, 200)
    assert [model["name"] for model in first.json()["models"]] == ["2-ease", "3-ease"]
    assert second.json()["live"] == "2-ease"
    assert [model["name"] for model in second.json()["models"]] == ["2-ease"]
    assert [path.name for path in (own.folder / "bundles").iterdir()] == ["2-ease"]
    expected = {"by": "http", "action": "remove", "outcome": "done"}
    assert audited_removals(own) == [expected | {"model": name} for name in ("1-ease", "3-ease")]


def test_the_bundle_in_use_and_an_unknown_one_are_not_removed(app: FastAPI, own: Workspace) -> None:
    in_use, unknown = answers(app, ("DELETE", "/v1/models/2"), ("DELETE", "/v1/models/9"))
    assert (in_use.status_code, in_use.json()["detail"]) == (409, "2-ease answers now: take another into use first")
    assert (unknown.status_code, "no bundle '9'" in unknown.json()["detail"]) == (404, True)
    assert [line["outcome"] for line in audited_removals(own)] == ["failed", "failed"]
    assert len(own.bundles()) == 3


def test_the_current_bundle_is_not_removed_where_another_answers(app: FastAPI, own: Workspace) -> None:
    own.make_current("3-ease")  # the service has not looked for it yet
    (refused,) = answers(app, ("DELETE", "/v1/models/3"))
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "3-ease is in use: take another into use first, with `foldin models use NUMBER`",
    )


# -- on the page


def test_the_page_has_a_remove_button_for_bundles_not_in_use(app: FastAPI) -> None:
    (page,) = answers(app, ("GET", "/models"))
    removable = [number for number in (1, 2, 3) if f'hx-delete="/v1/models/{number}-ease"' in page.text]
    assert removable == [1, 3]


def test_the_page_lists_the_others_where_the_folder_of_the_live_bundle_has_gone(app: FastAPI, own: Workspace) -> None:
    shutil.rmtree(own.folder / "bundles/2-ease")
    page, unknown = answers(app, ("GET", "/models"), ("GET", "/models?bundle=2-ease"))
    assert page.status_code == 200
    assert "2-ease, is no longer in the workspace" in page.text
    assert 'hx-post="/v1/models/3-ease/activate"' in page.text
    assert unknown.status_code == 404


def test_the_page_says_which_bundles_are_still_being_checked(
    app: FastAPI, own: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.state.service.bundle_list, "_wait_seconds", 0)
    monkeypatch.setattr(Workspace, "check", lambda *_: None)
    (page,) = answers(app, ("GET", "/models"))
    assert page.text.count("its files are still being checked") == 2  # the live one was loaded
