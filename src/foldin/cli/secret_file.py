"""Secrets that a service makes at its start: on a terminal, else in files that only their owner can read.

Without a terminal, standard output usually ends up in a journal, which is kept, and which others can read.
"""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["may_show", "write_secret"]


def may_show() -> bool:
    """Whether a secret may be printed: standard output is a terminal."""
    return sys.stdout.isatty()


def write_secret(secret: str, file: Path) -> None:
    """Writes a secret to a file of mode 0600, which is replaced if it is there.

    Raises:
        WorkspaceError: the file cannot be written.
    """
    from foldin.data.files import replaced
    from foldin.workspace import usable

    with usable(file), replaced(file, private=True) as draft:
        draft.write_text(secret + "\n", encoding="utf-8")
