"""The one-time link to the page: a code that is worth a key of a few hours, once."""

from __future__ import annotations

import hashlib
import re
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time

from foldin.errors import ConfigurationError, NotFoundError
from foldin.service.keys import create_key, read_keys, revoke_key

__all__ = ["LASTS", "create_code", "key_for", "link_to"]

LASTS = timedelta(hours=12)
"""How long a code may wait for its use, and how long the key made of it holds."""

CODE_BYTES = 32
FILE = ".link-"
KEY = "page-"
_NAME = re.compile(KEY + r"\d{8}T\d{6}-[0-9a-f]{6}", re.ASCII)


def link_to(folder: Path, url: str) -> str:
    """A link to the page of a workspace's service, whose address is `url`, and until when it is good.

    Raises:
        ConfigurationError: the workspace cannot be written to.
    """
    hours = int(LASTS.total_seconds()) // 3_600
    return f"{url}enter?code={create_code(folder)} (once, for {hours} hours)"


def create_code(folder: Path) -> str:
    """A code for a workspace; what is kept of it is the name of a file, its SHA-256.

    Raises:
        ConfigurationError: the workspace cannot be written to.
    """
    code = secrets.token_urlsafe(CODE_BYTES)
    file = _file(folder, code)
    try:
        _forget_old(folder)
        file.touch(mode=0o600)
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written to: {error.strerror or error}") from error
    return code


def key_for(folder: Path, code: str) -> str | None:
    """A key for a code, which is used up by that; None where it is none, or no longer.

    Raises:
        ConfigurationError: the keys cannot be read or written.
    """
    if not _taken(_file(folder, code)):
        return None
    _revoke_expired(folder)
    now = datetime.now(UTC)
    return create_key(folder, f"{KEY}{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}", ["admin"], now + LASTS)


def _taken(file: Path) -> bool:
    """Whether it was this call that removed the file: of several at once, in as many processes, one does."""
    try:
        made = file.stat().st_mtime
        file.unlink()
    except OSError:
        return False
    return time() - made < LASTS.total_seconds()


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
