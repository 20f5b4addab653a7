"""`foldin inspect`."""

from __future__ import annotations

__all__ = ["inspect"]


def inspect() -> None:
    """To be written."""
