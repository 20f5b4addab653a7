"""HTTP connections with limits on time, size, pipelining and number, as clients without a key open them too."""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from foldin.service.connection_limit import ConnectionLimit

__all__ = ["MOST_HEADER", "Connection"]

HURRY = 10.0
"""Seconds in which a header has to come whole."""

MOST_HEADER = 2**14
"""Bytes of a header of which more is to come."""

WRITE_TIMEOUT = 30.0
"""Seconds after which a connection is aborted whose peer reads nothing of what is written."""

WRITE_CHECK = 5.0
"""Seconds between two looks at how much of it is still unread."""

MAX_PIPELINED = 100
"""Requests that may wait for the answer to the first of them; a connection with more is aborted."""


class Connection(HttpToolsProtocol):
    """Server side of one HTTP/1.1 connection.

    Closes it where a header is too long or too slow, aborts it where the peer does not read or pipelines too much, and
    counts it in `limit`. uvicorn closes it between two requests. A request to upgrade to another protocol (h2c,
    WebSocket) is served as the HTTP/1.1 request that it also is (RFC 9110, 7.8).
    """

    def __init__(self, *given: Any, limit: ConnectionLimit, **more: Any) -> None:
        super().__init__(*given, **more)
        self._limit = limit
        self._header_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._written_at = 0.0
        self._unwritten = 0
        self._size = 0
        self._in_body = False
        self._at_end = False
        self._upgrade_ignored = False
        self._running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timers of a new connection."""
        super().connection_made(transport)
        self._written_at = self.loop.time()
        self._write_timer = self.loop.call_later(WRITE_CHECK, self._check_writes)
        self._wait_for_header()
        self._limit.add(self)

    def data_received(self, data: bytes) -> None:
        """Parse what came: of a header, of a body, or of the rest of one that was refused."""
        self._at_end = False
        self._unset_keepalive_if_required()
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("Invalid HTTP request received.")
            return
        # what stands behind the end of a request in the same piece is little, and is not counted
        self._size += 0 if self._in_body or self._at_end else len(data)
        if self._size > MOST_HEADER:
            self._give_up()
        if self.cycle is None or self.cycle.response_complete:  # else uvicorn's wait for another request comes after it
            self._wait_for_header()

    def on_headers_complete(self) -> None:
        """Start a request whose header is whole."""
        self._upgrade_ignored = self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"
        if self._upgrade_ignored or self.transport.is_closing():
            return
        self._stop_waiting()
        self._in_body = True
        self._limit.mark_busy(self)
        super().on_headers_complete()
        if len(self.pipeline) > MAX_PIPELINED:
            self.abort()

    def on_message_complete(self) -> None:
        """Note the end of a request's body."""
        if self._upgrade_ignored:
            return
        self._in_body, self._at_end = False, True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for one."""
        if not self.pipeline:
            self._limit.mark_idle(self)
        super().on_response_complete()

    def resume_writing(self) -> None:
        """Note that the peer reads."""
        self._written_at = self.loop.time()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, and let the request in progress know: uvicorn notifies the last of the pipeline."""
        self._limit.remove(self)
        self._stop_waiting()
        if self._write_timer is not None:
            self._write_timer.cancel()
        self.pipeline.clear()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def abort(self) -> None:
        """Close the connection without waiting until the peer has read what was written."""
        self.transport.abort()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _parse(self, data: bytes) -> None:
        """Feed the parser, which stops behind the header of a request to upgrade."""
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as stop:
                if not self._upgrade_ignored:  # CONNECT, behind which nothing is HTTP
                    return
                data = self._head_without_upgrade() + data[stop.args[0] :]
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [self.parser.get_method() + b" " + self.url + b" HTTP/" + version]
        lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def _check_writes(self) -> None:
        unwritten = self.transport.get_write_buffer_size()
        if not unwritten or unwritten < self._unwritten:
            self._written_at = self.loop.time()
        self._unwritten = unwritten
        if self.loop.time() - self._written_at >= WRITE_TIMEOUT:
            self.abort()
        else:
            self._write_timer = self.loop.call_later(WRITE_CHECK, self._check_writes)

    def _wait_for_header(self) -> None:
        if self._header_timer is None and not self.transport.is_closing():
            self._header_timer = self.loop.call_later(HURRY, self._give_up)

    def _stop_waiting(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
        self._header_timer, self._size = None, 0

    def _give_up(self) -> None:
        self.transport.close()  # earlier answers may be on their way; `_check_writes` aborts it if they are not read
