"""Who may come in: nobody without a key, on any route or method, but where only health is asked."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from foldin.service.connections import MOST_HEADER
from foldin.service.credentials import Credentials, read_credentials
from foldin.service.headers import header
from foldin.service.hosts import host_of, is_own, netloc_of
from foldin.service.keys import Key, KeyRing
from foldin.service.page.rendering import at_browser, stranger, turned_away
from foldin.service.problems import problem

__all__ = ["OPEN", "Gate", "ForbiddenError", "needs", "require"]

ENTER = "/enter"
OPEN = ("/health/live", "/health/ready", ENTER, "/enter/page.css")
"""What needs no key, and takes no body; `/enter` takes the code of a one-time link instead."""

MOST_BUCKETS = 1_024
"""Keys in use at once before those that rest are forgotten."""

LONGEST_HOST = 253
"""Letters of a host that an answer repeats; no name has more."""

OVER = "This browser's session has expired or was revoked: open another link."

_ANYBODY = Key("anybody", "", ("admin",), "")


class ForbiddenError(Exception):
    """The key has none of the scopes that allow this; its text names them."""

    def __init__(self, *scopes: str) -> None:
        super().__init__(" or ".join(f"'{scope}'" for scope in scopes))


class Gate:
    """Lets a request through that brings an API key, or the session in the page's cookie, at its rate.

    `auth` False lets everybody through; `origins`: of pages elsewhere that may ask; `host`: where the service listens.
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: KeyRing,
        *,
        auth: bool,
        rate: float,
        burst: int,
        host: str,
        origins: Sequence[str] = (),
    ) -> None:
        self._app, self._keys, self._auth, self._origins = app, keys, auth, origins
        self._own = frozenset({host, *map(host_of, origins)} - {""})
        self._rate, self._burst = rate, burst
        self._buckets: dict[str, tuple[float, float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _header_bytes(scope) > MOST_HEADER:
            await _too_large(scope)(scope, receive, send)
            return
        brought = read_credentials(scope)
        _drop_cookies(scope)
        if self._misled(scope, brought):
            await _misdirection(scope)(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        if self._foreign(scope, brought):
            await _foreign_origin(scope)(scope, receive, send)
            return
        if scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        key = self._key_of(brought) if self._auth else _ANYBODY
        if key is None:
            await _refusal(scope, brought)(scope, receive, send)
            return
        if self._auth and not self._has_room(key):
            detail = f"over {self._rate:g} requests per second with this key"
            await turned_away(scope, problem(429, detail, state.get("request_id")))(scope, receive, send)
            return
        state["key"] = key
        await self._app(scope, receive, send)

    def _key_of(self, brought: Credentials) -> Key | None:
        return self._keys.api_key(brought.bearer) if brought.bearer else self._keys.session(brought.session)

    def _misled(self, scope: Scope, brought: Credentials) -> bool:
        """Whether a browser may have been led here under another's name, which makes that one's pages our own to it.

        A key in the header is nothing a browser brings by itself: whoever has one may come through any proxy.
        """
        by_key = self._auth and scope["path"] != ENTER and (brought.bearer or not brought.session)
        return not by_key and not is_own(_asked(scope), {*self._own, _arrived_at(scope)})

    def _foreign(self, scope: Scope, brought: Credentials) -> bool:
        """Whether a page elsewhere has a browser do something here with what the browser brings by itself.

        A cookie's SameSite takes another port of the same machine for the same site, and without keys there is none.
        """
        origin = header(scope, b"origin")
        if not origin or origin in self._origins or brought.bearer or scope["method"] in ("GET", "HEAD"):
            return False
        return netloc_of(origin) != header(scope, b"host")

    def _has_room(self, key: Key) -> bool:
        """Takes a token from the key's bucket, which fills at the rate allowed."""
        now = monotonic()
        tokens, before = self._buckets.get(key.digest, (float(self._burst), now))
        tokens = min(self._burst, tokens + self._rate * (now - before))
        self._forget_full(now)
        self._buckets[key.digest] = (max(tokens - 1, 0.0), now)
        return tokens >= 1

    def _forget_full(self, now: float) -> None:
        """Where there are many buckets, keys that were revoked have left some: one that is full again says nothing."""
        if len(self._buckets) >= MOST_BUCKETS:
            fills = self._burst / self._rate
            self._buckets = {digest: kept for digest, kept in self._buckets.items() if now - kept[1] < fills}


class needs:  # noqa: N801 - reads as a word where routes are declared
    """A route's dependency: refuses a key that has none of the scopes."""

    def __init__(self, *scopes: str) -> None:
        self.scopes = scopes

    async def __call__(self, request: Request) -> None:
        """Lets the request pass, or not; a coroutine, as FastAPI takes every request to a thread for anything else.

        Raises:
            ForbiddenError: the key has none of them.
        """
        require(request, *self.scopes)


def require(request: Request, *scopes: str) -> None:
    """Refuses a request whose key has none of the scopes.

    Raises:
        ForbiddenError: it has none of them, or there is no key.
    """
    key: Key | None = getattr(request.state, "key", None)
    if key is None or not any(map(key.may, scopes)):
        raise ForbiddenError(*scopes)


def _header_bytes(scope: Scope) -> int:
    target = len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"])
    return target + sum(len(name) + len(value) for name, value in scope["headers"])


def _too_large(scope: Scope) -> Response:
    detail = f"the address and the headers of a request have at most {MOST_HEADER:,} bytes: send fewer or shorter"
    return turned_away(scope, problem(431, detail, scope.get("state", {}).get("request_id")))


def _drop_cookies(scope: Scope) -> None:
    """Removes the Cookie header: the framework parses it for every route, with the standard library's quadratic
    unquoting, and no route needs it."""
    scope["headers"] = [one for one in scope["headers"] if one[0] != b"cookie"]


def _refusal(scope: Scope, brought: Credentials) -> Response:
    if at_browser(scope):
        return stranger(OVER if brought.session else "You are not signed in.")
    return problem(401, _next_step(scope, brought), scope["state"].get("request_id"))


def _next_step(scope: Scope, brought: Credentials) -> str:
    """Returns what to do next, by what was sent; whether a key ever existed is not disclosed."""
    if brought.bearer:
        return (
            "the key that was sent is not valid: mistyped, revoked or expired; make another with `foldin keys create`"
        )
    if brought.session:
        return f"{OVER} `foldin link` prints one"
    advice = "a key is sent as" if header(scope, b"authorization") else "no key was sent: send"
    return f"{advice} 'Authorization: Bearer foldin_...', with a key of `foldin keys create`"


def _misdirection(scope: Scope) -> Response:
    host = header(scope, b"host")[:LONGEST_HOST]
    detail = f"the service is not known as '{host}': where that is its name, start with --origin http://{host}"
    return turned_away(scope, problem(421, detail, scope["state"].get("request_id")))


def _foreign_origin(scope: Scope) -> Response:
    origin, host = header(scope, b"origin")[:LONGEST_HOST], header(scope, b"host")[:LONGEST_HOST]
    detail = (
        f"this was sent by a page of the origin '{origin}', and the header Host is '{host}': a proxy in between has to "
        f"pass on Host as the browser sent it; a page of another origin is allowed by starting with --origin {origin}, "
        "and sends a key"
    )
    return turned_away(scope, problem(403, detail, scope["state"].get("request_id")))


def _asked(scope: Scope) -> str:
    return host_of("//" + header(scope, b"host"))


def _arrived_at(scope: Scope) -> str:
    """The address of this machine that the connection came to, which says more than `0.0.0.0`."""
    server = scope.get("server")
    return server[0] if server else ""
