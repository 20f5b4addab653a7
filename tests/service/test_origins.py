"""Pages of other origins: those that are allowed may ask, with a key; the browser's question before needs none."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.service.server import serving

HOME, ABROAD = "https://labs.example", "https://other.example"


def test_a_page_may_ask_from_where_it_is_allowed(workspace: Path) -> None:
    with serving(workspace, "--origin", HOME) as server, server.client() as client:
        wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        asked = httpx.options(f"{server.url}/v1/recommend", headers=wanted | {"Origin": HOME}, timeout=60, verify=False)
        assert asked.status_code == 200
        assert asked.headers["Access-Control-Allow-Origin"] == HOME
        refused = httpx.options(
            f"{server.url}/v1/recommend", headers=wanted | {"Origin": ABROAD}, timeout=60, verify=False
        )
        assert refused.status_code == 400
        assert "Access-Control-Allow-Origin" not in refused.headers
        answer = client.post("/v1/recommend", json={"user": "u02"}, headers={"Origin": HOME})
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == HOME
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        without = httpx.post(f"{server.url}/v1/recommend", json={}, headers={"Origin": HOME}, timeout=60, verify=False)
        assert (without.status_code, without.headers["Access-Control-Allow-Origin"]) == (401, HOME)
