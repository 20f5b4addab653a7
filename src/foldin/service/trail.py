"""What every request leaves behind: an id, a line in the log, a time among the measures, and headers that protect."""

from __future__ import annotations

import logging
import re
import secrets
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foldin.service.measures import Measures
from foldin.service.problems import problem

__all__ = ["METHODS", "Trail"]

PROTECTION = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}

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
        request_id = _request_id(Headers(scope=scope))
        scope.setdefault("state", {})["request_id"] = request_id
        began, status = perf_counter(), 0

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in PROTECTION.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, marked)
        except Exception:
            _log.exception("failed", extra={"fields": {"request_id": request_id}})
            if not status:
                await problem(500, "the service failed at this; its log says why", request_id)(scope, receive, marked)
        finally:
            self._leave(scope, request_id, status, perf_counter() - began)

    def _leave(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        # the path itself may hold a user's id: neither log nor measures shall
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._measures.requests.labels(method, route, str(status)).observe(seconds)
        fields = {"request_id": request_id, "method": method, "route": route, "status": status}
        _log.info("request", extra={"fields": {**fields, "milliseconds": round(1_000 * seconds, 2)}})


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if re.fullmatch(r"[\w.-]{1,64}", given, re.ASCII) else secrets.token_hex(8)
