"""Where the services of a workspace listen: each leaves a small file while it runs, for the commands beside it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import psutil
from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, TypeAdapter

from foldin.data.files import replaced
from foldin.service.processes import lives
from foldin.strict_json import parse_json
from foldin.workspace import usable

__all__ = ["Address", "addresses", "announced"]

FILE = ".service-"


@dataclass(frozen=True)
class Address:
    """Where a service listens; `url` ends in a slash. `auth`: whether it wants keys.

    `machine`: the name of its machine or container; `process`, `born`: the number that its process has there, and when
    that began in seconds since the epoch.
    """

    url: StrictStr
    auth: StrictBool
    machine: StrictStr
    process: Annotated[StrictInt, Field(gt=0)]
    born: StrictFloat


_ADDRESS = TypeAdapter(Address)


@contextmanager
def announced(folder: Path, url: str, *, auth: bool) -> Iterator[None]:
    """Leaves in a workspace where this process serves it, until the end of the block.

    Raises:
        WorkspaceError: the workspace cannot be written to.
    """
    address = Address(url, auth, socket.gethostname(), os.getpid(), psutil.Process().create_time())
    file = folder / _name(address.process)
    with usable(folder):
        _forget_ended(folder)
        with replaced(file, private=True) as draft:
            draft.write_text(json.dumps(asdict(address)) + "\n", encoding="utf-8")
    try:
        yield
    finally:
        with suppress(OSError):
            file.unlink()


def addresses(folder: Path) -> list[Address]:
    """Where the services of a workspace listen that run on this machine."""
    found = (_running(file) for file in sorted(folder.glob(_name("*"))))
    return [address for address in found if address is not None]


def _forget_ended(folder: Path) -> None:
    for file in folder.glob(_name("*")):
        if _running(file) is None:
            file.unlink(missing_ok=True)


def _name(process: int | str) -> str:
    """The name of a file of this machine: which processes run on another that shares the folder, nobody here knows."""
    return f"{FILE}{process}@{quote(socket.gethostname(), safe='')}.json"


def _running(file: Path) -> Address | None:
    """The address in a file of this machine; None where its service has ended, or where it holds none."""
    try:
        address = _ADDRESS.validate_python(parse_json(file.read_bytes()))
    except (OSError, ValueError):
        return None
    runs = address.machine == socket.gethostname() and lives(address.process, address.born)
    return address if runs else None
