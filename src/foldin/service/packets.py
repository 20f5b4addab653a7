"""The head of an answer and the first of its body in one packet: two wake both sides up twice, a third of a
millisecond for whoever asks one thing after the other."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["Packets"]

HEAD, INTERIM = b"HTTP/1.1 ", b"HTTP/1.1 1"
"""How a head begins, and one after which another comes."""


class Packets:
    """A transport that keeps an answer's head back until something follows, or `flush` says that nothing will."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Sends it, or keeps it where it is a head."""
        if not self._head and data.startswith(HEAD) and not data.startswith(INTERIM):
            self._head = data
        else:
            self._transport.write(self._head + data)
            self._head = b""

    def flush(self) -> None:
        """Sends what was kept."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        """Sends what was kept, and nothing more."""
        self.flush()
        self._transport.close()
