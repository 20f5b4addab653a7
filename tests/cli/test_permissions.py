"""What a workspace holds is for its owner alone, whatever the umask is."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from time import monotonic, sleep
from typing import TypeAlias

import pytest

from foldin.data.interactions import Interactions
from foldin.errors import WorkspaceError
from foldin.service import locks
from foldin.service.addresses import announced
from foldin.service.jobs import Jobs
from foldin.service.link import create_code, redeem
from foldin.service.locks import locked
from foldin.service.service import Service
from foldin.service.settings import Settings
from foldin.workspace import create_workspace

Run: TypeAlias = Callable[..., CompletedProcess[str]]


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def log(checkerboard: Interactions, tmp_path: Path) -> Path:
    file = tmp_path / "log.csv"
    users, items = checkerboard.user_ids[checkerboard.user_codes], checkerboard.item_ids[checkerboard.item_codes]
    rows = [f"{user},{item}\n" for user, item in zip(users, items, strict=True)]
    file.write_text("".join(["user,item\n", *rows, ",no user\n"]))
    return file


def ended(jobs: Jobs) -> None:
    end = monotonic() + 60
    while any(job.state == "running" for job in jobs.all()):
        assert monotonic() < end
        sleep(0.1)


def open_to_others(folder: Path) -> dict[str, str]:
    places = [folder, *folder.rglob("*")]
    modes = {str(place.relative_to(folder)): stat.S_IMODE(place.lstat().st_mode) for place in places}
    return {place: oct(mode) for place, mode in modes.items() if mode & 0o077}


@pytest.mark.usefixtures("usual_umask")
def test_a_workspace_is_private(run: Run, log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    assert run("ingest", log, "--skip-bad", "-w", folder).returncode == 0
    assert run("train", "--model", "ease", "-w", folder).returncode == 0
    assert run("keys", "create", "shop", "-w", folder).returncode == 0
    service = Service(Settings(folder))
    try:
        with announced(folder, "http://127.0.0.1:1/", auth=True):
            assert redeem(folder, create_code(folder))
            create_code(folder)
            service.jobs.start()
            names = {place.name for place in folder.iterdir()}
            assert {"store.sqlite", "store.sqlite-wal", "store.sqlite-shm", "jobs", "keys.json", "current"} <= names
            assert {"rejected-1.csv", "bundles", ".link.lock", "audit.jsonl", "workspace.toml"} <= names
            assert open_to_others(folder) == {}
            ended(service.jobs)
    finally:
        service.close()
    assert (folder / "bundles" / "2-ease").is_dir()
    assert open_to_others(folder) == {}


@pytest.mark.usefixtures("usual_umask")
def test_a_folder_that_is_there_keeps_its_mode_and_serve_says_how_to_close_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from foldin.cli.serve import front_door, serve_page

    folder = tmp_path / "my w"
    folder.mkdir()
    create_workspace(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    monkeypatch.setattr("foldin.service.running.run", lambda *_: None)
    for mode, warned in ((0o755, True), (0o700, False)):
        folder.chmod(mode)
        with front_door() as sockets:
            serve_page(Settings(folder, auth=False), sockets)
        assert (f"`chmod -R go= '{folder}'`" in capsys.readouterr().err.replace("\n", "")) == warned


def test_a_lock_is_not_waited_for_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "MAX_SECONDS_WAITED", 0.05)
    file = tmp_path / ".lock"
    with locked(file):
        with pytest.raises(WorkspaceError, match=r"\.lock has been locked by another process"), locked(file):
            pass
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with locked(file):
        pass
