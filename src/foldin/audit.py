"""Who did what in a workspace, and what came of it: a line of JSON for each action, which nothing here takes away."""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

__all__ = ["BY", "COMMAND_LINE", "FILE", "audit", "audited"]

FILE = "audit.jsonl"
"""The file's name in a workspace."""

COMMAND_LINE = "command line"
"""Who it was that typed a command: whoever may write to the workspace."""

BY = "FOLDIN_BY"
"""The variable by which a command that a service starts knows whom it works for."""

_log = logging.getLogger("foldin.audit")


@contextmanager
def audited(
    folder: Path, by: str, action: str, *, nameless: bool = False, **about: object
) -> Iterator[dict[str, object]]:
    """Writes down an action that is done in the block, once it has ended, with its outcome; the block may say more.

    `nameless`: an error is told by its kind alone, where its words could name a user.
    """
    said = dict(about)
    try:
        yield said
    except BaseException as error:
        kind = type(error).__name__
        audit(folder, by, action, **said, outcome="failed", reason=kind if nameless else str(error) or kind)
        raise
    audit(folder, by, action, **said, outcome="done")


def audit(folder: Path, by: str, action: str, **about: object) -> None:
    """Writes a line. Where that is impossible the log has it instead: what was done is done, and stays.

    `by`: `http:NAME` of a key, `http` where none is wanted, or what else it was.
    """
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = _as_json({"time": moment, "by": by, "action": action, **about})
    try:
        _append(folder / FILE, line.encode(errors="backslashreplace") + b"\n")
    except OSError as error:
        _log.error("%s cannot be written (%s), and lacks: %s", folder / FILE, error.strerror or error, line)


_as_json = json.JSONEncoder(ensure_ascii=False).encode


def _append(file: Path, line: bytes) -> None:
    """Adds a line by one write at the end, wherever that is by then: others write at the same time."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    with os.fdopen(os.open(file, flags, 0o600), "ab+", buffering=0) as end:
        # what a full disk has cut short is left alone, so that it spoils no other line; where it is another's line that
        # is being written just now, an empty one comes of it
        whole = line if _ends_well(end) else b"\n" + line
        if end.write(whole) != len(whole):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(end.fileno())


def _ends_well(file: FileIO) -> bool:
    size = file.seek(0, os.SEEK_END)
    if not size:
        return True
    file.seek(size - 1)
    return file.read(1) == b"\n"
