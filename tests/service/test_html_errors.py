"""What a browser is shown: errors as pages, and the end of its session; other clients that accept HTML get JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from foldin.service.credentials import session_cookie
from foldin.service.keys import create_session
from foldin.workspace import Workspace
from tests.service.in_process import HOST, InProcess, serving_in_process

JAVA = {"Accept": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGES = ("/", "/what-if", "/catalogue", "/models", "/data", "/docs", "/nowhere")


@pytest.fixture(scope="module")
def service(new_workspace: Callable[..., Workspace]) -> Iterator[InProcess]:
    with serving_in_process(new_workspace().folder, auth=False) as running:
        yield running


def test_errors_of_a_post_to_the_api_are_json_where_html_is_accepted(service: InProcess) -> None:
    answer = service.send("POST", "/v1/recommend", headers=JAVA, json={"k": "many"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")


def test_a_browser_with_a_foreign_origin_gets_a_page_that_names_host_and_origin(service: InProcess) -> None:
    headers = {**BROWSER, "Origin": "https://labs.example"}
    answer = service.send("POST", "/leave", headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "text/html; charset=utf-8")
    for part in ("Host", "127.0.0.1:8000", "--origin https://labs.example"):
        assert part in answer.text


def test_the_button_that_ends_a_session_is_on_pages_of_a_session_only(service: InProcess) -> None:
    for path in PAGES:
        answer = service.send("GET", path, headers=BROWSER)
        assert "Catalogue</a>" in answer.text, path
        assert "Sign out" not in answer.text, path


def test_the_button_is_on_pages_of_a_session(new_workspace: Callable[..., Workspace]) -> None:
    folder = new_workspace().folder
    session_id = create_session(folder, "page-1", datetime.now(UTC) + timedelta(hours=1))
    headers = {**BROWSER, "Cookie": f"{session_cookie(HOST)}={session_id}"}
    with serving_in_process(folder) as signed_in:
        for path in PAGES:
            assert "Sign out" in signed_in.send("GET", path, headers=headers).text, path
