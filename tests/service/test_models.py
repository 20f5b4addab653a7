"""Which model answers is said by its name, and a name is never a path."""

from __future__ import annotations

from urllib.parse import quote

import httpx
import pytest


def test_the_bundles_of_the_workspace_and_which_of_them_answers(client: httpx.Client) -> None:
    told = client.get("/v1/models").json()
    assert told == {
        "live": "1-ease",
        "models": [{"name": "1-ease", "current": True, "forgotten": 0, "refused": None}],
    }


@pytest.mark.parametrize("name", ["1", "1-ease"])
def test_a_bundle_is_taken_into_use_by_its_number_or_name(client: httpx.Client, name: str) -> None:
    assert client.post(f"/v1/models/{name}/activate").json()["live"] == "1-ease"


@pytest.mark.parametrize("name", ["../1-ease", "1-ease\\..\\1-ease", "1-EASE", "current", "1-ease\n", "-1"])
def test_what_is_no_bundle_s_name_is_refused(client: httpx.Client, name: str) -> None:
    answer = client.post(f"/v1/models/{quote(name, safe='')}/activate")
    # a slash that is escaped is one again before it comes to routes
    assert answer.status_code == (404 if "/" in name else 422), answer.text


def test_a_bundle_that_is_not_there_is_not_found(client: httpx.Client) -> None:
    answer = client.post("/v1/models/7/activate")
    assert answer.status_code == 404
    assert "7" in answer.json()["detail"]


def test_before_the_first_there_is_nothing_to_go_back_to(client: httpx.Client) -> None:
    answer = client.post("/v1/models/rollback")
    assert answer.status_code == 404, answer.text
    assert client.get("/v1/models").json()["live"] == "1-ease"
