"""Bodies of requests: not larger than allowed, packed or unpacked, and JSON of the one strict kind."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foldin.service.problems import problem
from foldin.strict_json import parse_json

__all__ = ["Bodies", "StrictRoute"]


class Bodies:
    """Reads a body whole before anything is done with it, unpacks gzip, and refuses one of over `most` bytes (413)."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal, body = await self._read(headers, receive)
        if refusal is not None:
            status, detail = refusal
            await problem(status, detail, scope.get("state", {}).get("request_id"))(scope, receive, send)
            return
        plain = MutableHeaders(scope=scope)
        if "content-encoding" in plain:
            del plain["content-encoding"]
            plain["content-length"] = str(len(body))
        await self._app(scope, _replayed(body, receive), send)

    async def _read(self, headers: Headers, receive: Receive) -> tuple[tuple[int, str] | None, bytes]:
        encoding = headers.get("content-encoding", "identity").lower()
        if encoding not in ("identity", "gzip"):
            return (415, "a body is plain or packed with gzip"), b""
        body = await _received(receive, self._most)
        if body is not None and encoding == "gzip":
            try:
                body = _unpacked(body, self._most)
            except zlib.error:
                return (400, "the body is no gzip"), b""
        if body is None:
            return (413, f"a body has at most {self._most:,} bytes, unpacked: send several"), b""
        return None, body


class StrictRoute(APIRoute):
    """A route whose JSON is read by `parse_json`: no NaN, no key twice, no bottomless nesting."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler with such a request."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(_StrictRequest(request.scope, request.receive))

        return strict


class _StrictRequest(Request):
    async def json(self) -> Any:
        body = await self.body()
        try:
            return parse_json(body)
        except json.JSONDecodeError:
            raise
        except UnicodeDecodeError:
            raise json.JSONDecodeError("the body is not UTF-8", "", 0) from None
        except ValueError as error:
            raise json.JSONDecodeError(str(error), "", 0) from None  # the one error that is told as a fault of the body


async def _received(receive: Receive, most: int) -> bytes | None:
    """The body; None where it is too large."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def _unpacked(body: bytes, most: int) -> bytes | None:
    unpacking = zlib.decompressobj(wbits=31)
    plain = unpacking.decompress(body, most + 1)
    if len(plain) > most:
        return None
    if not unpacking.eof or unpacking.unused_data:
        raise zlib.error("it ends too early, or too late")
    return plain


def _replayed(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
