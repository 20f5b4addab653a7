"""How messages are worded: counts with their nouns, and commands as they can be typed."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

__all__ = ["DEFAULT_FOLDER", "WORKSPACE_VARIABLE", "command", "counted"]

WORKSPACE_VARIABLE = "FOLDIN_WORKSPACE"
DEFAULT_FOLDER = Path("foldin-workspace")


def counted(number: int, noun: str) -> str:
    """1 user, 2,000 users."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def command(words: str, workspace: Path, *names: str) -> str:
    """A command line for a workspace that works as it stands; the workspace a command finds by itself is not named.

    `names`: ids, which may hold spaces and begin with a hyphen.
    """
    found = Path(os.environ.get(WORKSPACE_VARIABLE) or DEFAULT_FOLDER)
    place = [] if workspace == found else ["-w", shlex.quote(str(workspace))]
    hyphen = ["--"] if any(name.startswith("-") for name in names) else []
    return " ".join(["foldin", words, *place, *hyphen, *map(shlex.quote, names)])
