"""DNS rebinding: a page that has its own name lead here is another's page still, though its browser cannot tell."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from foldin.service.credentials import session_cookie
from foldin.service.hosts import host_of, is_own, netloc_of
from foldin.service.link import create_code
from tests.service.server import Server, serving

STRANGE = [
    "evil.example",
    "evil.example:8000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "192.0.2.1",
    "[",
    "",
]
OWN = ["localhost", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:80", "[::1]:8000"]


@pytest.fixture(scope="module")
def session_id(server: Server) -> str:
    """The id of a session that a link has started."""
    link = f"{server.url}/enter?code={create_code(server.log.parent)}"
    return httpx.post(link, timeout=60, verify=False).cookies[session_cookie(server.url)]


def under(host: str, session_id: str) -> dict[str, str]:
    """What the browser of a user who has signed in sends under a name."""
    return {"Host": host, "Cookie": f"{session_cookie(host)}={session_id}"}


@pytest.mark.parametrize("host", STRANGE)
def test_the_cookie_opens_nothing_under_a_strange_name(host: str, server: Server, session_id: str) -> None:
    for path in ("/models", "/v1/models", "/docs", "/nowhere"):
        refused = httpx.get(server.url + path, headers=under(host, session_id), timeout=60, verify=False)
        assert refused.status_code == 421
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert f"start with --origin http://{host}" in refused.json()["detail"]
        assert refused.json()["request_id"] == refused.headers["X-Request-ID"]


def test_a_browser_reads_of_a_strange_name_on_a_page(server: Server, session_id: str) -> None:
    asked = {**under("<b>.example", session_id), "Accept": "text/html,*/*;q=0.8"}
    refused = httpx.get(f"{server.url}/models", headers=asked, timeout=60, verify=False)
    assert (refused.status_code, refused.headers["Content-Type"]) == (421, "text/html; charset=utf-8")
    assert "The service is not known as &#39;&lt;b&gt;.example&#39;" in refused.text


@pytest.mark.parametrize("host", OWN)
def test_the_cookie_opens_the_page_under_its_own_names(host: str, server: Server, session_id: str) -> None:
    assert (
        httpx.get(f"{server.url}/models", headers=under(host, session_id), timeout=60, verify=False).status_code == 200
    )


@pytest.mark.parametrize("brought", [{}, {"Authorization": "Bearer foldin_x"}])
def test_nobody_comes_in_under_a_strange_name(brought: dict[str, str], server: Server) -> None:
    link = {"code": create_code(server.log.parent)}
    for method in ("GET", "POST"):
        refused = httpx.request(
            method,
            f"{server.url}/enter",
            params=link,
            headers=brought | {"Host": "evil.example"},
            timeout=60,
            verify=False,
        )
        assert refused.status_code == 421
    entered = httpx.post(f"{server.url}/enter", params=link, timeout=60, verify=False)  # the link was not used up
    assert entered.status_code == 303


def test_a_key_may_come_under_any_name(server: Server) -> None:
    with server.client() as client:
        assert client.get("/v1/models", headers={"Host": "labs.example"}).status_code == 200
    strange = {"Host": "labs.example"}
    assert httpx.get(f"{server.url}/v1/models", headers=strange, timeout=60, verify=False).status_code == 401
    assert httpx.get(f"{server.url}/health/ready", headers=strange, timeout=60, verify=False).status_code == 200


def test_without_keys_nothing_is_told_under_a_strange_name(workspace: Path) -> None:
    with serving(workspace, "--no-auth", "--origin", "https://labs.example") as open_to_all:
        for host, status in (("evil.example", 421), ("labs.example", 200), ("localhost", 200)):
            for brought in ({}, {"Authorization": "Bearer foldin_x"}):
                for path in ("/v1/models", "/health/live"):
                    answer = httpx.get(
                        open_to_all.url + path, headers=brought | {"Host": host}, timeout=60, verify=False
                    )
                    assert answer.status_code == status, (host, path)


def test_it_is_known_where_it_listens_and_as_what_it_was_started_with(workspace: Path) -> None:
    with serving(workspace, "--host", "0.0.0.0", "--origin", "https://labs.example:8443") as server:
        address = urlsplit(server.url).netloc
        for host, status in ((address, 303), ("0.0.0.0", 303), ("labs.example", 303), ("evil.example", 421)):
            link = {"code": create_code(workspace)}
            answer = httpx.post(f"{server.url}/enter", params=link, headers={"Host": host}, timeout=60, verify=False)
            assert answer.status_code == status, host


@pytest.mark.parametrize(
    ("host", "own", "known"),
    [
        ("192.0.2.1", ["192.0.2.1"], True),
        ("192.0.2.1", ["::ffff:192.0.2.1"], True),
        ("2001:db8:0::1", ["2001:db8::1"], True),
        ("labs.example", ["Labs.example"], True),
        ("192.0.2.1", ["192.0.2.2"], False),
        ("x.labs.example", ["labs.example"], False),
        ("", [""], False),
    ],
)
def test_addresses_and_names_are_known_in_all_their_forms(host: str, own: list[str], known: bool) -> None:
    assert is_own(host, own) is known


def test_what_is_no_url_names_no_host() -> None:
    urls = ("//[::1]:80", "https://labs.example", "//[", "*", "null", "//")
    assert [host_of(url) for url in urls] == ["::1", "labs.example", "", "", "", ""]
    assert [netloc_of(url) for url in urls] == ["[::1]:80", "labs.example", "", "", "", ""]


def test_what_is_no_origin_is_another(server: Server, session_id: str) -> None:
    cookie = under(urlsplit(server.url).netloc, session_id)["Cookie"]
    for origin in ("http://[", "null", "http://[::1", "//"):
        headers = {"Cookie": cookie, "Origin": origin}
        answer = httpx.post(f"{server.url}/v1/recommend", json={}, headers=headers, timeout=60, verify=False)
        assert answer.status_code == 403, origin
