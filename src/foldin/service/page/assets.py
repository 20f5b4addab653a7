"""The page's files: scripts and styles, kept in memory, under an address that changes with what is in them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Asset", "asset", "address"]

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""Not left to the machine's own list, which may call a script something a browser refuses."""


@dataclass(frozen=True)
class Asset:
    """A file: its bytes, what it is, and the first letters of its SHA-256."""

    content: bytes
    media_type: str
    digest: str


def asset(name: str) -> Asset | None:
    """A file by its name below `static`, as `vendor/htmx.min.js`; None where there is none."""
    return _assets().get(name)


def address(name: str) -> str:
    """Where the page finds a file; another one once its content has changed, so that it may be kept for ever."""
    return f"/static/{_assets()[name].digest}/{name}"


@cache
def _assets() -> dict[str, Asset]:
    files = [file for file in sorted(FOLDER.rglob("*")) if file.is_file()]
    return {file.relative_to(FOLDER).as_posix(): _read(file) for file in files}


def _read(file: Path) -> Asset:
    content = file.read_bytes()
    return Asset(content, TYPES.get(file.suffix, "text/plain"), hashlib.sha256(content).hexdigest()[:12])
