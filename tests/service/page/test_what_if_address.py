"""The address of What if says what was changed: it can be loaded again, come back to and passed on."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from playwright.sync_api import Page, expect

from tests.service.page.browser import wait_until_settled
from tests.service.page.test_what_if import add, ranking
from tests.service.server import Server

WORDS = "Looking for"

PUTTING = """
put = [];
replace = history.replaceState.bind(history);
history.replaceState = (state, title, url) => { if (url) put.push(url); replace(state, title, url); };
"""
"""Notes each address that the page puts in the place of its own."""


def test_what_was_changed_is_there_again_when_the_page_is_loaded_again_or_passed_on(
    open_page: Callable[..., Page], labs: Server, somebody: str
) -> None:
    page = open_page(f"/what-if?user={somebody}")
    changed(page, lambda: page.locator("#history button.remove").first.click())
    add(page, page.locator("#ranking .title").nth(3).inner_text())
    changed(page, lambda: page.get_by_role("checkbox", name="storage").click())
    changed(page, lambda: page.get_by_role("combobox", name="Role").select_option(""))
    changed(page, lambda: page.get_by_label(WORDS).fill("kubernetes & storage"))
    told = shown(page)
    assert "1 left out" in told[1]
    page.reload()
    assert shown(page) == told
    with labs.client() as client:
        assert f'data-item="{ranking(page)[0]}"' in client.get(page.url).text
    assert shown(open_page(page.url)) == told


def test_what_is_taken_back_is_not_in_the_address(open_page: Callable[..., Page], somebody: str) -> None:
    page = open_page(f"/what-if?user={somebody}")
    opened = page.url
    changed(page, lambda: page.get_by_role("checkbox", name="storage").click())
    expect(page).to_have_url(re.compile("profile.interests="))
    changed(page, lambda: page.get_by_role("checkbox", name="storage").click())
    expect(page).to_have_url(opened)
    title = page.locator("#ranking .title").nth(3).inner_text()
    add(page, title)
    expect(page).to_have_url(re.compile(f"user={somebody}&added=[^&]+$"))
    changed(page, lambda: page.get_by_role("button", name=f"Leave out {title}").click())
    expect(page).to_have_url(opened)
    expect(page.locator("#history .count")).not_to_contain_text("left out")


def test_one_goes_back_to_it_and_from_it(open_page: Callable[..., Page]) -> None:
    page = open_page("/catalogue")
    page.get_by_role("link", name="What if").click()
    changed(page, lambda: page.get_by_role("checkbox", name="networking").click())
    changed(page, lambda: page.get_by_role("checkbox", name="storage").click())
    told = shown(page)
    page.locator("#ranking .title").first.click()
    page.wait_for_url("**/catalogue/item?*")
    page.go_back()
    assert shown(page) == told
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Catalogue")


def test_back_and_forward_over_a_jump_within_the_page_it_shows_what_its_address_says(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("/what-if")
    told = shown(page)
    page.locator(".skip").press("Enter")
    changed(page, lambda: page.get_by_role("checkbox", name="storage").click())
    changed_to = shown(page)
    page.go_back()
    expect(page.get_by_role("checkbox", name="storage")).not_to_be_checked()
    assert shown(page) == told
    page.go_forward()
    expect(page.get_by_role("checkbox", name="storage")).to_be_checked()
    assert shown(page) == changed_to


def test_an_address_that_stays_is_not_put_anew_as_browsers_limit_how_often(open_page: Callable[..., Page]) -> None:
    page = open_page("/what-if")
    page.evaluate(PUTTING)
    for text in ("kubernetes", "kubernetes ", "kubernetes  "):
        changed(page, partial(page.get_by_label(WORDS).fill, text))
        assert page.evaluate("put") == ["/what-if?query=kubernetes"]


def test_what_is_too_long_for_an_address_is_left_out_and_said(open_page: Callable[..., Page], somebody: str) -> None:
    page = open_page(f"/what-if?user={somebody}")
    opened = page.url
    page.get_by_role("checkbox", name="storage").click()
    words = page.get_by_label(WORDS)
    changed(page, lambda: words.fill("存储 " * 160))
    notice = page.get_by_text("more than fits into an address")
    expect(notice).to_be_visible()
    expect(page).to_have_url(opened)
    changed(page, lambda: words.fill("storage"))
    expect(notice).to_have_count(0)
    expect(page).to_have_url(re.compile("query=storage$"))


def test_an_address_is_taken_as_people_pass_it_on(labs: Server) -> None:
    with labs.client() as client:
        for address in ("/what-if?user=gr%C3%B6%C3%9Fe&", "/what-if?user=größe&x"):
            answer = client.get(address)
            assert answer.status_code == 200, answer.text
            assert "größe" in answer.text


def test_the_log_tells_nothing_of_an_address(labs: Server) -> None:
    with labs.client() as client:
        sent = {"user": "somebody-in-an-address", "added": "HOL-2001-01-CLD", "profile.role": "zzqqy"}
        text = client.get("/what-if", params=sent).text
        assert all(value in text for value in sent.values())
        refused = client.get("/what-if", params={"user": "x" * 300})
        assert refused.status_code == 422
        client.get("/health/live")
    labs_log = labs.log.read_text(encoding="utf-8")
    assert '"/what-if"' in labs_log
    assert not any(value in labs_log for value in (*sent.values(), "x" * 300))


def changed(page: Page, change: Callable[[], object]) -> None:
    """Changes something, until it is shown."""
    with page.expect_response("**/what-if"):
        change()
    wait_until_settled(page)


def shown(page: Page) -> tuple[list[str | None], str, str, list[str]]:
    """What the page shows of a draft: the ranking, the history and the profile."""
    wait_until_settled(page)
    boxes = page.locator("#person :is(input:checked, select, input[type=text])").all()
    values = [box.input_value() for box in boxes]
    return ranking(page), page.locator("#history").inner_text(), page.locator("#rests").inner_text(), values
