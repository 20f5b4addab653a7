"""Whose turn it is: who would not be answered in time hears so at once, and who was not hears that."""

from __future__ import annotations

import asyncio
import re
from time import monotonic

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foldin.service.crowd import Crowd
from foldin.service.page.rendering import turned_away
from foldin.service.problems import problem

__all__ = ["TOO_MANY", "Admission", "Turns"]

PROBES = ("/health/", "/metrics")
"""What is answered however much there is to do."""

QUICK = re.compile(r"/v1/(recommendations|similar|users/.+/recommendations|items/.+/similar)")
QUICK_TO_POST = ("/v1/recommend", "/v1/recommend/batch", "/v1/explain", "/what-if")
"""What somebody waits for on a page, and stores nothing."""

MANY = "/v1/recommend/batch"
"""What is asked for many people at once, and takes as much longer: it says nothing of the pace of the others."""

WRITING = "/v1/"
"""How paths begin under which something is stored, where neither is read: that takes as long as disk or training take,
and would keep those from being answered who only read."""

WORTH_WAITING = 0.5
"""What part of its time a request may be expected to wait; the rest is for what nobody expected."""

TOO_MANY = "the service is asked more than it can answer in time: try again soon"

UNKNOWN = "whether anything was stored is not known: send it again, events with their event ids, which are stored once"


class Admission:
    """Decides which requests are refused as they would not be answered in time.

    `deadline`: seconds a recommendation has, `patience` what all else has; `most`: that are answered at once, of
    recommendations for one, of those for many, of what writes and of the rest each.
    """

    def __init__(self, *, deadline: float, patience: float, most: int) -> None:
        self._quick = deadline, Crowd(most, WORTH_WAITING * deadline)
        self._many = deadline, Crowd(most, WORTH_WAITING * deadline)
        self._slow = patience, Crowd(most, WORTH_WAITING * patience)
        self._writing = patience, Crowd(most, WORTH_WAITING * patience)

    def has_room(self, scope: Scope) -> bool:
        """Return whether a request would be answered in time; probes always are."""
        return scope["path"].startswith(PROBES) or self.crowd_of(scope)[1].has_room()

    def crowd_of(self, scope: Scope) -> tuple[float, Crowd]:
        """Return the seconds a request has, and the requests with which it competes."""
        if _is_quick(scope):
            return self._many if scope["path"] == MANY else self._quick
        return self._writing if _is_writing(scope) else self._slow


class Turns:
    """Serves each request in its time, which begins once its body has been read, or refuses it (503)."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self._app, self._admission = app, admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not self._admission.has_room(scope):
            await _refusal(TOO_MANY, scope)(scope, receive, send)
            return
        seconds, crowd = self._admission.crowd_of(scope)
        crowd.enter(monotonic())
        try:
            await self._timed(seconds, scope, receive, send)
        finally:
            crowd.leave(monotonic())

    async def _timed(self, seconds: float, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noticed(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            async with asyncio.timeout(seconds):
                await self._app(scope, receive, noticed)
        except TimeoutError:
            if not begun:
                await _refusal(_too_late(seconds, scope), scope)(scope, receive, send)


def _refusal(detail: str, scope: Scope) -> Response:
    return turned_away(scope, problem(503, detail, scope["state"]["request_id"]))


def _is_quick(scope: Scope) -> bool:
    return bool(QUICK.fullmatch(scope["path"])) if _is_reading(scope) else scope["path"] in QUICK_TO_POST


def _is_writing(scope: Scope) -> bool:
    return scope["path"].startswith(WRITING) and not _is_reading(scope) and not _is_quick(scope)


def _is_reading(scope: Scope) -> bool:
    return scope["method"] in ("GET", "HEAD")


def _too_late(seconds: float, scope: Scope) -> str:
    late = f"not done within {seconds:g} s"
    return f"{late}; {UNKNOWN}" if _is_writing(scope) else f"{late}: try again soon"
