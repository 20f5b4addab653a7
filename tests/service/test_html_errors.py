"""Which errors are pages: those of browsers, and not those of clients that accept HTML by default."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from foldin.workspace import Workspace
from tests.service.in_process import InProcess, serving_in_process

JAVA = {"Accept": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


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
