"""Credentials are read from headers that anyone can send: in linear time, and only within a size."""

from __future__ import annotations

import http.cookies
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.types import Scope

from foldin.service.connections import MOST_HEADER
from foldin.service.credentials import Credentials, read_credentials, session_cookie
from foldin.service.keys import create_key
from foldin.workspace import Workspace
from tests.service.in_process import InProcess, serving_in_process

ID = "A-_9" * 10 + "abc"
KEY = f"foldin_{ID}"
QUOTED = '"' + '\\"' * 100 + '"'
"""A cookie's value that the standard library unquotes."""


@pytest.fixture(scope="module")
def service(new_workspace: Callable[[], Workspace]) -> Iterator[InProcess]:
    with serving_in_process(new_workspace().folder) as running:
        yield running


def sent(host: str = "h:8000", **headers: str) -> Credentials:
    named = {"host": host, **headers}
    scope: Scope = {"headers": [(name.encode(), value.encode()) for name, value in named.items()]}
    return read_credentials(scope)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1:8000", "foldin_session_8000"),
        ("[::1]:8001", "foldin_session_8001"),
        ("recommend.example", "foldin_session"),
        ("[::1]", "foldin_session"),
        ("h:123456", "foldin_session"),
        ("h:٣", "foldin_session"),
        ("", "foldin_session"),
    ],
)
def test_a_cookie_is_named_by_the_port_that_the_browser_sees(host: str, name: str) -> None:
    assert session_cookie(host) == name


@pytest.mark.parametrize(
    "cookie",
    [
        f"foldin_session_8000={ID}",
        f"a=b; foldin_session_8000={ID}; c=d",
        f"a=b;foldin_session_8000={ID};c",
        f"foldin_session_8000=x; foldin_session_8000={ID}",
    ],
)
def test_a_session_is_found_among_other_cookies(cookie: str) -> None:
    assert sent(cookie=cookie) == Credentials("", ID)


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        ";;=;",
        f"foldin_session={ID}",
        f"foldin_session_8001={ID}",
        f"xfoldin_session_8000={ID}",
        f"foldin_session_8000={ID}x",
        f'foldin_session_8000="{ID}"',
        f"foldin_session_8000={KEY}",
        f"foldin_session_8000={QUOTED}",
    ],
)
def test_other_cookies_are_ignored(cookie: str) -> None:
    assert sent(cookie=cookie) == Credentials("", "")


def test_an_api_key_is_read_from_the_authorization_header() -> None:
    assert sent(authorization=f"bearer  {KEY} ").bearer == KEY
    assert not sent(authorization=f"Basic {KEY}").bearer


@pytest.mark.parametrize("name", ["foldin_session_8000", "foldin_key", "other"])
@pytest.mark.parametrize("path", ["/health/live", "/enter?code=x", "/v1/models", "/metrics"])
def test_no_cookie_is_unquoted(path: str, name: str, service: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    key = None if path.startswith(("/health", "/enter")) else create_key(service.folder, f"{path} {name}", ["admin"])
    unquoted: list[str] = []

    def unquote(value: str) -> str:
        unquoted.append(value)
        return value

    monkeypatch.setattr(http.cookies, "_unquote", unquote)
    for brought in {None, key}:
        service.send("GET", path, brought, headers={"Cookie": f"{name}={QUOTED}; {name}_2={QUOTED}"})
    assert not unquoted, "the standard library unquotes in quadratic time before Python 3.11.10 and 3.12.6"


@pytest.mark.parametrize("path", ["/health/live", "/v1/models"])
def test_headers_over_the_limit_are_refused(path: str, service: InProcess) -> None:
    fitting, over = "x" * (MOST_HEADER - 1_000), "x" * MOST_HEADER
    assert service.send("GET", path, headers={"Cookie": fitting}).status_code in (200, 401)
    requests: list[dict[str, Any]] = [
        {"headers": {"X-Any": over}},
        {"headers": {"Cookie": over}},
        {"params": {"any": over}},
    ]
    for request in requests:
        refused = service.send("GET", path, **request)
        assert refused.status_code == 431
        assert "16,384 bytes" in refused.json()["detail"]
    half = dict.fromkeys(("X-One", "X-Two"), "x" * (MOST_HEADER // 2))
    assert service.send("GET", path, headers=half).status_code == 431
