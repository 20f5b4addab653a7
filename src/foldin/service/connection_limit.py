"""Limit on the open connections of a process, kept below the number of files that it may open."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Protocol

if sys.platform != "win32":
    import resource

__all__ = ["MAX_CONNECTIONS", "ConnectionLimit", "max_connections", "raise_file_limit"]

MAX_CONNECTIONS = 16_384
"""Open connections of a process, however many files it may open: each takes some 10 KB."""

RESERVED_FILES = 128
"""Files kept for the store, bundles, logs and child processes."""


class Abortable(Protocol):
    """Something that can be ended at once."""

    def abort(self) -> None:
        """Close it without waiting for the peer."""


class ConnectionLimit:
    """Keeps at most `most` connections open; a connection that is idle has no request in progress.

    One more than that closes the connection that has been idle longest. Where all others have a request in progress,
    that is the new one.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._busy: set[Abortable] = set()
        self._idle: dict[Abortable, None] = {}  # in the order in which they became idle

    def add(self, connection: Abortable) -> None:
        """Count a new connection, which is idle, and make room for it."""
        self._idle[connection] = None
        if len(self._busy) + len(self._idle) > self._most:
            self._close_oldest_idle()

    def mark_busy(self, connection: Abortable) -> None:
        """Note that a request has begun."""
        if connection in self._idle:
            del self._idle[connection]
            self._busy.add(connection)

    def mark_idle(self, connection: Abortable) -> None:
        """Note that the last request has been answered."""
        if connection in self._busy:
            self._busy.remove(connection)
            self._idle[connection] = None

    def remove(self, connection: Abortable) -> None:
        """Stop counting a connection that is closed."""
        self._idle.pop(connection, None)
        self._busy.discard(connection)

    def _close_oldest_idle(self) -> None:
        oldest = next(iter(self._idle))
        self.remove(oldest)
        oldest.abort()


def raise_file_limit() -> None:
    """Raise the number of files that this process and its children may open as far as the system allows."""
    if sys.platform != "win32":
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(ValueError, OSError):  # macOS allows less than its hard limit says
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def max_connections() -> int:
    """Return how many connections fit into the number of files that this process may open."""
    if sys.platform == "win32":
        return MAX_CONNECTIONS
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(MAX_CONNECTIONS, max(files - RESERVED_FILES, files // 2))
