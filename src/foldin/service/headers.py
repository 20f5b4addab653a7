"""Headers as they came: read once or twice a request in every layer, where a look at all of them would add up."""

from __future__ import annotations

from starlette.types import Scope

__all__ = ["header"]


def header(scope: Scope, name: bytes) -> str:
    """The first header of that name, in small letters; empty where there is none."""
    for known, value in scope["headers"]:
        if known == name:
            return str(value.decode("latin-1"))
    return ""
