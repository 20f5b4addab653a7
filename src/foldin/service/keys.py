"""API keys, and sessions of browsers: who may ask what of the service. The workspace holds their hashes only."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from foldin.data.files import replaced
from foldin.errors import ConfigurationError, NotFoundError, WorkspaceError
from foldin.service.locks import locked
from foldin.strict_json import parse_json
from foldin.wording import command
from foldin.workspace import usable

__all__ = [
    "HTTP",
    "KEYS",
    "SCOPES",
    "Key",
    "KeyRing",
    "create_key",
    "create_session",
    "read_keys",
    "revoke_key",
]

KEYS = "keys.json"
"""The file's name in a workspace."""

SCOPES = ("read", "events", "catalogue", "people", "admin")
"""What a key may do: `read` rankings, similar items, metrics and the explanation of a history that is sent; write
`events`; write the `catalogue`; read, write and erase what is stored of `people`, and explain it; and everything
(`admin`)."""

FORMER_SCOPES = {"ingest": "events, catalogue and people"}
"""Scopes of earlier versions, and what allows the same now."""

Kind: TypeAlias = Literal["key", "session"]
"""A `key` is sent as `Authorization: Bearer`, a `session` in the page's cookie: neither is accepted as the other."""

HTTP = "http"
"""What the store and the audit call whoever comes over HTTP without a key, and how they begin to name one with."""

PREFIX = "foldin_"
SECRET_BYTES = 32
LONGEST_NAME = 64

_log = logging.getLogger("foldin.service")


@dataclass(frozen=True)
class Key:
    """What is kept of a key or session. `digest`: SHA-256 of it, hexadecimal; times are ISO 8601 with offset, UTC.

    A plain hash is enough, since a key is 256 random bits: nobody can guess through them, as through passwords.
    """

    name: str
    digest: str
    scopes: tuple[str, ...]
    created: str
    expires: str | None = None
    kind: Kind = "key"

    @property
    def source(self) -> str:
        """What the store calls where its events came from, and the audit whoever came by it; one of nothing has no
        name."""
        return f"{HTTP}:{self.name}" if self.digest else HTTP

    def valid(self, at: datetime) -> bool:
        """Whether it has not expired."""
        return self.expires is None or at < datetime.fromisoformat(self.expires)

    def may(self, scope: str) -> bool:
        """Whether it allows a scope; `admin` allows all."""
        return scope in self.scopes or "admin" in self.scopes


