"""`foldin serve` before it serves; what it serves is tested in `tests/service`."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from foldin.service.addresses import announced
from foldin.workspace import create_workspace

Run = Callable[..., subprocess.CompletedProcess[str]]

PATIENCE = 60.0
LINK = r"The page: http://127\.0\.0\.1:\d+/( \(the link that lets a browser in, once, for 12 hours, is in \S+\))?\n"


@pytest.mark.parametrize("options", [[], ["--workers", "2"], ["--no-auth"]], ids=["alone", "workers", "no-auth"])
def test_where_the_port_is_taken_nothing_is_made_or_shown(run: Run, options: list[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run("serve", "-w", tmp_path / "served", "--port", port, *options)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"error: port {port} of 127.0.0.1 is taken by another program: choose another with --port, 0 takes a free one\n"
    )
    assert not (tmp_path / "served").exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_where_this_workspace_is_served_already_it_says_so(run: Run, host: str, tmp_path: Path) -> None:
    own, other = create_workspace(tmp_path / "own").folder, create_workspace(tmp_path / "other").folder
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with announced(own, f"http://127.0.0.1:{port}/", auth=True), announced(other, "http://[::1]:1/", auth=True):
            refused = run("serve", "-w", own, "--port", port, "--host", host)
            elsewhere = run("serve", "-w", other, "--port", port)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"error: foldin serves {own} at http://127.0.0.1:{port}/ already: `foldin link -w {own}` prints a link to its "
        "page; for another service beside it choose another port with --port, 0 takes a free one\n"
    )
    assert "is taken by another program" in elsewhere.stderr


@pytest.fixture
def first_lines(run: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Gives what `foldin serve` says before the link, of a service that ends as soon as it would answer."""
    monkeypatch.setattr("foldin.service.running.run", lambda *_: None)

    def said(folder: Path, *options: str) -> list[str]:
        is_new = not folder.exists()
        answer = run("serve", "--port", "0", "-w", folder, *options)
        assert answer.returncode == 0
        assert (f"note: there was no workspace in {folder}, and an empty one is made" in answer.stderr) == is_new
        assert len(answer.stderr.splitlines()) == is_new
        *lines, link = answer.stdout.splitlines(keepends=True)
        assert re.fullmatch(LINK, link)
        return lines

    return said


def test_it_says_what_is_there_and_what_to_do_where_it_is_not(
    first_lines: Callable[..., list[str]], trained: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    *_, key, none = first_lines(folder)
    assert key.startswith(f"A key that opens everything is in {folder / 'first-key.txt'}: ")
    assert none.startswith("No data and no model yet, so nothing is recommended: ")
    assert f"`foldin ingest FILE -w {folder}`, then train with `foldin train -w {folder}`" in none
    shutil.copy(trained / "store.sqlite", folder / "store.sqlite")
    train = f"train one with `foldin train -w {folder}`, and it goes live by itself\n"
    assert first_lines(folder) == [f"No model yet, so nothing is recommended: {train}"]
    shutil.copytree(trained / "bundles", folder / "bundles")
    shutil.copy(trained / "current", folder / "current")
    (model,) = first_lines(folder)
    assert re.fullmatch(r"The model: 1-edlae, trained \d{4}-\d\d-\d\d \d\d:\d\d UTC\n", model)
    (folder / "bundles" / "1-edlae" / "manifest.json").write_text("{}")
    (damaged,) = first_lines(folder)
    assert damaged.startswith("No model that can be used: ")
    (without_key,) = first_lines(tmp_path / "open", "--no-auth")
    assert without_key.startswith("No data and no model yet, so nothing is recommended: ")


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        ("serve --port 0", "uvicorn"),
        ("demo --serve", "uvicorn"),
        ("link", "filelock"),
        ("keys list", "filelock"),
        ("keys create shop", "filelock"),
        ("keys revoke shop", "filelock"),
    ],
)
def test_without_the_extra_nothing_is_made_or_shown(command: str, needed: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    missing.mkdir()
    (missing / f"{needed}.py").write_text(f"raise ImportError('No module named {needed}')", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(missing)}
    ended = subprocess.run(
        [sys.executable, "-m", "foldin", *command.split(), "-w", str(tmp_path / "served")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        cwd=tmp_path,
    )
    assert ended.returncode == 2
    assert "pip install 'foldin[serve]'" in " ".join(ended.stderr.split())
    assert not ended.stdout
    assert not (tmp_path / "served").exists()
