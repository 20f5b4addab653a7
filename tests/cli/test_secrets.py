"""The first key and the link of a start are shown on a terminal only; else they are in files of their owner's."""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from foldin.cli.demo import _serve
from foldin.cli.serve import KEY_FILE, LINK_FILE, serve_page
from foldin.service import running
from foldin.service.keys import KeyRing, create_key, create_session, read_keys
from foldin.service.link import is_valid
from foldin.service.listening import listening
from foldin.service.settings import Settings
from foldin.workspace import create_workspace

SECRET = re.compile(r"foldin_[\w-]{43}|code=[\w-]{43}")


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Starts a service that ends at once, and returns its workspace."""
    monkeypatch.setattr(running, "run", lambda *_: None)

    def started(*, terminal: bool, demo: bool = False) -> Path:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
        workspace = create_workspace(tmp_path / "w")
        with listening("127.0.0.1", 0) as sockets:
            _serve(workspace, sockets) if demo else serve_page(Settings(workspace.folder), sockets)
        return workspace.folder

    return started


@pytest.mark.parametrize("demo", [False, True], ids=["serve", "demo"])
def test_on_a_terminal_both_are_shown_and_no_file_is_made(
    demo: bool, start: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = start(terminal=True, demo=demo)
    key, code = SECRET.findall(capsys.readouterr().out)
    assert valid(folder, key)
    assert is_valid(folder, code.removeprefix("code="))
    assert not {KEY_FILE, LINK_FILE} & {file.name for file in folder.iterdir()}


@pytest.mark.parametrize("demo", [False, True], ids=["serve", "demo"])
def test_without_a_terminal_their_files_are_named_and_only_the_owner_reads_them(
    demo: bool, start: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    folder = start(terminal=False, demo=demo)
    printed = capfd.readouterr()
    assert not SECRET.search(printed.out + printed.err)
    for name in (KEY_FILE, LINK_FILE):
        assert str(folder / name) in printed.out
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert re.search(r"^The page: http://127\.0\.0\.1:\d+/ \(the link", printed.out, re.MULTILINE)
    assert valid(folder, read(folder / KEY_FILE))
    address, _, code = read(folder / LINK_FILE).partition("enter?code=")
    assert (is_valid(folder, code), f"The page: {address} " in printed.out) == (True, True)


def test_the_next_start_replaces_the_link_and_makes_no_key(
    start: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = start(terminal=False)
    link = read(folder / LINK_FILE)
    (folder / KEY_FILE).unlink()
    capsys.readouterr()
    start(terminal=False)
    assert read(folder / LINK_FILE) != link
    assert KEY_FILE not in capsys.readouterr().out
    assert [key.name for key in read_keys(folder)] == ["first"]


def test_a_first_key_whose_file_cannot_be_written_is_revoked(tmp_path: Path, start: Callable[..., Path]) -> None:
    folder = create_workspace(tmp_path / "w").folder
    (folder / KEY_FILE).mkdir()
    start(terminal=False)
    assert not [key for key in read_keys(folder) if key.kind == "key"]
    (folder / KEY_FILE).rmdir()
    start(terminal=False)
    assert valid(folder, read(folder / KEY_FILE))


def test_sessions_are_no_keys_of_which_there_must_be_one(tmp_path: Path, start: Callable[..., Path]) -> None:
    folder = create_workspace(tmp_path / "w").folder
    create_session(folder, "page-1", datetime.now(UTC) + timedelta(hours=1))
    start(terminal=False)
    assert [(key.name, key.kind) for key in read_keys(folder)] == [("page-1", "session"), ("first", "key")]


def test_the_list_of_keys_has_sessions(tmp_path: Path, run_json: Callable[..., object]) -> None:
    folder = create_workspace(tmp_path / "w").folder
    create_key(folder, "shop", ["read", "events"])
    create_session(folder, "page-1", datetime.now(UTC) + timedelta(hours=1))
    listed = run_json("keys", "list", "-w", folder)
    assert isinstance(listed, list)
    assert [(one["name"], one["kind"], one["scopes"]) for one in listed] == [
        ("shop", "key", ["read", "events"]),
        ("page-1", "session", ["admin"]),
    ]


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip()


def valid(folder: Path, secret: str) -> bool:
    keys = KeyRing(folder)
    keys.open()
    return keys.api_key(secret) is not None
