"""`foldin ingest`."""

from __future__ import annotations

__all__ = ["ingest"]


def ingest() -> None:
    """To be written."""
