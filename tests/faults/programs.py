"""How the tests start another process of theirs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO

__all__ = ["started"]

ROOT = Path(__file__).parents[2]


def started(program: str, *arguments: str, output: int | IO[str] = subprocess.PIPE) -> subprocess.Popen[str]:
    """Starts a program of this folder; what it prints can be read, unless it goes to a file."""
    command = [sys.executable, "-m", f"tests.faults.{program}", *arguments]
    return subprocess.Popen(command, stdout=output, text=True, cwd=ROOT)
