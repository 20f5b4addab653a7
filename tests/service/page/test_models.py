from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Dialog, Locator, Page, expect

from foldin.workspace import open_workspace
from tests.service.page.browser import sign_in
from tests.service.server import Server, serving, until


def live(labs: Server) -> str:
    with labs.client() as client:
        return str(client.get("/v1/models").json()["live"])


def test_a_model_is_taken_into_use_and_back(open_page: Callable[..., Page], labs: Server) -> None:
    page = open_page("/models")
    assert live(labs) == "2-ease"
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        if len(asked) == 1:
            dialog.dismiss()
        else:
            dialog.accept()

    page.on("dialog", answer)
    back = page.get_by_role("button", name="Roll back to 1-autoencoder")
    back.click()
    assert live(labs) == "2-ease"
    back.click()
    assert asked == ["Use 1-autoencoder for all recommendations from now on, in place of 2-ease?"] * 2
    expect(page.locator("tr", has_text="1-autoencoder").get_by_text("live", exact=True)).to_be_visible()
    assert live(labs) == "1-autoencoder"
    expect(page.get_by_role("button", name="Use 2-ease")).to_be_visible()
    expect(page.get_by_role("button", name="Roll back")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status").filter(has_text="2-ease is in use again.")).to_be_visible()
    expect(page.locator("tr", has_text="2-ease").get_by_text("live", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_hidden()
    assert live(labs) == "2-ease"
    assert len(asked) == 2


def test_a_bundle_is_removed_once_that_is_confirmed(open_page: Callable[..., Page], labs: Server) -> None:
    bundles = labs.log.parent / "bundles"
    removed = shutil.copytree(bundles / "1-autoencoder", bundles / "3-autoencoder")
    page = open_page("/models?bundle=3-autoencoder")
    expect(page.get_by_role("button", name="Remove 2-ease")).to_have_count(0)
    button = page.get_by_role("button", name="Remove 3-autoencoder")
    page.once("dialog", Dialog.dismiss)
    button.click()
    assert removed.is_dir()
    page.once("dialog", Dialog.accept)
    button.click()
    message = page.get_by_role("status").filter(has_text="3-autoencoder is removed.")
    expect(message).to_be_visible()
    expect(page.get_by_role("link", name="3-autoencoder")).to_have_count(0)
    assert not removed.exists()
    page.reload()
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
    expect(message).to_have_count(0)


def test_it_is_said_when_a_bundle_was_made(open_page: Callable[..., Page], labs: Server) -> None:
    page = open_page("/models")
    manifest = open_workspace(labs.log.parent).manifest("2-ease")
    made = datetime.fromisoformat(manifest.created).astimezone(UTC).strftime("%-d %b %Y, %H:%M UTC")
    expect(page.locator("tr", has_text="2-ease").get_by_text(made)).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 740})
    expect(page.get_by_role("region", name="Settings").get_by_text(made)).to_be_visible()


def test_figures_stand_beside_popularity_and_by_length_of_history(open_page: Callable[..., Page]) -> None:
    page = open_page("/models")
    row = page.locator("tr", has_text="2-ease")
    expect(row.locator("small").first).to_be_visible()
    chart = page.get_by_role("region", name="NDCG@10 by length of history")
    expect(chart.locator("canvas")).to_be_visible()
    expect(chart.get_by_text("popularity").first).to_be_visible()
    chart.get_by_text("As a table").click()
    assert chart.get_by_role("rowheader").all_inner_texts()[:3] == ["0", "1", "2"]


def test_on_a_phone_no_figure_is_cut_off(open_page: Callable[..., Page]) -> None:
    page = open_page("/models?bundle=1-autoencoder")
    table = page.get_by_role("table", name="Figures", exact=True)
    for width in (320, 360, 400):
        page.set_viewport_size({"width": width, "height": 740})
        cells = [cell.bounding_box() for cell in table.locator("th, td").all()]
        assert len(cells) > 20
        assert all(cell is not None and cell["x"] >= 0 and cell["x"] + cell["width"] <= width - 16 for cell in cells)
        assert all(cell is not None and cell["height"] < 60 for cell in cells)


def test_a_network_shows_its_training(open_page: Callable[..., Page]) -> None:
    page = open_page("/models?bundle=1-autoencoder")
    chart = page.get_by_role("region", name="Error by epoch")
    expect(chart.locator("canvas")).to_be_visible()
    chart.get_by_text("As a table").click()
    assert len(chart.get_by_role("rowheader").all()) == 3


def test_click_through_stands_by_model_and_rank(open_page: Callable[..., Page], labs: Server) -> None:
    with labs.client() as client:
        answer = client.post("/v1/recommend", json={"user": "clicks", "k": 3}).json()
        event = {"user": "clicks", "item": answer["items"][1]["item"], "recommendation_id": answer["recommendation_id"]}
        assert client.post("/v1/events", json={"events": [event]}).json()["stored"] == 1
        until(lambda: "foldin_impressions_total{" in client.get("/metrics").text)
    page = open_page(f"/models?bundle={answer['model']}")
    row = page.get_by_role("group", name="Click-through as a table").locator("tr", has_text=answer["model"])
    assert row.get_by_role("cell").nth(4).inner_text() != "0.0%"
    chart = page.get_by_role("region", name="Click-through by rank")
    expect(chart.locator("canvas")).to_be_visible()
    chart.get_by_text("As a table").click()
    assert chart.get_by_role("rowheader").all_inner_texts()[:3] == ["1", "2", "3"]


def test_what_goes_wrong_is_said(labs: Server, browser: Browser) -> None:
    context = browser.new_context(base_url=labs.url)
    page = context.new_page()
    sign_in(page, labs.log.parent)
    page.goto("/models")
    page.evaluate("htmx.ajax('POST', '/v1/models/9/activate', {swap: 'none'})")
    expect(page.get_by_role("alert")).to_contain_text("no bundle '9'")
    context.close()


def test_a_refusal_can_be_read_while_the_page_asks_how_the_training_goes(
    workspace: Path, held: Path, browser: Browser
) -> None:
    with serving(workspace) as server, browser.new_context(base_url=server.url) as context, server.client() as client:
        page = context.new_page()
        sign_in(page, workspace)
        page.goto("/models")
        page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")  # asks nothing
        button = page.get_by_role("button", name="Train again")
        assert client.post("/v1/train", json={"model": "ease"}).status_code == 202
        page.evaluate("delete document.hidden")
        button.click()
        refusal = page.get_by_role("alert").filter(has_text="job 1 is training already")
        expect(refusal).to_be_visible()
        expect(page.get_by_text("Training ease")).to_be_visible()
        expect(button).to_be_disabled()
        held.unlink()
        expect(page.get_by_role("link", name="2-ease")).to_be_visible()
        expect(refusal).to_be_visible()
        expect(button).to_be_enabled()
        until(lambda: client.get("/v1/models").json()["live"] == "2-ease")
        page.once("dialog", Dialog.accept)
        page.get_by_role("button", name="Roll back").click()
        expect(page.get_by_text("job 1 is training already")).to_have_count(0)


def test_an_open_page_notices_a_training_that_was_started_elsewhere(
    workspace: Path, held: Path, browser: Browser
) -> None:
    with serving(workspace) as server, browser.new_context(base_url=server.url) as context, server.client() as client:
        page = context.new_page()
        sign_in(page, workspace)
        page.clock.install()
        page.goto("/models")
        button = page.get_by_role("button", name="Train again")
        with page.expect_response("**/models/jobs?*") as answer:
            page.clock.run_for(5_000)
        assert answer.value.status == 204
        expect(button).to_be_enabled()
        assert client.post("/v1/train", json={"model": "ease"}).status_code == 202
        until_shown(page, page.get_by_text("Training ease"))
        expect(button).to_be_disabled()
        held.unlink()
        until_shown(page, page.get_by_role("link", name="2-ease"))
        expect(button).to_be_enabled()


def until_shown(page: Page, place: Locator) -> None:
    """Puts the page's clock forward, again and again, until a place is there."""

    def looked() -> int:
        page.clock.run_for(2_500)
        return place.count()

    until(looked)