class KeyRing:
    """The keys of a workspace as they are now: the file is read again whenever it has changed.

    While it cannot be read, those that were read last hold, and the log says so once. `open` comes first.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / KEYS
        self._stamp: tuple[int, int, int] | None = None
        self._damaged: tuple[int, int, int] | None = None
        self._keys: tuple[Key, ...] = ()

    def open(self) -> None:
        """Reads the keys for the first time, when there are none yet that could hold.

        Raises:
            WorkspaceError: the file is damaged or cannot be read.
        """
        stamp = _stamp(self._file)
        self._keys, self._stamp = tuple(read_keys(self._file.parent)), stamp

    def api_key(self, secret: str) -> Key | None:
        """Returns the valid key whose secret this is; None where there is none."""
        return self._find(secret, "key")

    def session(self, session_id: str) -> Key | None:
        """Returns the valid session of this id; None where there is none."""
        return self._find(session_id, "session")

    def _find(self, secret: str, kind: Kind) -> Key | None:
        """Compares with every key and session, each in constant time."""
        digest, now = _digest(secret), datetime.now(UTC)
        found = [key for key in self._now() if hmac.compare_digest(key.digest, digest)]
        return next((key for key in found if key.kind == kind and key.valid(now)), None)

    def _now(self) -> tuple[Key, ...]:
        stamp = _stamp(self._file)
        if stamp != self._stamp:
            self._read(stamp)
        return self._keys

    def _read(self, stamp: tuple[int, int, int] | None) -> None:
        try:
            self._keys, self._stamp = tuple(read_keys(self._file.parent)), stamp
        except WorkspaceError as error:  # read again at the next request: it may have been a fault that passes
            if stamp != self._damaged:
                _log.error("keys as they were before", extra={"fields": {"reason": str(error)}})
            self._damaged = stamp


def create_key(folder: Path, name: str, scopes: Sequence[str], expires: datetime | None = None) -> str:
    """Adds a key to a workspace and returns it: the only time it is seen.

    Raises:
        ConfigurationError: the name is taken or none, or a scope is unknown.
        WorkspaceError: the file is damaged, or cannot be read or written.
    """
    if not name.isprintable() or not 0 < len(name.strip()) <= LONGEST_NAME:
        raise ConfigurationError(f"a key's name has 1 to {LONGEST_NAME} visible letters")
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise ConfigurationError(f"no scope '{', '.join(unknown)}'; there are: {', '.join(SCOPES)}")
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    _add(folder, _new_key(name, secret, scopes, expires, "key"))
    return secret


def create_session(folder: Path, name: str, expires: datetime) -> str:
    """Adds a session that may do everything to a workspace and returns its id: the only time it is seen.

    Sessions that have expired are removed.

    Raises:
        ConfigurationError: the name is taken.
        WorkspaceError: the file is damaged, or cannot be read or written.
    """
    session_id = secrets.token_urlsafe(SECRET_BYTES)
    _add(folder, _new_key(name, session_id, ["admin"], expires, "session"))
    return session_id


def revoke_key(folder: Path, name: str) -> None:
    """Removes a key or session from a workspace: the next request with it is refused.

    Raises:
        NotFoundError: there is none of that name.
        WorkspaceError: the file is damaged, or cannot be read or written.
    """
    with _alone(folder):
        keys = _read(folder)  # also one whose scopes are no longer known
        kept = [key for key in keys if key.name != name]
        if len(kept) == len(keys):
            raise NotFoundError(f"no key '{name}'; there are: {', '.join(key.name for key in keys) or 'none'}")
        _write(folder, kept)


def read_keys(folder: Path) -> list[Key]:
    """The keys of a workspace, oldest first.

    Raises:
        WorkspaceError: the file is damaged or cannot be read.
    """
    keys = _read(folder)
    for key in keys:
        _check_scopes(folder, key)
    return keys


def _read(folder: Path) -> list[Key]:
    """The keys of a workspace, whatever their scopes are called."""
    file = folder / KEYS
    try:
        return [_key(plain) for plain in _listed(parse_json(file.read_bytes()))]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise WorkspaceError(f"{file} cannot be read: {error}; mend it, or remove it to begin with no keys") from error


def _new_key(name: str, secret: str, scopes: Sequence[str], expires: datetime | None, kind: Kind) -> Key:
    until = None if expires is None else _text(expires)
    return Key(name, _digest(secret), tuple(scopes), _text(datetime.now(UTC)), until, kind)


def _add(folder: Path, key: Key) -> None:
    with _alone(folder):
        keys = read_keys(folder)
        if key.name in [known.name for known in keys]:
            raise ConfigurationError(f"there is a key '{key.name}': revoke it first, or choose another name")
        _write(folder, [*(known for known in keys if not _has_ended(known)), key])


def _has_ended(key: Key) -> bool:
    """Whether it is a session that has expired; expired API keys stay in the list, to be seen there."""
    return key.kind == "session" and not key.valid(datetime.now(UTC))


def _listed(plain: object) -> list[object]:
    if not isinstance(plain, list):
        raise ValueError("it holds no list of keys")
    return plain


def _key(plain: object) -> Key:
    if not isinstance(plain, dict):
        raise ValueError("a key is no object")
    key = Key(**plain)
    if not all(isinstance(text, str) for text in (key.name, key.digest, key.created, *key.scopes)):
        raise ValueError("a key's name, digest, time and scopes are texts")
    if not (key.digest.isascii() and (key.expires is None or datetime.fromisoformat(key.expires).tzinfo)):
        raise ValueError("a key's digest is hexadecimal, and its end a time with an offset")
    if key.kind not in get_args(Kind) or (key.kind == "session" and key.expires is None):
        raise ValueError("a key is of the kind 'key', or 'session' and then expires")
    return replace(key, scopes=tuple(key.scopes))


def _check_scopes(folder: Path, key: Key) -> None:
    unknown = [scope for scope in key.scopes if scope not in SCOPES]
    if unknown:
        became = f", which became {FORMER_SCOPES[unknown[0]]}" if unknown[0] in FORMER_SCOPES else ""
        raise WorkspaceError(
            f"{folder / KEYS}: key '{key.name}' has the unknown scope '{unknown[0]}'{became}: revoke the key with "
            f"`{command('keys revoke', folder, key.name)}` and create another; scopes are {', '.join(SCOPES)}"
        )


def _write(folder: Path, keys: Sequence[Key]) -> None:
    file = folder / KEYS
    with usable(file), replaced(file, private=True) as draft:
        draft.write_text(json.dumps([asdict(key) for key in keys], indent=2) + "\n", encoding="utf-8")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with usable(folder), locked(folder / f".{KEYS}.lock"):
        yield


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        state = os.stat(file)  # noqa: PTH116 - asked at every request, and a third of the cost of Path.stat
    except OSError:
        return None
    return state.st_ino, state.st_mtime_ns, state.st_size
