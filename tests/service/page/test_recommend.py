from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.service.server import Server


def test_ten_recommendations_stand_beside_profile_and_history(
    open_page: Callable[..., Page], labs: Server, somebody: str
) -> None:
    page = open_page(f"/?user={somebody}")
    with labs.client() as client:
        told = client.get(f"/v1/users/{somebody}/recommendations").json()["items"]
        kept = client.get(f"/v1/users/{somebody}").json()
    rows = page.locator("#ranking [data-item]")
    assert [row.get_attribute("data-item") for row in rows.all()] == [item["item"] for item in told]
    assert page.locator("#ranking svg.bar rect").count() >= 10
    profile = page.get_by_role("region", name="Profile")
    for value in kept["profile"].values():
        expect(profile).to_contain_text(value.split("|")[0])
    expect(page.get_by_role("region", name="History").get_by_role("listitem").first).to_be_visible()


def test_a_history_is_shown_whole_and_names_without_spaces_are_cut(
    open_page: Callable[..., Page], labs: Server
) -> None:
    with labs.client() as client:
        known = client.get("/v1/users/zz-long/recommendations?k=1").json()["items"][0]["item"]
        items = [known, "n" * 200, *(f"gone-{number}" for number in range(220))]
        events = [{"user": "zz-long", "item": item} for item in items]
        assert client.post("/v1/events", json={"events": events}).json()["stored"] == 222
    page = open_page("/?user=zz-long")
    page.set_viewport_size({"width": 360, "height": 740})
    history = page.get_by_role("region", name="History")
    history.get_by_text("210 more").click()
    expect(history.get_by_role("listitem")).to_have_count(222)
    expect(history.get_by_role("link")).to_have_count(1)  # no other item is in a catalogue
    page.evaluate("document.querySelectorAll('.cut').forEach(name => { name.textContent = 'n'.repeat(300) })")
    lines_of = "name => name.getBoundingClientRect().height / parseFloat(getComputedStyle(name).lineHeight)"
    lines = page.locator(".cut").evaluate_all(f"names => names.map({lines_of})")
    assert len(lines) > 230
    assert 1 < max(lines) < 2.1
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_every_recommendation_gets_its_reasons(open_page: Callable[..., Page], somebody: str) -> None:
    page = open_page(f"/?user={somebody}")
    expect(page.locator("#ranking .waiting")).to_have_count(0)
    assert page.locator("#ranking .reasons:has(.reason)").count() == 10


def test_what_is_looked_for_comes_first(open_page: Callable[..., Page], labs: Server, somebody: str) -> None:
    page = open_page(f"/?user={somebody}")
    page.get_by_role("searchbox", name="Looking for").fill("storage")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/?user={somebody}&query=storage")
    with labs.client() as client:
        told = client.get(f"/v1/users/{somebody}/recommendations", params={"query": "storage"}).json()["items"]
    rows = page.locator("#ranking [data-item]")
    assert [row.get_attribute("data-item") for row in rows.all()] == [item["item"] for item in told]
    expect(page.locator("[data-share=query]")).not_to_have_text("0%")
    expect(rows.first.locator(".reason").first).to_have_text("matches storage")
    expect(page.locator("#unmatched")).to_be_hidden()
    page.get_by_role("searchbox", name="Looking for").fill("zzqqy")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("#unmatched")).to_have_text(
        "No item matches the query 'zzqqy': the ranking is the same as without it."
    )


def test_a_person_is_picked_with_the_keyboard(open_page: Callable[..., Page], somebody: str) -> None:
    page = open_page("/")
    field = page.get_by_role("combobox", name="Pick or type a person")
    field.focus()
    page.keyboard.type(somebody[:-1])
    expect(page.get_by_role("option", name=somebody, exact=True)).to_be_visible()
    while page.locator("[aria-selected=true]").all_inner_texts() != [somebody]:
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/?user={somebody}")
    expect(page.get_by_role("heading", level=1)).to_have_text(somebody)


def test_a_person_nobody_has_heard_of_can_be_typed(open_page: Callable[..., Page]) -> None:
    page = open_page("/")
    page.get_by_role("combobox", name="Pick or type a person").press_sequentially("new/../one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("new/../one")
    expect(page.locator("#ranking [data-item]")).to_have_count(10)


def test_a_person_typed_after_another_was_marked_is_the_one_that_is_taken(open_page: Callable[..., Page]) -> None:
    page = open_page("/")
    page.get_by_role("combobox", name="Pick or type a person").focus()
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.insert_text("new-one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("new-one")


def test_escape_closes_the_list(open_page: Callable[..., Page]) -> None:
    page = open_page("/")
    field = page.get_by_role("combobox", name="Pick or type a person")
    field.focus()
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(field).to_be_focused()
