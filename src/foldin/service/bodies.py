"""Bodies of requests: not larger than allowed, packed or unpacked, and JSON of the one strict kind."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import zlib
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence, Set
from functools import partial
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.params import Depends
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foldin.service.gate import OPEN, needs
from foldin.service.headers import header
from foldin.service.key_quota import KeyQuota
from foldin.service.messages import unknown_faults
from foldin.service.offload import offload
from foldin.service.page.rendering import turned_away
from foldin.service.problems import problem
from foldin.service.turns import TOO_MANY
from foldin.strict_json import parse_json

__all__ = ["Bodies", "QuickRoute", "StrictRoute"]

MAX_BYTES_HELD = 2**26
"""Bytes of all the bodies that one process reads and works on."""

MAX_BYTES_HELD_BY_KEY = MAX_BYTES_HELD // 2
"""The same of one key."""

MAX_BODIES_READ = 1_024
"""Bodies that one process reads at once."""

MAX_BODIES_READ_BY_KEY = MAX_BODIES_READ // 4
"""The same of one key."""

GRACE_SECONDS = 5.0
"""Seconds in which a body may come as slowly as it likes."""

MIN_BYTES_PER_SECOND = 2**13
"""Bytes per second of a body, on average after the grace."""

LARGE = 2**15
"""Bytes of a body that takes so long to read, some 10 ms, that others had better be answered meanwhile."""

JSON = re.compile(r"application/([\w.-]+\+)?json *(;|$)", re.ASCII | re.IGNORECASE)
"""How the type of a body begins that is one."""


STRICT = "/v1/"
"""How the paths begin that take no parameter they do not know; a probe may send whatever keeps a cache away."""


class RefusedError(Exception):
    """A body that is not taken; `status` and `detail` of the answer."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class GoneError(Exception):
    """Whoever asked has gone away before the end of the body."""


