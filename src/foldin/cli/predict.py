"""`foldin predict`."""

from __future__ import annotations

__all__ = ["predict"]


def predict() -> None:
    """To be written."""
