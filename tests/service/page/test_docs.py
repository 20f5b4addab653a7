from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.service.server import Server


def test_every_route_is_described(open_page: Callable[..., Page], labs: Server) -> None:
    page = open_page("/docs")
    with labs.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
    told = page.locator("summary").all_inner_texts()
    for path, methods in paths.items():
        for method in methods:
            assert any(line.split()[:2] == [method.upper(), path] for line in told), (method, path)


def test_a_route_opens_with_its_fields(open_page: Callable[..., Page]) -> None:
    page = open_page("/docs")
    page.get_by_text("/v1/recommend", exact=True).click()
    expect(page.get_by_text("Laid over the stored one").first).to_be_visible()


def test_code_is_set_as_code(open_page: Callable[..., Page]) -> None:
    page = open_page("/docs")
    assert "`" not in page.locator("main").evaluate("main => main.textContent")
    assert page.locator("summary code", has_text="/v1/item?item=a/b").or_(page.locator("small code")).count()


def test_the_command_that_makes_a_key_names_the_workspace(labs: Server) -> None:
    with labs.client() as client:
        said = client.get("/docs").text
    assert f"<code>foldin keys create NAME -w {labs.log.parent}</code>" in said
