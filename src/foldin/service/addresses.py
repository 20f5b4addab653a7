"""Where the services of a workspace listen: each leaves a small file while it runs, for the commands beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from foldin.data.files import replaced
from foldin.errors import ConfigurationError
from foldin.service.processes import lives
from foldin.strict_json import parse_json

__all__ = ["Address", "addresses", "announced"]

FILE = ".service-"


@dataclass(frozen=True)
class Address:
    """Where a service listens; `url` ends in a slash. `auth`: whether it wants keys.

    `process`, `born`: the number of its process, and when that began in seconds since the epoch.
    """

    url: str
    auth: bool
    process: int
    born: float


@contextmanager
def announced(folder: Path, url: str, *, auth: bool) -> Iterator[None]:
    """Leaves in a workspace where this process serves it, until the end of the block.

    Raises:
        ConfigurationError: the workspace cannot be written to.
    """
    address = Address(url, auth, os.getpid(), psutil.Process().create_time())
    file = folder / f"{FILE}{address.process}.json"
    try:
        _forget_ended(folder)
        with replaced(file) as draft:
            draft.write_text(json.dumps(asdict(address)) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written to: {error.strerror or error}") from error
    try:
        yield
    finally:
        with suppress(OSError):
            file.unlink()


def addresses(folder: Path) -> list[Address]:
    """Where the services of a workspace listen that run on this machine."""
    found = (_read(file) for file in sorted(folder.glob(f"{FILE}*.json")))
    return [address for address in found if address is not None and lives(address.process, address.born)]


def _forget_ended(folder: Path) -> None:
    for file in folder.glob(f"{FILE}*.json"):
        address = _read(file)
        if address is None or not lives(address.process, address.born):
            file.unlink(missing_ok=True)


def _read(file: Path) -> Address | None:
    try:
        plain = parse_json(file.read_bytes())
        return Address(**plain) if isinstance(plain, dict) else None
    except (OSError, ValueError, TypeError):
        return None  # one that ended, or what is none
