"""Whether a process still is the one that was meant: its number may be another's by now."""

from __future__ import annotations

import psutil

__all__ = ["lives"]

SAME = 2.0
"""Seconds within which two looks at a process agree on when it began."""


def lives(number: int, born: float) -> bool:
    """Whether the process of that number runs that began then, in seconds since the epoch."""
    try:
        process = psutil.Process(number)
        return abs(process.create_time() - born) < SAME and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
