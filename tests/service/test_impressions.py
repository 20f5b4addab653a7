"""What is shown is remembered, and what comes of it is counted by model and rank."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count
from pathlib import Path

import apsw
import httpx

from foldin.workspace import Workspace
from tests.service.server import serving, until
from tests.service.stores import on_every_store

USERS = (f"shown {number}" for number in count())


def shown(client: httpx.Client, user: str) -> list[dict[str, object]]:
    answer = client.get("/v1/user", params={"user": user})
    return answer.json()["shown"] if answer.status_code == 200 else []


def counted(client: httpx.Client, name: str, rank: object) -> float:
    """A count of `/metrics`, over all models."""
    found = re.findall(rf'^{name}_total{{model="[^"]*",rank="{rank}"}} (\S+)$', client.get("/metrics").text, re.M)
    return sum(float(number) for number in found)


def click(client: httpx.Client, user: str, item: object, recommendation: object) -> int:
    event = {"user": user, "item": item, "recommendation_id": recommendation}
    return int(client.post("/v1/events", json={"events": [event]}).json()["stored"])


@on_every_store
def test_every_answer_has_an_id_and_is_remembered(client: httpx.Client) -> None:
    user = next(USERS)
    answers = [
        client.post("/v1/recommend", json={"user": user, "k": 3}).json(),
        client.get("/v1/recommendations", params={"user": user, "k": 2}).json(),
        *client.post("/v1/recommend/batch", json={"people": [{"user": user}, {"user": user}], "k": 1}).json()[
            "answers"
        ],
        client.post("/v1/recommend", json={"user": user, "k": 1, "explain": True}).json(),
    ]
    assert len({answer["recommendation_id"] for answer in answers}) == 5
    assert all(re.fullmatch("[A-Za-z0-9_-]{20}", answer["recommendation_id"]) for answer in answers)
    kept = until(lambda: found if len(found := shown(client, user)) == 5 else None)
    told = [[one["recommendation_id"], one["model"], one["items"], one["clicked"]] for one in kept]
    expected = [
        [one["recommendation_id"], one["model"], [item["item"] for item in one["items"]], []] for one in answers
    ]
    assert sorted(told) == sorted(expected)


@on_every_store
def test_an_event_that_cites_at_once_is_a_click(client: httpx.Client) -> None:
    user = next(USERS)
    before = {name: counted(client, name, 2) for name in ("foldin_impressions", "foldin_clicks")}
    answer = client.post("/v1/recommend", json={"user": user, "k": 12}).json()
    item = answer["items"][1]["item"]
    for _ in range(2):
        assert click(client, user, item, answer["recommendation_id"]) == 1
    assert click(client, user, answer["items"][11]["item"], answer["recommendation_id"]) == 1
    kept = until(lambda: shown(client, user))
    assert kept[0]["clicked"] == [item, answer["items"][11]["item"]]
    assert counted(client, "foldin_clicks", 2) == before["foldin_clicks"] + 1
    assert counted(client, "foldin_impressions", 2) >= before["foldin_impressions"] + 1
    assert counted(client, "foldin_clicks", "over 10") >= 1
    assert counted(client, "foldin_clicks", 12) == 0


@on_every_store
def test_what_cites_nothing_is_an_event_all_the_same(client: httpx.Client) -> None:
    user = next(USERS)
    answer = client.post("/v1/recommend", json={"user": user, "k": 1}).json()
    assert click(client, user, answer["items"][0]["item"], "unheard of") == 1
    assert click(client, next(USERS), answer["items"][0]["item"], answer["recommendation_id"]) == 1
    assert until(lambda: shown(client, user))[0]["clicked"] == []
    event = {"user": user, "item": "i01", "recommendation_id": ""}
    assert client.post("/v1/events", json={"events": [event]}).status_code == 422


@on_every_store
def test_whom_nobody_had_heard_of_can_have_what_they_were_shown_forgotten(client: httpx.Client) -> None:
    user = next(USERS)
    client.post("/v1/recommend", json={"user": user})
    until(lambda: shown(client, user))
    gone = client.delete("/v1/user", params={"user": user}).json()
    assert gone == {"events": 0, "profile": False, "impressions": 1, "reason": None}
    assert client.get("/v1/user", params={"user": user}).status_code == 404


def test_workers_share_what_was_shown_and_a_click_at_another_counts(workspace: Path) -> None:
    with serving(workspace, "--workers", "2") as server:
        for number in range(10):
            with server.client() as asking, server.client() as telling:  # each on a connection of its own
                answer = asking.post("/v1/recommend", json={"user": f"w{number}", "k": 1}).json()
                item = answer["items"][0]["item"]
                assert click(telling, f"w{number}", item, answer["recommendation_id"]) == 1
        with server.client() as client:
            until(lambda: counted(client, "foldin_clicks", 1) == counted(client, "foldin_impressions", 1) == 10)


def test_only_the_share_asked_for_is_remembered(workspace: Path) -> None:
    people = {"people": [{"user": f"s{number}"} for number in range(250)], "k": 1}
    for share, low, high in (("0", 0, 0), ("0.5", 80, 170)):
        with serving(workspace, "--impressions", share) as server:
            with server.client() as client:
                answers = client.post("/v1/recommend/batch", json=people).json()["answers"]
                assert len({answer["recommendation_id"] for answer in answers}) == 250
            assert server.stop() == 0
        connection = apsw.Connection(str(workspace / "store.sqlite"))
        assert low <= connection.execute("SELECT count(*) FROM impressions").get <= high
        connection.close()


def test_a_store_that_is_away_takes_no_answer_with_it(
    new_workspace: Callable[[], Workspace],
) -> None:
    workspace = new_workspace()
    with serving(workspace.folder) as server, server.client() as client:
        client.post("/v1/recommend", json={"user": "u02", "k": 1})
        until(lambda: counted(client, "foldin_impressions", 1) == 1)
        other = apsw.Connection(str(workspace.folder / "store.sqlite"))
        other.execute("ALTER TABLE impressions RENAME TO away")
        assert client.post("/v1/recommend", json={"user": "u02", "k": 1}).json()["recommendation_id"]
        until(lambda: "foldin_impressions_dropped_total 1.0" in client.get("/metrics").text)
        assert counted(client, "foldin_impressions", 1) == 1
        other.execute("ALTER TABLE away RENAME TO impressions")
        other.close()
        client.post("/v1/recommend", json={"user": "u02", "k": 1})
        until(lambda: counted(client, "foldin_impressions", 1) == 2)
