"""`foldin serve` before it serves; what it serves is tested in `tests/service`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

PATIENCE = 60.0


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


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["demo", "--serve"]], ids=["serve", "demo"])
def test_without_the_extra_nothing_is_made_or_shown(command: list[str], tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    missing.mkdir()
    (missing / "uvicorn.py").write_text("raise ImportError('No module named uvicorn')", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(missing)}
    ended = subprocess.run(
        [sys.executable, "-m", "foldin", *command, "-w", str(tmp_path / "served")],
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
