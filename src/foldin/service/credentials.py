"""Credentials of a request: an API key in the Authorization header, or the session id in the page's cookie."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.types import Scope

from foldin.service.headers import header

__all__ = ["Credentials", "read_credentials", "session_cookie"]

COOKIE = "foldin_session"

_SESSION = re.compile(r"[A-Za-z0-9_-]{43}")
_PORT = re.compile(r":(\d{1,5})$", re.ASCII)


@dataclass(frozen=True)
class Credentials:
    """`bearer`: the API key that was sent, in any form; `session`: a well-formed session id. Empty where absent."""

    bearer: str
    session: str


def read_credentials(scope: Scope) -> Credentials:
    """Returns the credentials of a request, in time linear in the size of its headers."""
    return Credentials(_bearer(header(scope, b"authorization")), _session(scope))


def session_cookie(host: str) -> str:
    """Returns the cookie's name for a Host header.

    Browsers keep cookies by host name and ignore the port: two services on one host need two names.
    """
    port = _PORT.search(host)
    return f"{COOKIE}_{port[1]}" if port else COOKIE


def _bearer(authorization: str) -> str:
    scheme, _, secret = authorization.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _session(scope: Scope) -> str:
    # not http.cookies: before Python 3.11.10 and 3.12.6 it unquotes values in quadratic time (CVE-2024-7592)
    sent = header(scope, b"cookie")
    wanted = session_cookie(header(scope, b"host")) if sent else ""
    for pair in sent.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == wanted and _SESSION.fullmatch(value):
            return value
    return ""
