"""Sessions of the page: started by a confirmed link, bound to the port, no API keys, listed, revoked and expiring."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from foldin.audit import FILE as AUDIT
from foldin.errors import WorkspaceError
from foldin.service.credentials import session_cookie
from foldin.service.keys import KEYS, create_key, create_session, read_keys, revoke_key
from foldin.service.link import create_code
from foldin.workspace import Workspace
from tests.service.in_process import HOST, InProcess, serving_in_process

BROWSER = {"Accept": "text/html"}
OTHER = "127.0.0.1:8001"
OWN_ORIGIN = {"Origin": f"http://{HOST}"}


@pytest.fixture(scope="module")
def service(new_workspace: Callable[[], Workspace]) -> Iterator[InProcess]:
    with serving_in_process(new_workspace().folder) as running:
        yield running


def link_of(service: InProcess) -> str:
    return f"/enter?code={create_code(service.folder)}"


def sign_in(service: InProcess, host: str = HOST) -> dict[str, str]:
    """The cookies of a browser that has signed in."""
    entered = service.send("POST", link_of(service), host=host)
    assert (entered.status_code, entered.headers["Location"]) == (303, "/")
    return dict(entered.cookies)


def status(service: InProcess, cookies: dict[str, str], host: str = HOST) -> int:
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return service.send("GET", "/v1/models", host=host, headers={"Cookie": cookie}).status_code


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_at_a_link_does_not_use_it_up(method: str, service: InProcess) -> None:
    link, before = link_of(service), len(read_keys(service.folder))
    for _ in range(3):
        looked = service.send(method, link, headers=BROWSER)
        assert (looked.status_code, looked.headers.get("Set-Cookie")) == (200, None)
    assert len(read_keys(service.folder)) == before
    assert service.send("POST", link).status_code == 303
    assert [service.send(one, link).status_code for one in ("HEAD", "GET", "POST")] == [401] * 3


def test_a_link_shows_one_button_that_posts_its_code(service: InProcess) -> None:
    link = link_of(service)
    shown = service.send("GET", link, headers=BROWSER)
    assert f'<form method="post" action="{link}">' in shown.text
    assert shown.text.count("<button") == 1
    # with no-referrer, as on all other pages, browsers send `Origin: null` with the form
    assert shown.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", f"http://{OTHER}"])
def test_a_page_elsewhere_cannot_redeem_a_link(origin: str, service: InProcess) -> None:
    link = link_of(service)
    assert service.send("POST", link, headers={"Origin": origin}).status_code == 403
    assert service.send("POST", link, headers=OWN_ORIGIN).status_code == 303


@pytest.mark.parametrize("code", ["", "x", "%22%3E%3Cscript%3E", "x" * 5_000])
def test_what_is_no_code_shows_no_button(code: str, service: InProcess) -> None:
    for method in ("GET", "POST"):
        refused = service.send(method, f"/enter?code={code}", headers=BROWSER)
        assert (refused.status_code, "<form" in refused.text, "<script" in refused.text) == (401, False, False)


def test_redeeming_a_link_reads_no_body(service: InProcess) -> None:
    read: list[bool] = []

    async def body() -> AsyncIterator[bytes]:
        read.append(True)
        yield b"x"

    assert service.send("POST", link_of(service), content=body()).status_code == 303
    assert not read


def test_two_services_on_one_host_have_cookies_of_their_own(service: InProcess) -> None:
    first, second = sign_in(service), sign_in(service, OTHER)
    assert (list(first), list(second)) == (["foldin_session_8000"], ["foldin_session_8001"])
    both = first | second
    assert (status(service, both), status(service, both, OTHER)) == (200, 200)
    assert status(service, second) == 401


def test_a_session_is_no_key_and_a_key_is_no_session(service: InProcess) -> None:
    cookies = sign_in(service)
    (session_id,) = cookies.values()
    assert status(service, cookies) == 200
    for secret in (session_id, f"foldin_{session_id}"):
        assert service.send("GET", "/v1/models", secret).status_code == 401
    key = create_key(service.folder, "ops", ["admin"])
    assert service.send("GET", "/v1/models", key).status_code == 200
    for value in (key, key.removeprefix("foldin_")):
        assert status(service, {session_cookie(HOST): value}) == 401


def test_a_session_is_kept_as_a_hash_and_expires(service: InProcess) -> None:
    (session_id,) = sign_in(service).values()
    assert session_id not in (service.folder / KEYS).read_text(encoding="utf-8")
    session = read_keys(service.folder)[-1]
    assert (session.kind, session.scopes) == ("session", ("admin",))
    assert session.expires is not None
    left = datetime.fromisoformat(session.expires) - datetime.now(UTC)
    assert timedelta(hours=11, minutes=59) < left <= timedelta(hours=12)
    expired = create_session(service.folder, "page-expired", datetime.now(UTC) - timedelta(seconds=1))
    assert status(service, {session_cookie(HOST): expired}) == 401


def test_a_session_is_valid_at_every_worker_until_it_is_revoked(service: InProcess) -> None:
    cookies = sign_in(service)
    name = read_keys(service.folder)[-1].name
    with serving_in_process(service.folder) as other:
        assert (status(service, cookies), status(other, cookies)) == (200, 200)
        revoke_key(service.folder, name)
        assert (status(service, cookies), status(other, cookies)) == (401, 401)
    seen = service.send("GET", "/", headers={**BROWSER, "Cookie": "; ".join("=".join(one) for one in cookies.items())})
    assert "This browser&#39;s session has expired or was revoked" in seen.text


def test_signing_out_revokes_the_session(service: InProcess) -> None:
    cookies = sign_in(service)
    (cookie,) = ["=".join(one) for one in cookies.items()]
    session = read_keys(service.folder)[-1]
    foreign = {"Cookie": cookie, "Origin": "http://evil.example"}
    assert service.send("POST", "/leave", headers=foreign).status_code == 403
    left = service.send("POST", "/leave", headers={"Cookie": cookie, **OWN_ORIGIN})
    assert (left.status_code, left.headers["HX-Redirect"]) == (204, "/")
    assert left.headers["Set-Cookie"].startswith(f'{session_cookie(HOST)}=""; ')
    assert (status(service, cookies), session.name in [key.name for key in read_keys(service.folder)]) == (401, False)
    line = json.loads((service.folder / AUDIT).read_text(encoding="utf-8").splitlines()[-1])
    assert (line["by"], line["action"], line["key"]) == (f"http:{session.name}", "leave", session.name)


def test_a_key_has_no_session_to_end(service: InProcess) -> None:
    key = create_key(service.folder, "stays", ["admin"])
    assert service.send("POST", "/leave", key).status_code == 409
    assert service.send("GET", "/v1/models", key).status_code == 200


@pytest.mark.parametrize("wrong", [{"kind": "other"}, {"kind": 1}, {"kind": "session"}])
def test_a_key_of_no_kind_and_a_session_without_end_are_damage(wrong: dict[str, object], tmp_path: Path) -> None:
    create_key(tmp_path, "shop", ["read"])
    file = tmp_path / KEYS
    (plain,) = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps([plain | wrong]), encoding="utf-8")
    with pytest.raises(WorkspaceError, match="a key is of the kind 'key', or 'session' and then expires"):
        read_keys(tmp_path)


def test_a_file_of_keys_from_before_sessions_holds_keys(tmp_path: Path) -> None:
    create_key(tmp_path, "shop", ["read"])
    file = tmp_path / KEYS
    (plain,) = json.loads(file.read_text(encoding="utf-8"))
    del plain["kind"]
    file.write_text(json.dumps([plain]), encoding="utf-8")
    assert [key.kind for key in read_keys(tmp_path)] == ["key"]
