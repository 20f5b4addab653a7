from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import httpx
import pytest

from foldin.service.credentials import session_cookie
from foldin.service.keys import create_key, revoke_key
from tests.service.server import Server, until

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE")


@pytest.fixture(scope="module")
def routes(server: Server) -> list[str]:
    with server.client() as client:
        paths: dict[str, object] = client.get("/openapi.json").json()["paths"]
    return sorted(path.replace("{", "").replace("}", "") for path in paths)


@pytest.fixture
def stranger(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60, verify=False) as client:
        yield client


def test_without_a_key_every_method_of_every_route_is_refused(routes: list[str], stranger: httpx.Client) -> None:
    guarded = [path for path in [*routes, "/", "/nowhere", "/openapi.json"] if not path.startswith("/health/")]
    assert len(guarded) > 15
    codes = {(method, path): stranger.request(method, path).status_code for path in guarded for method in METHODS}
    assert set(codes.values()) == {401}, codes


def test_a_wrong_key_is_none(server: Server) -> None:
    for key in ("x", "foldin_", server.key[:-1], server.key + "x", "\x80", server.key.upper()):
        headers = {b"Authorization": f"Bearer {key}".encode("latin-1")}
        assert httpx.get(f"{server.url}/v1/models", headers=headers, timeout=60, verify=False).status_code == 401


def test_whoever_is_refused_hears_what_to_do_next(server: Server) -> None:
    def told(headers: dict[str, str]) -> str:
        answer = httpx.get(f"{server.url}/v1/models", headers=headers, timeout=60, verify=False)
        assert answer.status_code == 401
        return str(answer.json()["detail"])

    revoked = create_key(server.log.parent, "revoked", ["read"])
    revoke_key(server.log.parent, "revoked")
    assert told({}).startswith("no key was sent: send 'Authorization: Bearer foldin_...'")
    for given in ("Basic dTpw", server.key):
        assert told({"Authorization": given}).startswith("a key is sent as 'Authorization: Bearer foldin_...'")
    wrong = {told({"Authorization": f"Bearer {key}"}) for key in ("x", "foldin_x", revoked)}
    assert len(wrong) == 1, "whether a key ever was one is nobody's business"
    assert "mistyped, revoked or expired" in wrong.pop()
    cookie = f"{session_cookie(server.url)}={revoked[-43:]}"
    assert "open another link. `foldin link` prints one" in told({"Cookie": cookie})


def test_health_is_open(stranger: httpx.Client) -> None:
    assert stranger.get("/health/live").json() == {"status": "live"}
    assert stranger.get("/health/ready").json() == {"status": "ready", "writing": "ready"}
    assert stranger.get("/health/ready?for=write").json() == {"status": "ready", "writing": "ready"}


@pytest.mark.parametrize(
    ("scope", "allowed"), [("read", (200, 403, 403)), ("people", (403, 200, 403)), ("admin", (200, 200, 200))]
)
def test_a_key_opens_what_its_scope_says(scope: str, allowed: tuple[int, ...], server: Server) -> None:
    folder = server.log.parent
    with server.client(create_key(folder, f"only {scope}", [scope])) as client:
        found = (
            client.post("/v1/recommend", json={}).status_code,
            client.put("/v1/users/scoped", json={"profile": {}}).status_code,
            client.get("/v1/models").status_code,
        )
        assert found == allowed
        revoke_key(folder, f"only {scope}")
        assert client.post("/v1/recommend", json={}).status_code == 401


def test_nothing_of_a_body_is_read_for_a_key_without_the_scope(server: Server) -> None:
    json_body = {"Content-Type": "application/json"}
    asked = {"events": ("POST", "/v1/recommend"), "read": ("PUT", "/v1/users/scoped")}
    for scope, (method, path) in asked.items():
        with server.client(create_key(server.log.parent, f"bodies {scope}", [scope])) as client:
            for body in (b"{", b'{"unknown": 1}', b"null", b""):
                assert client.request(method, path, content=body, headers=json_body).status_code == 403, (path, body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"k": NaN}',
        b'{"k": 1e999}',
        b'{"k": 1, "k": 2}',
        b'{"k": "1"}',
        b'{"k": 1.0}',
        b'{"k": true}',
        b'{"k": 0}',
        b'{"k": 1001}',
        b'{"unknown": 1}',
        b'{"user": ""}',
        b'{"user": " "}',
        b'{"user": "\\ud800"}',
        b'{"user": "a\\u0000b"}',
        b'{"user": "u02", "history": []}',
        b'{"history": [{"item": "i01", "value": 1e39}]}',
        b'{"history": [{"item": "i01", "time": "2026-03-01T09:00:00"}]}',
        b'{"profile": {"role": null}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_bad_bodies_are_refused_with_a_reason(body: bytes, client: httpx.Client) -> None:
    answer = client.post("/v1/recommend", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_a_body_is_limited_packed_and_unpacked(client: httpx.Client) -> None:
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    small = gzip.compress(json.dumps({"user": "u02", "k": 1}).encode())
    assert client.post("/v1/recommend", content=small, headers=packed).status_code == 200
    bomb = gzip.compress(b" " * 2**26)
    assert client.post("/v1/recommend", content=bomb, headers=packed).status_code == 413
    assert client.post("/v1/recommend", content=b" " * (2**20 + 1)).status_code == 413
    assert client.post("/v1/recommend", content=small[:-9], headers=packed).status_code == 400
    assert client.post("/v1/recommend", content=small, headers=packed | {"Content-Encoding": "br"}).status_code == 415


def test_every_answer_is_protected_and_has_an_id(client: httpx.Client, server: Server) -> None:
    for path in ("/health/live", "/nowhere", "/v1/users/u02/recommendations"):
        headers = client.get(path).headers
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Request-ID"]
        until(lambda: headers["X-Request-ID"] in server.log.read_text(encoding="utf-8"))  # noqa: B023 - called at once
    assert "u02" not in server.log.read_text(encoding="utf-8")
    assert server.key not in server.log.read_text(encoding="utf-8")
