"""The one-time link to the page: a code that is worth a key of a few hours, once."""

from __future__ import annotations

import hashlib
import re
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time

from foldin.audit import audit
from foldin.data.files import sync_folder
from foldin.errors import NotFoundError
from foldin.service.keys import create_key, read_keys, revoke_key
from foldin.service.locks import locked
from foldin.workspace import usable

__all__ = ["LASTS", "create_code", "key_for", "link_to"]

LASTS = timedelta(hours=12)
"""How long a code may wait for its use, and how long the key made of it holds."""

CODE_BYTES = 32
FILE = ".link-"
LOCK = ".link.lock"
KEY = "page-"
_NAME = re.compile(KEY + r"\d{8}T\d{6}-[0-9a-f]{6}", re.ASCII)


def link_to(folder: Path, url: str) -> str:
    """A link to the page of a workspace's service, whose address is `url`, and until when it is good.

    Raises:
        WorkspaceError: the workspace cannot be written to.
    """
    hours = int(LASTS.total_seconds()) // 3_600
    return f"{url}enter?code={create_code(folder)} (once, for {hours} hours)"


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


def key_for(folder: Path, code: str) -> str | None:
    """A key for a code, which is used up by that and named in the audit; None where it is none, or no longer, of which
    the audit says nothing, as anybody can bring as many of those as they like.

    Raises:
        WorkspaceError: the workspace cannot be read or written; the code is as good as before.
    """
    file = _file(folder, code)
    with usable(folder):
        if not _waits(file):  # asked first, so that whoever has no code writes nothing and keeps nobody waiting
            return None
        with locked(folder / LOCK):  # of several at once, in as many processes, one finds the code
            return _key_instead_of(file) if _waits(file) else None


def _waits(file: Path) -> bool:
    """Whether a code is there and not too old."""
    try:
        return time() - file.stat().st_mtime < LASTS.total_seconds()
    except FileNotFoundError:
        return False


def _key_instead_of(file: Path) -> str:
    # the code goes last, for it must outlive a key that cannot be written; and before anybody has the key
    folder, now = file.parent, datetime.now(UTC)
    _revoke_expired(folder)
    name = f"{KEY}{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    key = create_key(folder, name, ["admin"], now + LASTS)
    try:
        file.unlink()
    except OSError:
        revoke_key(folder, name)  # or every try would leave one that nobody has
        raise
    with suppress(OSError):  # after a power cut the code may be there again: better than neither it nor the key
        sync_folder(folder)
    audit(folder, "link", "enter", key=name, outcome="done")
    return key


def _revoke_expired(folder: Path) -> None:
    now = datetime.now(UTC)
    for key in read_keys(folder):
        if _NAME.fullmatch(key.name) and not key.valid(now):
            with suppress(NotFoundError):  # another process was there before
                revoke_key(folder, key.name)


def _forget_old(folder: Path) -> None:
    for file in folder.glob(f"{FILE}*"):
        with suppress(FileNotFoundError):
            if time() - file.stat().st_mtime >= LASTS.total_seconds():
                file.unlink()


def _file(folder: Path, code: str) -> Path:
    return folder / (FILE + hashlib.sha256(code.encode(errors="surrogatepass")).hexdigest())
