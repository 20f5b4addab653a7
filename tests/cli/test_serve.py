"""`foldin serve` before it serves; what it serves is tested in `tests/service`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PATIENCE = 60.0


def test_without_the_extra_nothing_is_made_or_shown(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    missing.mkdir()
    (missing / "uvicorn.py").write_text("raise ImportError('No module named uvicorn')", encoding="utf-8")
    command = [sys.executable, "-m", "foldin", "serve", "-w", str(tmp_path / "served"), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(missing)}
    ended = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=tmp_path
    )
    assert ended.returncode == 2
    assert "pip install 'foldin[serve]'" in " ".join(ended.stderr.split())
    assert not ended.stdout
    assert not (tmp_path / "served").exists()
