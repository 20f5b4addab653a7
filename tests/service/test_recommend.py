from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from foldin.recommender import Recommender
from foldin.workspace import open_workspace
from tests.service.server import serving
from tests.service.stores import on_every_store

EVEN = [f"i{item:02}" for item in range(0, 12, 2)]
ODD = [f"i{item:02}" for item in range(1, 12, 2)]


def items(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["item"] for one in answer.json()["items"]]


@on_every_store
def test_a_user_of_the_store_gets_what_is_missing(client: httpx.Client) -> None:
    assert items(client.post("/v1/recommend", json={"user": "u02", "k": 1})) == ["i02"]
    assert items(client.get("/v1/users/u02/recommendations?k=1")) == ["i02"]
    assert items(client.get("/v1/recommendations", params={"user": "u02", "k": 1})) == ["i02"]


@on_every_store
def test_a_history_sent_along_is_folded_in(client: httpx.Client) -> None:
    found = items(client.post("/v1/recommend", json={"history": ["i01", {"item": "i03"}], "k": 4}))
    assert set(found) == set(ODD) - {"i01", "i03"}


@on_every_store
def test_terms_add_up_to_the_score(client: httpx.Client) -> None:
    answer = client.post("/v1/recommend", json={"user": "u02", "explain": True}).json()
    for one in answer["items"]:
        assert sum(one["basis"].values()) == pytest.approx(one["score"], abs=1e-5)
    assert answer["items"][0]["title"] == "Item i02"
    assert {reason["name"] for reason in answer["items"][0]["reasons"]} < set(EVEN)


@on_every_store
def test_whoever_nobody_has_heard_of_gets_the_prior_and_is_told_so(client: httpx.Client) -> None:
    answer = client.post("/v1/recommend", json={"user": "nobody", "k": 3}).json()
    assert len(answer["items"]) == 3
    assert "the store knows nothing of this user" in answer["reason"]
    assert all(one["basis"]["history"] == 0 for one in answer["items"])


@on_every_store
def test_rules_say_what_a_ranking_may_hold(client: httpx.Client) -> None:
    asked = {"history": ["i00"], "k": 12}
    assert set(items(client.post("/v1/recommend", json=asked))) == set(EVEN + ODD) - {"i00"}
    assert set(items(client.post("/v1/recommend", json=asked | {"seen": "include"}))) == set(EVEN + ODD)
    assert set(items(client.post("/v1/recommend", json=asked | {"categories": ["odd"]}))) == set(ODD)
    assert set(items(client.post("/v1/recommend", json=asked | {"only": ["i01", "i02"]}))) == {"i01", "i02"}
    assert "i02" not in items(client.post("/v1/recommend", json=asked | {"exclude": ["i02"]}))


def test_what_matches_a_query_comes_first(client: httpx.Client) -> None:
    address = "/v1/users/u02/recommendations"
    asked = {"user": "u02", "k": 6}
    found = client.post("/v1/recommend", json=asked | {"query": "odds", "explain": True}).json()
    assert {one["item"] for one in found["items"]} == set(ODD)
    assert all(one["shares"]["query"] > 0.5 for one in found["items"])
    assert {reason["name"] for reason in found["items"][0]["reasons"]} == {"odds"}
    for answer in (
        client.get(address, params={"k": 6, "query": "odds"}),
        client.get("/v1/recommendations", params={"user": "u02", "k": 6, "query": "odds"}),
        client.post("/v1/recommend", json={"query": "odd", "k": 6}),
    ):
        assert set(items(answer)) == set(ODD)
    people = [{"user": "u02"}, {"user": "u02", "query": "odd"}, {"profile": {"wants": "odd"}}]
    plain, *odd = client.post("/v1/recommend/batch", json={"people": people, "k": 6}).json()["answers"]
    assert set(items_of(plain)) != set(ODD)
    assert [set(items_of(one)) for one in odd] == [set(ODD)] * 2
    why = client.post("/v1/explain", json={"query": "odd", "item": "i01"}).json()
    assert [word["name"] for word in why["words"]] == ["odd"]
    assert why["words"][0]["amount"] == pytest.approx(why["basis"]["query"])


def test_a_query_that_matches_nothing_is_named(client: httpx.Client) -> None:
    plain = client.post("/v1/recommend", json={"user": "u02"})
    found = client.post("/v1/recommend", json={"user": "u02", "query": "zeppelin"})
    assert items(found) == items(plain)
    assert "no item matches the query 'zeppelin': the ranking is the same as without it" in found.json()["reason"]


@pytest.mark.parametrize("query", ["x" * 501, 7, ["odd"]])
def test_a_query_is_a_short_text(client: httpx.Client, query: object) -> None:
    assert client.post("/v1/recommend", json={"query": query}).status_code == 422
    if isinstance(query, str):
        assert client.get("/v1/recommendations", params={"user": "u02", "query": query}).status_code == 422


@on_every_store
def test_diversity_brings_what_the_ranking_lacks(client: httpx.Client) -> None:
    asked = {"history": ["i00"], "k": 2}
    first, second = items(client.post("/v1/recommend", json=asked))
    assert {first, second} < set(EVEN)
    for diverse in (asked | {"diversity": 1}, asked | {"diversity": 1, "seen": "include", "exclude": ["i00"]}):
        kept, other = items(client.post("/v1/recommend", json=diverse))
        assert kept == first
        assert other in ODD
    (answer,) = client.post(
        "/v1/recommend/batch", json={"people": [{"history": ["i00"]}], "k": 2, "diversity": 1}
    ).json()["answers"]
    assert items_of(answer)[1] in ODD


