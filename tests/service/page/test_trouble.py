"""What went wrong is said for as long as somebody needs to read it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.service.page.browser import sign_in, wait_until_settled
from tests.service.server import Server

POLLS = "htmx.ajax('GET', '/models/jobs', {swap: 'none'})"
"""What a page asks by itself."""


@pytest.fixture
def page(labs: Server, browser: Browser) -> Iterator[Page]:
    with browser.new_context(base_url=labs.url) as context:
        page = context.new_page()
        sign_in(page, labs.log.parent)
        page.goto("/what-if")
        wait_until_settled(page)
        yield page


def fails(route: Route) -> None:
    route.fulfill(status=503, json={"detail": f"no {route.request.url.rpartition('/')[2]} today"})


def chosen(page: Page) -> None:
    with page.expect_response("**/what-if"):
        page.get_by_role("checkbox", name="networking").click()


def test_what_somebody_did_is_answered_until_they_do_what_goes_right(page: Page) -> None:
    page.route("**/what-if", fails)
    chosen(page)
    page.evaluate(POLLS)
    expect(page.get_by_role("alert")).to_have_text("no what-if today")
    page.route("**/models/jobs", fails)
    page.evaluate(POLLS)
    expect(page.get_by_role("alert")).to_have_text("no what-if today")
    page.unroute("**/what-if")
    chosen(page)
    expect(page.get_by_role("alert")).to_be_empty()


def test_what_the_page_asks_by_itself_is_forgotten_once_it_is_answered(page: Page) -> None:
    page.route("**/models/jobs", fails)
    page.evaluate(POLLS)
    expect(page.get_by_role("alert")).to_have_text("no jobs today")
    page.unroute("**/models/jobs")
    page.evaluate(POLLS)
    expect(page.get_by_role("alert")).to_be_empty()
