"""`foldin link`: another link to the page of a service that runs, whichever of its processes answers."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from foldin.service.addresses import announced
from foldin.workspace import create_workspace
from tests.service.server import PATIENCE, Server, serving

Run = Callable[..., subprocess.CompletedProcess[str]]

LINK = re.compile(r"(http\S+/)enter\?code=(\S+)\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return create_workspace(tmp_path / "w").folder


@pytest.fixture(scope="module")
def running(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service of two processes that answer."""
    folder = tmp_path_factory.mktemp("link") / "served"
    shutil.copytree(trained, folder)
    with serving(folder, "--workers", "2") as server:
        yield server


def entered(url: str, code: str) -> int:
    answer = httpx.post(f"{url}enter", params={"code": code}, timeout=PATIENCE, verify=False)
    return 0 if answer.status_code == 303 else answer.status_code


def test_it_lets_one_browser_in_once_whichever_process_answers(run: Run, running: Server) -> None:
    folder = running.log.parent
    (url, code), (_, other) = (LINK.fullmatch(run("link", "-w", folder).stdout).groups() for _ in range(2))  # type: ignore[union-attr]  # it is one
    assert url == f"{running.url}/"
    assert entered(url, code) == 0
    assert {entered(url, code) for _ in range(4)} == {401}
    assert entered(url, other) == 0


def test_under_another_name_it_has_that_name(run: Run, running: Server) -> None:
    told = LINK.fullmatch(run("link", "-w", running.log.parent, "--address", "https://labs.example").stdout)
    assert told is not None
    assert told[1] == "https://labs.example/"
    assert entered(f"{running.url}/", told[2]) == 0


def test_where_no_key_is_wanted_it_is_the_address(run: Run, folder: Path) -> None:
    with announced(folder, "http://127.0.0.1:8123/", auth=False):
        assert run("link", "-w", folder).stdout == "http://127.0.0.1:8123/\n"


def test_where_no_service_runs_it_says_how_to_start_one(run: Run, folder: Path) -> None:
    refused = run("link", "-w", folder)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert f"start it with `foldin serve -w {folder}`" in refused.stderr
    with serving(folder) as running:
        running.process.kill()
        running.process.wait(PATIENCE)
    assert run("link", "-w", folder).returncode == 4, "one that was killed"


@pytest.mark.parametrize(
    "address",
    [
        "labs.example",
        "ftp://labs.example",
        "https://labs.example/a",
        "https://[",
        "http://",
        "https://a.example:notaport",
        "https://a.example:65536",
        "https://a.example:0",
        "https://u:pw@a.example",
        "https://@a.example",
    ],
)
def test_what_is_no_address_is_refused(run: Run, address: str, folder: Path) -> None:
    refused = run("link", "-w", folder, "--address", address)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "write it as https://recommend.example" in refused.stderr
