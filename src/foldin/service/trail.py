"""What every request leaves behind: an id, a line in the log, a time among the measures, and headers that protect."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from random import getrandbits
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foldin.service.headers import header
from foldin.service.measures import Measures
from foldin.service.page.rendering import turned_away
from foldin.service.problems import problem

__all__ = ["METHODS", "Trail"]

PROTECTION = {
    b"content-security-policy": b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    b"font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
    b"cache-control": b"no-store",
}
"""Headers of every answer that does not say otherwise."""

METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH")
"""What is counted by name: whoever may come may invent others without end."""

_log = logging.getLogger("foldin.request")


class Trail:
    """Outermost of all: whatever happens inside, there is an answer, with an id."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self._app, self._measures = app, measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        began, status = perf_counter(), 0

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _protected(message.get("headers", ()), request_id)
            await send(message)

        try:
            await self._app(scope, receive, marked)
        except Exception:
            _log.exception("failed", extra={"fields": {"request_id": request_id}})
            if not status:
                failed = problem(500, "the service failed at this; its log says why", request_id)
                await turned_away(scope, failed)(scope, receive, marked)
        finally:
            self._leave(scope, request_id, status, perf_counter() - began)

    def _leave(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        # the path itself may hold a user's id: neither log nor measures shall
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._measures.requests.labels(method, route, str(status)).observe(seconds)
        fields = {"request_id": request_id, "method": method, "route": route, "status": status}
        _log.info("request", extra={"fields": {**fields, "milliseconds": round(1_000 * seconds, 2)}})


def _protected(headers: Iterable[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    said = list(headers)
    names = {name.lower() for name, _ in said}
    unsaid = [(name, value) for name, value in PROTECTION.items() if name not in names]
    return [*said, (b"x-request-id", request_id.encode()), *unsaid]


def _request_id(scope: Scope) -> str:
    given = header(scope, b"x-request-id")
    return given if re.fullmatch(r"[\w.-]{1,64}", given, re.ASCII) else f"{getrandbits(64):016x}"
