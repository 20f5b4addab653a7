from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import FloatRect, Locator, Page, Route, expect

from foldin.workspace import open_workspace
from tests.service.page.browser import wait_until_settled
from tests.service.server import Server

NOTING = """
place => {
  window.said = [];
  new MutationObserver(() => said.push(place.textContent)).observe(place, {childList: true});
}
"""
"""Notes what a place says, which it does not say for long."""


def ranking(page: Page) -> list[str | None]:
    return [row.get_attribute("data-item") for row in page.locator("#ranking [data-item]").all()]


def share(page: Page, term: str) -> int:
    return int(page.locator(f"[data-share={term}]").inner_text().removesuffix("%"))


def add(page: Page, title: str) -> None:
    page.get_by_role("combobox", name="Add an item").fill(title)
    with page.expect_response("**/what-if"):
        page.get_by_role("option", name=title).first.click()
    expect(page.locator("#history .title").filter(has_text=title)).to_have_count(1)


def test_from_nobody_the_share_moves_to_the_history_as_items_are_added(open_page: Callable[..., Page]) -> None:
    page = open_page("/what-if")
    assert share(page, "history") == 0
    shares, rankings = [0], [ranking(page)]
    for _ in range(3):
        add(page, page.locator("#ranking .title").nth(2).inner_text())
        shares.append(share(page, "history"))
        rankings.append(ranking(page))
    assert shares[-1] > shares[1] > 0
    assert all(one != other for one, other in pairwise(rankings))
    expect(page.locator("#ranking .move").first).to_be_visible()


def test_what_is_shown_is_what_the_api_says(open_page: Callable[..., Page], labs: Server, somebody: str) -> None:
    page = open_page(f"/what-if?user={somebody}")
    with labs.client() as client:
        kept = client.get(f"/v1/users/{somebody}").json()
        gone = kept["history"][-1]["item"]
        with page.expect_response("**/what-if"):
            page.locator(f"button[name=remove][value='{gone}']").click()
        expect(page.locator(f"button[value='{gone}']")).to_have_count(0)
        history = [event for event in kept["history"] if event["item"] != gone]
        told = client.post("/v1/recommend", json={"history": history, "profile": kept["profile"]}).json()["items"]
    assert ranking(page) == [item["item"] for item in told]


def test_a_profile_changes_the_ranking_and_its_share(open_page: Callable[..., Page]) -> None:
    page = open_page("/what-if")
    before = ranking(page)
    assert share(page, "profile") == 0
    with page.expect_response("**/what-if"):
        page.get_by_role("checkbox", name="networking").check()
    expect(page.locator("#ranking .move").first).to_be_visible()
    assert share(page, "profile") > 0
    assert ranking(page) != before


