"""Connections of which nothing comes, or half a header: they are closed, as whoever opens them need have no key."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from foldin.service.packets import Packets

__all__ = ["Connection"]

HURRY = 10.0
"""Seconds in which a header has to come whole."""

MOST_HEADER = 2**16
"""Bytes of a header of which more is to come."""


class Connection(HttpToolsProtocol):
    """A connection that is closed where a header is not there in time, or too long; an idle one is uvicorn's matter."""

    _timer: asyncio.TimerHandle | None = None
    _size = 0
    _in_body = False
    _at_end = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It is there."""
        self._packets = Packets(transport)
        super().connection_made(self._packets)  # type: ignore[arg-type]
        self._wait_for_header()

    def data_received(self, data: bytes) -> None:
        """Something came: of a header, of a body, or of the rest of one that was refused."""
        self._at_end = False
        super().data_received(data)
        # what stands behind the end of a request in the same piece is little, and is not counted
        self._size += 0 if self._in_body or self._at_end else len(data)
        if self._size > MOST_HEADER:
            self._give_up()
        if self.cycle is None or self.cycle.response_complete:  # else uvicorn's wait for another request comes after it
            self._wait_for_header()

    def on_headers_complete(self) -> None:
        """A header is whole."""
        self._stop_waiting()
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """So is the body."""
        self._in_body, self._at_end = False, True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is whole; one to HEAD is its head alone."""
        self._packets.flush()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_header(self) -> None:
        if self._timer is None and not self.transport.is_closing():
            self._timer = self.loop.call_later(HURRY, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._size = None, 0

    def _give_up(self) -> None:
        self.transport.close()
