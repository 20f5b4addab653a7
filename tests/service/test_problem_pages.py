"""Whoever goes wrong in a browser sees a page; whoever is a program gets JSON."""

from __future__ import annotations

import httpx
import pytest

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/catalogue/item?item=nowhere", 404, "No item &#39;nowhere&#39;."),
        ("/nowhere", 404, "There is nothing at this address."),
        ("/models?bundle=9-none", 404, "No bundle &#39;9-none&#39;."),
        ("/?user=%20", 422, "Query.user: "),
    ],
)
def test_a_browser_sees_a_page_of_what_went_wrong(path: str, status: int, said: str, client: httpx.Client) -> None:
    seen, told = client.get(path, headers=BROWSER), client.get(path)
    assert (seen.status_code, told.status_code) == (status, status)
    assert seen.headers["Content-Type"].startswith("text/html")
    assert said in seen.text
    assert 'href="/catalogue"' in seen.text
    assert told.headers["Content-Type"] == "application/problem+json"
    assert told.json()["status"] == status


def test_whoever_is_turned_away_sees_a_page_that_leads_nowhere(client: httpx.Client) -> None:
    packed = {**BROWSER, "Content-Encoding": "br"}
    for method in ("GET", "HEAD"):
        seen = client.request(method, "/catalogue", headers=packed)
        assert (seen.status_code, seen.headers["Content-Type"]) == (415, "text/html; charset=utf-8")
    page = client.get("/catalogue", headers=packed).text
    assert "A body is plain or packed with gzip." in page
    assert "<a " not in page
