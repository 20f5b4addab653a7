"""The one-time link to the page: a code that starts one session of a few hours."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time

from foldin.audit import audit
from foldin.data.files import sync_folder
from foldin.service.keys import create_session, revoke_key
from foldin.service.locks import locked
from foldin.workspace import usable

__all__ = ["MAX_AGE", "create_code", "USES", "is_valid", "link_to", "redeem"]

MAX_AGE = timedelta(hours=12)
"""How long a code is valid, and how long the session that it starts."""

USES = f"once, for {int(MAX_AGE.total_seconds()) // 3_600} hours"
"""How often and how long a link can be used."""

CODE_BYTES = 32
FILE = ".link-"
LOCK = ".link.lock"
SESSION = "page-"
"""How the names of sessions begin."""


def link_to(folder: Path, url: str) -> str:
    """Returns a new link to the page of a workspace's service, whose address is `url`.

    Raises:
        WorkspaceError: the workspace cannot be written to.
    """
    return f"{url}enter?code={create_code(folder)}"


def create_code(folder: Path) -> str:
    """A code for a workspace; what is kept of it is the name of a file, its SHA-256.

    Raises:
        WorkspaceError: the workspace cannot be written to.
    """
    code = secrets.token_urlsafe(CODE_BYTES)
    file = _file(folder, code)
    with usable(folder):
        _forget_old(folder)
        file.touch(mode=0o600)
    return code


def is_valid(folder: Path, code: str) -> bool:
    """Whether a code can be redeemed; it stays valid.

    Raises:
        WorkspaceError: the workspace cannot be read.
    """
    with usable(folder):
        return _is_fresh(_file(folder, code))


def redeem(folder: Path, code: str) -> str | None:
    """Starts a session for a code, which is used up, and returns the session's id; None where the code is not valid.

    The audit names the session. It does not record invalid codes, as anyone can send any number of them.

    Raises:
        WorkspaceError: the workspace cannot be read or written; the code stays valid.
    """
    file = _file(folder, code)
    with usable(folder):
        if not _is_fresh(file):  # checked before the lock, so that an invalid code neither writes nor waits
            return None
        with locked(folder / LOCK):  # of several requests at once, in any number of processes, one succeeds
            return _start_session(file) if _is_fresh(file) else None


def _is_fresh(file: Path) -> bool:
    try:
        return time() - file.stat().st_mtime < MAX_AGE.total_seconds()
    except FileNotFoundError:
        return False


def _start_session(file: Path) -> str:
    # the code is removed last, so that it stays valid where the session cannot be written
    folder, now = file.parent, datetime.now(UTC)
    name = f"{SESSION}{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    session_id = create_session(folder, name, now + MAX_AGE)
    try:
        file.unlink()
    except OSError:
        revoke_key(folder, name)  # else every attempt would leave an unused session
        raise
    with suppress(OSError):  # after a power cut the code may be there again: better than neither code nor session
        sync_folder(folder)
    audit(folder, "link", "enter", key=name, outcome="done")
    return session_id


def _forget_old(folder: Path) -> None:
    for file in folder.glob(f"{FILE}*"):
        with suppress(FileNotFoundError):
            if time() - file.stat().st_mtime >= MAX_AGE.total_seconds():
                file.unlink()


def _file(folder: Path, code: str) -> Path:
    return folder / (FILE + hashlib.sha256(code.encode(errors="surrogatepass")).hexdigest())