def test_all_of_it_works_with_the_keyboard(open_page: Callable[..., Page]) -> None:
    page = open_page("/what-if")
    page.get_by_role("combobox", name="Add an item").focus()
    expect(page.locator("#adding-list [data-value]").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    with page.expect_response("**/what-if"):
        page.keyboard.press("Enter")
    expect(page.locator("#history button.remove")).to_have_count(1)
    expect(page.get_by_role("combobox", name="Add an item")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#history button.remove")).to_be_focused()
    with page.expect_response("**/what-if"):
        page.keyboard.press("Enter")
    expect(page.locator("#history button.remove")).to_have_count(0)
    expect(page.get_by_role("combobox", name="Add an item")).to_be_focused()


def test_the_focus_goes_on_though_another_answer_comes_first(open_page: Callable[..., Page]) -> None:
    page, held = open_page("/what-if"), list[Route]()
    add(page, page.locator("#ranking .title").first.inner_text())
    page.route("**/what-if", lambda route: held.append(route))
    with page.expect_request("**/what-if"):
        page.locator("#history button.remove").press("Enter")
    page.evaluate("htmx.ajax('GET', '/items', {target: '#adding-list', values: {text: ''}})")
    expect(page.locator("#adding-list.htmx-settling")).to_have_count(0)
    held[0].continue_()
    expect(page.locator("#history button.remove")).to_have_count(0)
    expect(page.get_by_role("combobox", name="Add an item")).to_be_focused()


@pytest.mark.parametrize("by", ["paste", "typing"])
def test_enter_at_once_adds_what_is_there_and_nothing_else(open_page: Callable[..., Page], by: str) -> None:
    page = open_page("/what-if")
    title, item = page.locator("#ranking .title").nth(4).inner_text(), ranking(page)[4]
    field = page.get_by_role("combobox", name="Add an item")
    for text in (title, f" {item} ", title[:-1]):
        field.focus()
        expect(page.locator("#adding-list [data-value]").first).to_be_visible()
        with page.expect_response("**/what-if"):
            if by == "paste":
                page.keyboard.insert_text(text)
            else:
                page.keyboard.type(text)
            page.keyboard.press("Enter")
        expect(page.locator("#history .title")).to_contain_text([title])
        expect(field).to_have_value("")
        page.get_by_role("button", name=f"Leave out {title}").click()
        expect(page.locator("#history .title")).to_have_count(0)


def test_enter_adds_nothing_where_no_item_is_called_that_and_forgets_it_when_the_text_changes(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("/what-if")
    title = page.locator("#ranking .title").nth(4).inner_text()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    field = page.get_by_role("combobox", name="Add an item")
    field.press("Enter")
    for text in ("zzqqy", f"{title} zzqqy"):
        field.fill(text)
        field.press("Enter")
        expect(page.get_by_role("option", name="No item is called that")).to_be_visible()
    with page.expect_response("**/items*"):
        field.press("ArrowDown")
        field.fill(title)
    expect(page.get_by_role("option", name=title)).to_be_visible()
    assert not asked
    expect(field).to_have_value(title)


def test_it_is_said_aloud_what_became_of_the_ranking(open_page: Callable[..., Page]) -> None:
    page = open_page("/what-if")
    page.locator("#told[role=status]").evaluate(NOTING)
    add(page, page.locator("#ranking .title").first.inner_text())
    first = page.locator("#ranking .title").first.inner_text()
    assert any(first in said for said in page.evaluate("said"))


def test_a_long_history_opens_in_the_page_and_stays_open(open_page: Callable[..., Page], labs: Server) -> None:
    with open_workspace(labs.log.parent).store() as store:
        user = next(user for user in store.user_ids() if len(set(store.history(user).item_ids)) > 13)
    page = open_page(f"/what-if?user={user}")
    page.set_viewport_size({"width": 360, "height": 740})
    buttons = page.locator("#history button.remove")
    assert [button.is_visible() for button in buttons.all()].count(True) == 12
    page.locator("#history summary").click()
    boxes = page.locator("#history, #history *").all()
    assert not [
        box for box in boxes if box.evaluate("box => ['auto', 'scroll'].includes(getComputedStyle(box).overflowY)")
    ]
    count = buttons.count()
    buttons.last.click()
    expect(buttons).to_have_count(count - 1)
    expect(buttons.last).to_be_visible()


@pytest.mark.parametrize("place", ["select >> nth=0", "[aria-describedby~=unmatched]", "#adding"])
def test_on_a_phone_what_a_change_does_is_seen_where_it_is_made(open_page: Callable[..., Page], place: str) -> None:
    page = open_page("/what-if")
    page.set_viewport_size({"width": 390, "height": 844})
    field, summary = page.locator("#person").locator(place), page.locator("#summary")
    page.locator("#told").evaluate(NOTING)
    page.get_by_role("checkbox", name="networking").check()
    expect(summary.locator(".move").first).to_be_attached()
    field.evaluate("field => field.scrollIntoView()")
    field.focus()
    for topic in ("storage", "networking"):
        page.evaluate("said.length = 0")
        with page.expect_response("**/what-if"):
            page.get_by_role("checkbox", name=topic).evaluate("box => box.click()")
        wait_until_settled(page)
        assert summary.locator(".title").all_inner_texts() == page.locator("#ranking .title").all_inner_texts()[:3]
        expect(summary.get_by_text(re.compile("All 10, of which [1-9][0-9]? moved"))).to_be_in_viewport()
        assert seen(page, field)
        assert "First is" in page.evaluate("said.join()")


def test_on_a_phone_the_ranking_itself_is_a_touch_away_and_nothing_over_it(open_page: Callable[..., Page]) -> None:
    page = open_page("/what-if")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator("#summary")).not_to_contain_text("moved")
    page.get_by_role("textbox", name="Looking for").fill("zzqqy")
    expect(page.locator("#summary")).to_contain_text("All 10, of which none moved")
    expect(page).to_have_url(re.compile("query=zzqqy$"))
    address = page.url
    page.locator("#summary").click()
    expect(page.locator("#ranking [data-item]").first).to_be_in_viewport()
    expect(page.locator("#summary")).not_to_be_in_viewport()
    page.go_back()
    expect(page.locator("#summary")).to_be_in_viewport()
    assert page.url == address
    page.set_viewport_size({"width": 1280, "height": 900})
    expect(page.locator("#summary")).to_be_hidden()


def seen(page: Page, field: Locator) -> bool:
    """Whether a field is on the screen, and beside what stays there."""
    box, over = field.bounding_box(), page.locator("#summary").bounding_box()
    assert box is not None
    assert over is not None
    return 0 <= box["y"] <= 844 - box["height"] and not meet(box, over)


def meet(one: FloatRect, other: FloatRect) -> bool:
    across = one["x"] < other["x"] + other["width"] and other["x"] < one["x"] + one["width"]
    return across and one["y"] < other["y"] + other["height"] and other["y"] < one["y"] + one["height"]


def test_nothing_of_it_is_stored(open_page: Callable[..., Page], labs: Server, somebody: str) -> None:
    with labs.client() as client:
        before = client.get(f"/v1/users/{somebody}").json()
        page = open_page(f"/what-if?user={somebody}")
        add(page, page.locator("#ranking .title").first.inner_text())
        assert client.get(f"/v1/users/{somebody}").json() == before


def test_words_count_while_they_are_typed(open_page: Callable[..., Page]) -> None:
    page = open_page("/what-if")
    expect(page.locator("[data-share=query]")).to_have_count(0)
    with page.expect_response("**/what-if"):
        page.get_by_label("Looking for").press_sequentially("kubernetes storage security")
    expect(page.locator("[data-share=query]")).not_to_have_text("0%")
    expect(page.get_by_label("Looking for")).to_be_focused()


def test_words_that_say_nothing_are_named_beside_their_field(open_page: Callable[..., Page]) -> None:
    page = open_page("/what-if")
    words = page.get_by_role("textbox", name="Looking for")
    shown = page.locator(".notice").filter(visible=True)
    expect(shown).to_have_count(0)
    words.fill("zzqqy")
    expect(shown).to_have_text(["No item matches the query 'zzqqy': the ranking is the same as without it."])
    expect(words).to_have_accessible_description(re.compile("No item matches the query 'zzqqy'"))
    field, notice = words.bounding_box(), shown.bounding_box()
    assert field is not None
    assert notice is not None
    assert 0 <= notice["y"] - field["y"] - field["height"] < 20
    words.fill("storage qqqzz and a zzqqy")
    expect(shown).to_have_text([re.compile("These words find nothing, as no item or most have them: qqqzz, .*zzqqy")])
    words.fill("storage")
    expect(shown).to_have_count(0)