class Bodies:
    """Reads a body whole before anything is done with it, unpacks gzip, and refuses one of over `most` bytes (413).

    A body is read before its request takes the place of another (`Turns`), so that slow ones keep no other client out;
    none is read while `has_room` refuses the request (503). One key may send a part of all bodies at once (429).
    `most_at`: other limits, by path. `pause`: seconds until more of a body has to come (408); a least pace is wanted
    besides. The paths that need no key take no body.
    """

    def __init__(
        self,
        app: ASGIApp,
        most: int,
        most_at: Mapping[str, int],
        pause: float,
        has_room: Callable[[Scope], bool] = lambda _: True,
    ) -> None:
        self._app, self._most, self._most_at, self._pause, self._has_room = app, most, most_at, pause, has_room
        self._held = KeyQuota(MAX_BYTES_HELD, MAX_BYTES_HELD_BY_KEY)
        self._read_now = KeyQuota(MAX_BODIES_READ, MAX_BODIES_READ_BY_KEY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
        except RefusedError as refusal:
            await _refused(refusal, scope)(scope, receive, send)
        except GoneError:
            pass  # half a body is none, and the client has gone
        else:
            await self._served(body, scope, receive, send)

    async def _served(self, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        if header(scope, b"content-encoding"):
            plain = MutableHeaders(scope=scope)
            del plain["content-encoding"]
            plain["content-length"] = str(len(body))
        key = _key_of(scope)
        self._held.take(key, len(body))
        try:
            await self._app(scope, _replayed(body, receive), send)
        finally:
            self._held.give_back(key, len(body))

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        if not self._has_room(scope):
            raise RefusedError(503, TOO_MANY)
        encoding = header(scope, b"content-encoding").lower()
        if encoding not in ("", "identity", "gzip"):
            raise RefusedError(415, "a body is plain or packed with gzip")
        most, key = self._most_at.get(scope["path"], self._most), _key_of(scope)
        self._read_now.take(key, 1)
        try:
            _check_quota(self._read_now, key)
            body = await self._received(receive, most, key)
        finally:
            self._read_now.give_back(key, 1)
        return _unpacked(body, most) if encoding == "gzip" else body

    async def _received(self, receive: Receive, most: int, key: str) -> bytes:
        parts: list[bytes] = []
        size, more = 0, True
        end_of_grace = asyncio.get_running_loop().time() + GRACE_SECONDS
        try:
            while more:
                part, more = await self._next(receive, end_of_grace + size / MIN_BYTES_PER_SECOND)
                parts.append(part)
                size += len(part)
                self._held.take(key, len(part))
                _check_size(size, most)
                _check_quota(self._held, key)
        finally:
            self._held.give_back(key, size)
        return b"".join(parts)

    async def _next(self, receive: Receive, until: float) -> tuple[bytes, bool]:
        """The next part of a body, and whether there is more; it has to come `until` then, by the loop's clock."""
        end_of_pause = asyncio.get_running_loop().time() + self._pause
        try:
            async with asyncio.timeout_at(min(until, end_of_pause)):
                message = await receive()
        except TimeoutError:
            too_slow = (
                f"the body came too slowly: {MIN_BYTES_PER_SECOND:,} bytes per second are wanted "
                f"after {GRACE_SECONDS:g} s"
            )
            paused = f"nothing more of the body came for {self._pause:g} s"
            raise RefusedError(408, too_slow if until < end_of_pause else paused) from None
        if message["type"] == "http.disconnect":
            raise GoneError
        return message.get("body", b""), message.get("more_body", False)


class StrictRoute(APIRoute):
    """A route whose JSON is read by `parse_json`: no NaN, no key twice, no bottomless nesting.

    Nothing of a body is read for a key that lacks the scope.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler with such a request."""
        handler = super().get_route_handler()

        async def strict(given: Request) -> Response:
            request = _StrictRequest(given.scope, given.receive)
            await self.admit(request)
            return await handler(request)

        return strict

    async def admit(self, request: Request) -> None:
        """Lets a request pass that may ask this, asks nothing besides, and whose body, where one is, says it is JSON.

        Raises:
            ForbiddenError: the key lacks the scope.
            RequestValidationError: a parameter of the query is none of the route's.
            HTTPException: 415.
        """
        for depends in self.dependencies:
            await _demand(depends)(request)
        if request.scope["query_string"] and self.path.startswith(STRICT):
            _check_query(request.query_params, {parameter.alias for parameter in self.dependant.query_params})
        if self.body_field is not None:
            _check_kind(header(request.scope, b"content-type"), await request.body())


class QuickRoute(StrictRoute):
    """A strict route that takes one message, and the request where it wants that as well, and answers with one, without
    what the framework does for parameters and answers of any kind, which takes as long as all else."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        asked, *besides = inspect.signature(self.endpoint, eval_str=True).parameters.values()
        self._wants_request = [one.annotation for one in besides] == [Request]
        self._read = partial(_message, TypeAdapter(asked.annotation))
        self._write = TypeAdapter(self.response_model).dump_json

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        request = _StrictRequest(scope, receive)
        await self.admit(request)
        read = partial(self._read, await _json_of(request))
        message = await offload(read, long=_is_large(await request.body()))
        answering = self.endpoint(message, request) if self._wants_request else self.endpoint(message)
        await _answer(self._write(await answering), send)


async def _answer(body: bytes, send: Send) -> None:
    headers = [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _demand(depends: Depends) -> needs:
    assert isinstance(depends.dependency, needs)  # whatever else it was would not be looked at
    return depends.dependency


def _check_query(given: Iterable[str], known: Set[str]) -> None:
    unknown = [name for name in given if name not in known]
    if unknown:
        refused = ValidationError.from_exception_data("query", unknown_faults(unknown, sorted(known)))
        raise RequestValidationError([{**fault, "loc": ("query", *fault["loc"])} for fault in refused.errors()])


def _check_kind(kind: str, body: bytes) -> None:
    if body and not JSON.match(kind):
        raise HTTPException(415, "a body is JSON here: send it as Content-Type: application/json")


async def _json_of(request: _StrictRequest) -> object:
    """The body's value.

    Raises:
        RequestValidationError: there is no body, or it is refused; as the framework raises it.
    """
    if not await request.body():
        raise RequestValidationError([{"type": "missing", "loc": ("body",), "msg": "Field required", "input": None}])
    try:
        return await request.json()
    except json.JSONDecodeError as error:
        fault = {"type": "json_invalid", "loc": ("body", error.pos), "msg": error.msg, "ctx": {"error": error.msg}}
        raise RequestValidationError([fault]) from error


def _message(form: TypeAdapter[Any], plain: object) -> Any:
    """The message that a body holds.

    Raises:
        RequestValidationError: it does not fit; the same as the framework raises, which lets everybody wait meanwhile.
    """
    try:
        return form.validate_python(plain, from_attributes=True)
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *_place(fault, plain))} for fault in error.errors(include_url=False)]
        raise RequestValidationError(faults) from error


def _place(fault: ErrorDetails, plain: object) -> list[int | str]:
    """Where a fault is in what was sent; which of several forms it was read as is no part of that."""
    loc = fault["loc"]
    return [*_way(loc[:-1], plain), loc[-1]] if fault["type"] == "missing" else _way(loc, plain)


def _way(parts: Sequence[int | str], plain: Any) -> list[int | str]:
    """The parts that lead on from what was sent; a form can be called as a field is, but then leads nowhere."""
    if not parts:
        return []
    first, *rest = parts
    around = _way(rest, plain)
    return max([first, *_way(rest, plain[first])], around, key=len) if _leads_on(first, plain) else around


def _leads_on(part: int | str, plain: object) -> bool:
    if isinstance(plain, dict):
        return part in plain
    return isinstance(plain, list) and isinstance(part, int) and part < len(plain)


def _is_large(body: bytes) -> bool:
    return len(body) > LARGE


class _StrictRequest(Request):
    async def body(self) -> bytes:
        """The body, which `Bodies` has read whole: there is one message to wait for."""
        if not hasattr(self, "_body"):
            self._body: bytes = (await self.receive())["body"]
        return self._body

    async def json(self) -> Any:
        """The body's value.

        Raises:
            JSONDecodeError: it is refused; the one error that the framework tells as a fault of the body.
        """
        body = await self.body()
        try:
            return await offload(partial(parse_json, body), long=_is_large(body))
        except json.JSONDecodeError as error:
            raise json.JSONDecodeError(f"the body is no JSON: {error.msg}", error.doc, error.pos) from None
        except UnicodeDecodeError:
            raise json.JSONDecodeError("the body is not UTF-8", "", 0) from None
        except ValueError as error:
            raise json.JSONDecodeError(str(error), "", 0) from error


def _refused(refusal: RefusedError, scope: Scope) -> Response:
    told = problem(refusal.status, refusal.detail, scope.get("state", {}).get("request_id"))
    response = turned_away(scope, told)
    if refusal.status == 408:
        response.headers["Connection"] = "close"
    return response


def _key_of(scope: Scope) -> str:
    key = scope.get("state", {}).get("key")
    return key.digest if key is not None else ""


def _check_quota(quota: KeyQuota, key: str) -> None:
    if quota.is_exceeded():
        raise RefusedError(503, "more is sent than can be read: try again soon")
    if quota.is_exceeded_by(key):
        raise RefusedError(429, "more is sent at once with this key than may be: send less at a time")


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise RefusedError(413, f"a body has at most {most:,} bytes here, unpacked: send several")


def _unpacked(body: bytes, most: int) -> bytes:
    unpacking = zlib.decompressobj(wbits=31)
    try:
        plain = unpacking.decompress(body, most + 1)
    except zlib.error:
        raise RefusedError(400, "the body is no gzip") from None
    _check_size(len(plain), most)
    if not unpacking.eof or unpacking.unused_data:
        raise RefusedError(400, "the body is no gzip: it ends too early, or too late")
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
