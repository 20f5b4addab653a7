"""`foldin embeddings`."""

from __future__ import annotations

__all__ = ["embeddings"]


def embeddings() -> None:
    """To be written."""
