"""How messages are worded: counts with their nouns, and commands as they can be typed."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

__all__ = ["DEFAULT_FOLDER", "WORKSPACE_VARIABLE", "command", "counted", "duration"]

WORKSPACE_VARIABLE = "FOLDIN_WORKSPACE"
DEFAULT_FOLDER = Path("foldin-workspace")


def counted(number: int, noun: str) -> str:
    """1 user, 2,000 users."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float) -> str:
    """About how long something takes: less than 10 seconds, 40 seconds, 5 minutes, 3 hours."""
    if seconds < 10:
        return "less than 10 seconds"
    if seconds < 90:
        return f"{round(seconds, -1):.0f} seconds"
    if seconds < 5_400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3_600:.0f} hours"


def command(words: str, workspace: Path, *names: str) -> str:
    """A command line for a workspace that works as it stands; the workspace a command finds by itself is not named.

    `names`: ids, which may hold spaces and begin with a hyphen.
    """
    found = Path(os.environ.get(WORKSPACE_VARIABLE) or DEFAULT_FOLDER)
    place = [] if workspace == found else ["-w", shlex.quote(str(workspace))]
    hyphen = ["--"] if any(name.startswith("-") for name in names) else []
    return " ".join(["foldin", words, *place, *hyphen, *map(shlex.quote, names)])
