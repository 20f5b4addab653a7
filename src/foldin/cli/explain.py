"""`foldin explain`."""

from __future__ import annotations

__all__ = ["explain"]


def explain() -> None:
    """To be written."""