@pytest.mark.parametrize(
    "asked", [{"diversity": 1.01}, {"diversity": -0.1}, {"diversity": "1"}, {"diversity": 0.1, "k": 101}]
)
@on_every_store
def test_diversity_has_its_bounds(client: httpx.Client, asked: dict[str, object]) -> None:
    answer = client.post("/v1/recommend", json={"history": ["i00"]} | asked)
    assert answer.status_code == 422
    assert "diversity" in answer.text


@on_every_store
def test_a_batch_is_answered_as_one_by_one(client: httpx.Client) -> None:
    people: list[dict[str, object]] = [{"user": "u02"}, {"history": ["i01"]}, {}]
    answers = client.post("/v1/recommend/batch", json={"people": people, "k": 5}).json()["answers"]
    alone = [client.post("/v1/recommend", json=person | {"k": 5}).json() for person in people]
    assert [items_of(one) for one in answers] == [items_of(one) for one in alone]


def items_of(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [one["item"] for one in answer["items"]]


@on_every_store
def test_what_goes_with_an_item(client: httpx.Client) -> None:
    assert set(items(client.get("/v1/items/i02/similar?k=5"))) == set(EVEN) - {"i02"}
    assert items(client.get("/v1/similar", params={"item": "i02"})) == items(client.get("/v1/items/i02/similar"))
    assert client.get("/v1/items/unheard/similar").status_code == 404


@on_every_store
def test_an_explanation_adds_up(client: httpx.Client) -> None:
    told = client.post("/v1/explain", json={"history": ["i00", "i04"], "item": "i02"}).json()
    assert told["additive"]
    assert sum(part["amount"] for part in told["items"]) == pytest.approx(told["basis"]["history"], abs=1e-5)


def test_what_of_a_profile_says_nothing_is_named(workspace: Path, profiled: Recommender) -> None:
    open_workspace(workspace).publish(profiled)
    knows = "(it knows role)"
    with serving(workspace) as server, server.client() as client:

        def reason(**profile: str) -> str | None:
            answer: str | None = client.post("/v1/recommend", json={"profile": profile, "k": 3}).json()["reason"]
            return answer

        ordinary = {"interests": "storage|networks|cloud", "region": "eu|us", "rloe": "admin"}
        told = [client.put("/v1/users/put", json={"profile": ordinary}).json()["reason"] for _ in range(2)]
        assert told[0] == told[1]
        assert "rloe=admin (did you mean 'role'?)" in told[0]
        nothing = "no item of a history is known to the model"
        assert reason(role="admin") == nothing
        for _ in range(2):  # the second time it is remembered
            wrong = f"says nothing to the model: role=amdin (did you mean 'admin'?); {nothing}"
            assert reason(role="amdin") == wrong
        assert (
            reason(role="nurse", city="Rome") == f"says nothing to the model: role=nurse, city=Rome {knows}; {nothing}"
        )
        wrong = f"says nothing to the model: rloe=admin (did you mean 'role'?); {nothing}"
        assert reason(rloe="admin") == wrong
        assert (
            reason(topic="storage") == f"unknown to the model, so its words count as a query: topic {knows}; {nothing}"
        )
        people = [{"profile": {"role": "admin"}}, {"profile": {"rloe": "admin"}}]
        answers = client.post("/v1/recommend/batch", json={"people": people, "k": 3}).json()["answers"]
        assert [one["reason"] for one in answers] == [nothing, wrong]
        for profile, said in (({"rloe": "admin"}, wrong.partition("; no item")[0]), ({"role": "admin"}, None)):
            kept = client.put("/v1/users/put", json={"profile": profile}).json()
            assert (kept["profile"], kept["reason"]) == (profile, said)


def test_what_nobody_knows_is_named(client: httpx.Client) -> None:
    def reason(**asked: object) -> str | None:
        answer = client.post("/v1/recommend", json={"k": 1, **asked})
        assert answer.status_code == 200, answer.text
        given = answer.json()["reason"]
        return None if given is None else str(given)

    assert reason(history=["i00", "i02"]) is None
    assert reason(history=["i00", "I02"]) == "of the history the model does not know: 'I02'"
    assert reason(history=["i00", {"item": "i99", "kind": "view"}]) == "of the history the model does not know: 'i99'"
    many = [f"x{number}" for number in range(1_234)]
    named = "'x0', 'x1', 'x2' and 1,231 more"
    assert f"of 'only' the model does not know: {named}" in str(reason(history=["i00"], only=["i02", *many]))
    assert f"of 'exclude' the model does not know: {named}" in str(reason(history=["i00"], exclude=many))
    assert "no item has the category: 'evn'" in str(reason(history=["i00"], categories=["evn"]))
    assert reason(history=["i00"], categories=["even"], only=["i02", "i04"], exclude=["i04"]) is None


def test_of_a_user_of_the_store_it_is_not_said_what_the_model_is_too_old_for(client: httpx.Client) -> None:
    client.post("/v1/events", json={"events": [{"user": "ahead", "item": "i00"}, {"user": "ahead", "item": "newer"}]})
    assert client.post("/v1/recommend", json={"user": "ahead", "k": 1}).json()["reason"] is None
