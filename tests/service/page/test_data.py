from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from foldin.workspace import open_workspace
from tests.service.server import Server, until


def test_the_store_is_counted_and_drawn(open_page: Callable[..., Page], labs: Server) -> None:
    page = open_page("/data")
    with open_workspace(labs.log.parent).store() as store:
        summary = store.summary()
    numbers = page.get_by_role("region", name="Numbers")
    for number in (summary.users, summary.items, summary.events):
        expect(numbers).to_contain_text(f"{number:,}")
    for title in ("Events per", "Long tail", "Kinds", "Events per person", "Events per item"):
        expect(page.get_by_role("region", name=title).first.locator("canvas")).to_be_visible()


def test_the_doctor_is_heard(open_page: Callable[..., Page]) -> None:
    page = open_page("/data")
    expect(page.get_by_role("region", name="The doctor says")).to_be_visible()


def test_a_chart_says_its_title_once_and_its_values_where_somebody_points(open_page: Callable[..., Page]) -> None:
    page = open_page("/data")
    chart = page.get_by_role("region", name="Events per person")
    expect(chart.get_by_role("img", name="Events per person")).to_be_visible()
    shown = chart.get_by_text("events", exact=False).or_(chart.get_by_text("people"))
    assert [text.inner_text() for text in shown.all() if text.is_visible()] == ["Events per person"]
    chart.locator(".u-over").hover()
    expect(chart.locator(".u-legend")).to_have_text(re.compile(r"\d"))
    chart.get_by_text("As a table").click()
    assert chart.get_by_role("columnheader").all_inner_texts() == ["Events", "people"]


@pytest.fixture
def watching(open_page: Callable[..., Page]) -> Page:
    """Data on a page whose clock can be put forward, once everything is counted."""
    page = open_page("/models")
    page.clock.install()
    page.goto("/data")
    until_watched(page, lambda: not page.get_by_text("Counting").count())
    return page


def test_events_that_come_are_shown_on_the_open_page(watching: Page, labs: Server) -> None:
    table = kinds(watching).get_by_role("group", name="Kinds as a table")
    kinds(watching).get_by_text("As a table").click()
    table.focus()
    watching.evaluate("scrollTo(0, document.body.scrollHeight); this.loaded = scrollY")
    for kind in ("never-seen", "never-heard"):
        came(labs, kind)
        row = table.locator("tr", has_text=kind)
        until_watched(watching, row.count)
        expect(table).to_be_focused()
        expect(kinds(watching).locator("canvas")).to_be_visible()
    assert watching.evaluate("loaded > 0 && loaded == scrollY")


def test_while_nothing_comes_nothing_is_sent(watching: Page) -> None:
    with watching.expect_response("**/data?*") as answer:
        watching.clock.run_for(5_000)
    assert answer.value.status == 204


def test_a_page_that_nobody_sees_asks_for_nothing(watching: Page) -> None:
    asked: list[str] = []
    watching.on("request", lambda request: asked.append(request.url))
    watching.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    watching.clock.run_for(60_000)
    assert not asked
    watching.evaluate("delete document.hidden")
    with watching.expect_response("**/data?*"):
        watching.clock.run_for(5_000)


def until_watched(page: Page, found: Callable[[], object]) -> None:
    """Puts the page's clock forward, again and again, until something is found on it."""

    def looked() -> object:
        page.clock.run_for(5_000)
        return found()

    until(looked)


def came(labs: Server, kind: str) -> None:
    """An event of a kind is stored."""
    with labs.client() as client:
        event = {"user": "new", "item": "HOL-2001-01-CLD", "kind": kind}
        assert client.post("/v1/events", json={"events": [event]}).json()["stored"] == 1


def kinds(page: Page) -> Locator:
    return page.get_by_role("region", name="Kinds")
