"""The error for more work than the service takes."""

from __future__ import annotations

from foldin.errors import ResourceError

__all__ = ["BusyError"]


class BusyError(ResourceError):
    """More is asked than can be answered: a queue is full."""
