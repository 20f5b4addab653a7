from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from foldin.workspace import create_workspace
from tests.service.page.browser import sign_in
from tests.service.server import Server, serving, until

PAGES = {
    "/": "Whom for?",
    "/?user={somebody}": "{somebody}",
    "/?user=nobody-knows": "nobody-knows",
    "/what-if": "What if…",
    "/what-if?user={somebody}": "What if…",
    "/catalogue": "Catalogue",
    "/catalogue/item?item=HOL-2001-01-CLD": "Advanced Cloud Governance",
    "/models": "Models",
    "/models?bundle=1-autoencoder": "Models",
    "/data": "Data",
    "/docs": "API",
}


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_whole_and_everybody_can_use_it(address: str, open_page: Callable[..., Page], somebody: str) -> None:
    page = open_page(address.format(somebody=somebody))
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[address].format(somebody=somebody))
    assert not grave_faults(page)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not grave_faults(page, "color-contrast", "target-size", "scrollable-region-focusable")


def test_on_a_phone_all_pages_can_be_reached(open_page: Callable[..., Page]) -> None:
    page = open_page("/")
    page.set_viewport_size({"width": 360, "height": 740})
    links = page.get_by_role("navigation", name="Pages").get_by_role("link").all()
    boxes = [link.bounding_box() for link in links]
    assert len(boxes) == 6
    assert all(box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 360 for box in boxes)


def grave_faults(page: Page, *rules: str) -> list[tuple[str, list[str]]]:
    """Accessibility violations that axe calls serious or critical, with the elements; of all its rules by default."""
    found = Axe().run(page, options={"runOnly": list(rules)} if rules else None).response["violations"]
    grave = [one for one in found if one["impact"] in ("serious", "critical")]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in grave]


def test_light_and_dark_are_chosen_and_remembered(open_page: Callable[..., Page]) -> None:
    page = open_page("/")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Light or dark").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark


def test_where_nothing_is_there_yet_it_is_said_how_to_begin(tmp_path: Path) -> None:
    workspace = create_workspace(tmp_path / "empty")
    workspace.store(create=True).close()
    with serving(workspace.folder) as server, server.client() as client:
        models, data, recommend, what_if = (
            client.get(address).text for address in ("/models", "/data", "/", "/what-if")
        )
        client.post("/v1/events", json={"events": [{"user": "u", "item": "i"}]})
        until(lambda: "Sources</h2>" in client.get("/data").text)
        assert "<dd>1 event</dd>" in client.get("/data").text
        assert "To train by what the values say: <code>foldin train " in client.get("/data").text
        with_events = [client.get(address).text for address in ("/models", "/", "/what-if")]
        shown = {"some events": 204, "no events": 200, "1-running some events": 200}
        assert {stand: client.get("/", headers={"foldin-shown": stand}).status_code for stand in shown} == shown
    for page in with_events:
        assert 'hx-post="/v1/train"' in page
        assert "1 event" in page
    assert f"<code>foldin train -w {workspace.folder}</code> makes the first" in models
    assert f"<code>foldin ingest -w {workspace.folder}</code> takes" in models
    assert f"<code>foldin ingest -w {workspace.folder}</code> takes" in data
    for page in (recommend, what_if):
        assert (
            f"<code>foldin ingest -w {workspace.folder} events.csv\nfoldin train -w {workspace.folder}</code>" in page
        )
        assert 'hx-post="/v1/train"' not in page
    assert "Roll back" not in models
    assert 'hx-post="/v1/train"' not in models
    assert "No events yet" in data


def test_a_user_signs_out_and_in_again(labs: Server, browser: Browser) -> None:
    with browser.new_context(base_url=labs.url) as context:
        page = context.new_page()
        sign_in(page, labs.log.parent)
        with page.expect_navigation():
            page.get_by_text("Sign out").click()
        expect(page.get_by_text("You are not signed in.")).to_be_visible()
        assert not context.cookies()
        sign_in(page, labs.log.parent)
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
