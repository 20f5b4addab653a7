from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from foldin.workspace import open_workspace
from tests.service.server import PATIENCE, Server


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


def test_events_that_came_since_are_counted_without_loading_it_again(
    open_page: Callable[..., Page], labs: Server
) -> None:
    page = open_page("/data")
    expect(kinds(page).locator("canvas")).to_be_visible()
    with labs.client() as client:
        event = {"user": "new", "item": "HOL-2001-01-CLD", "kind": "never-seen"}
        assert client.post("/v1/events", json={"events": [event]}).json()["stored"] == 1
    page.goto("/data")
    row = kinds(page).locator("tr", has_text="never-seen")
    expect(row).to_have_count(1, timeout=PATIENCE * 1000)
    expect(page.get_by_role("status").filter(has_text="Counting")).to_have_count(0)
    expect(kinds(page).locator("canvas")).to_be_visible()


def kinds(page: Page) -> Locator:
    return page.get_by_role("region", name="Kinds")
