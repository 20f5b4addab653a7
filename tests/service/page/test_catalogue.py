from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

import foldin
from foldin.data.catalog import Catalog
from foldin.store.contract import Batch
from foldin.workspace import create_workspace
from tests.service.page.browser import sign_in
from tests.service.server import Server, serving, until


def test_the_catalogue_is_searched_while_one_types(open_page: Callable[..., Page]) -> None:
    page = open_page("/catalogue")
    title = page.locator("#found .title").nth(7).inner_text()
    page.get_by_role("searchbox").press_sequentially(title.upper())
    expect(page.locator("#found-count")).to_contain_text("1 item,")
    expect(page.locator("#found .title")).to_have_text([title])
    assert "text=" in page.url


def test_the_most_popular_come_first_with_their_numbers(open_page: Callable[..., Page]) -> None:
    page = open_page("/catalogue")
    expect(page.locator("#found tbody td:nth-child(3)").first).to_have_text(re.compile(r"\d"))
    people = [int(cell.replace(",", "")) for cell in page.locator("#found tbody td:nth-child(3)").all_inner_texts()]
    assert people == sorted(people, reverse=True)
    assert people[0] > people[-1]


def test_an_item_shows_its_numbers_neighbours_and_audience(open_page: Callable[..., Page], labs: Server) -> None:
    page = open_page("/catalogue")
    page.locator("#found .title").first.click()
    page.wait_for_url("**/catalogue/item?*")
    item = page.locator(".id").first.inner_text()
    with labs.client() as client:
        similar = client.get(f"/v1/items/{item}/similar", params={"k": 8}).json()["items"]
    neighbours = page.get_by_role("region", name="Goes with")
    assert neighbours.locator(".title").all_inner_texts() == [one["title"] for one in similar]
    assert neighbours.locator(".chance b").all_inner_texts() == [f"{one['score']:.2f}" for one in similar]
    widths = [float(bar.get_attribute("width") or 0) for bar in neighbours.locator("rect").all()]
    assert widths == pytest.approx([100 * one["score"] / similar[0]["score"] for one in similar])
    expect(page.get_by_role("region", name="Numbers")).to_contain_text("people")
    expect(page.get_by_role("region", name="Who it is for").get_by_role("listitem").first).to_be_visible()


def test_numbers_appear_by_themselves_once_they_are_counted(labs: Server, browser: Browser) -> None:
    with serving(labs.log.parent) as server, browser.new_context(base_url=server.url) as context:
        page, looks = context.new_page(), list[Route]()
        sign_in(page, labs.log.parent)
        page.route("**/catalogue?*", lambda route: looks.append(route))
        with page.expect_request("**/catalogue?*"):  # the second look, which the page takes
            page.goto("/catalogue")
        expect(page.get_by_role("status").filter(has_text="Counting")).to_be_visible()
        for look in looks:
            look.continue_()
        page.unroute("**/catalogue?*")
        expect(page.locator("#found tbody td:nth-child(3)").first).to_have_text(re.compile(r"\d"))
        expect(page.get_by_role("status").filter(has_text="Counting")).to_have_count(0)


def test_an_item_names_the_days_that_are_not_drawn(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path / "strays")
    lines = [f"u{number},i0,2020-{1 + number // 28 % 12:02}-{1 + number % 28:02}T00:00Z" for number in range(672)]
    far = [f"u{number},i0,1999-01-0{1 + number}T00:00Z" for number in range(4)]
    (tmp_path / "events.csv").write_text("\n".join(["user,item,time", *lines, *far]), encoding="utf-8")
    with workspace.store(create=True) as store:
        log = foldin.read(tmp_path / "events.csv")
        store.ingest([Batch(log, "tests")], catalog=Catalog(log.item_ids, {}))
    with serving(workspace.folder) as server, server.client() as client:

        def shown() -> str:
            text = client.get("/catalogue/item", params={"item": "i0"}).text
            return text if "not drawn" in text else ""

        said = "4 events of 1 Jan 1999, 2 Jan 1999, 3 Jan 1999 and 1 other day are not drawn, long before or after"
        assert said in until(shown)
