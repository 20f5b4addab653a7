"""Ids, values and times: which are taken, as what, and which are refused with the place of the fault."""

from __future__ import annotations

from urllib.parse import quote

import httpx
import pytest

BAD_IDS = ["", " ", "a\tb", "a\u200bb", "\u200d", "a\x00b", "\x7f", "\u3164", "x" * 257, "é" * 129]
GOOD_IDS = ["01", "1.0", "1", "[PAD]", "null", "../x", "a/b", "a?b&c=d", "%2e%2e", "née", "日本", "x" * 256, "é" * 128]
FUTURE = "2126-03-01T09:00:00Z"


def event(**fields: object) -> dict[str, object]:
    return {"user": "bad", "item": "i01", **fields}


def post(client: httpx.Client, *events: object) -> httpx.Response:
    return client.post("/v1/events", json={"events": events})


def fields(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [fault["field"] for fault in answer.json()["errors"]]


@pytest.mark.parametrize("bad", BAD_IDS, ids=ascii)
def test_what_is_no_id_is_refused_wherever_one_stands(bad: str, client: httpx.Client) -> None:
    assert fields(post(client, event(), event(user=bad)))[0] == "body.events.1.user"
    assert fields(post(client, event(item=bad)))[0] == "body.events.0.item"
    assert fields(post(client, event(event_id=bad)))[0] == "body.events.0.event_id"
    assert fields(client.post("/v1/recommend", json={"user": bad})) == ["body.user"]
    assert fields(client.post("/v1/recommend", json={"exclude": ["i01", bad]})) == ["body.exclude.1"]
    assert client.post("/v1/explain", json={"history": [], "item": bad}).status_code == 422
    assert fields(client.get("/v1/user", params={"user": bad})) == ["query.user"]
    assert fields(client.put("/v1/item", params={"item": bad}, json={})) == ["query.item"]
    assert client.get("/v1/users/bad").status_code == 404


@pytest.mark.parametrize("given", [7.0, True, None, ["7"]], ids=repr)
def test_an_id_is_a_text_or_a_whole_number(given: object, client: httpx.Client) -> None:
    assert post(client, event(user=given)).status_code == 422


@pytest.mark.parametrize("given", [7, "7", " 7 "], ids=repr)
def test_a_whole_number_is_its_digits_and_spaces_around_an_id_are_no_part_of_it(
    given: object, client: httpx.Client
) -> None:
    assert post(client, event(user=given, item=f"item of {given!r}")).json()["stored"] == 1
    assert client.get("/v1/users/7").json()["history"][-1]["item"] == f"item of {given!r}"


def test_ids_that_look_odd_are_ids_and_differ(client: httpx.Client) -> None:
    for place, user in enumerate(GOOD_IDS):
        assert post(client, event(user=user, item=f"item {place}")).json()["stored"] == 1
    for place, user in enumerate(GOOD_IDS):
        kept = client.get("/v1/user", params={"user": user}).json()
        assert (kept["user"], [one["item"] for one in kept["history"]]) == (user, [f"item {place}"])
        if "/" not in user:
            assert client.get(f"/v1/users/{quote(user, safe='')}").json() == kept


def test_one_name_has_one_spelling(client: httpx.Client) -> None:
    assert post(client, event(user="Zoe\u0308")).json()["stored"] == 1
    assert client.get("/v1/users/Zo\u00eb").json()["user"] == "Zo\u00eb"


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "1e400", '"nan"', '"1"', "true", "1e39", "-1e39", "[1]"]
)
def test_a_value_is_a_number_that_can_be_kept(value: str, client: httpx.Client) -> None:
    body = f'{{"events": [{{"user": "bad", "item": "i01", "value": {value}}}]}}'
    answer = client.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"]


@pytest.mark.parametrize("k", ["0", "-1", "1001", "10.5", "9223372036854775808", "1" + "0" * 5_000])
def test_k_has_bounds(k: str, client: httpx.Client) -> None:
    body = f'{{"history": [], "k": {k}}}'
    asked = client.post("/v1/recommend", content=body, headers={"Content-Type": "application/json"})
    assert asked.status_code == 422
    simple = client.get(f"/v1/users/u02/recommendations?k={k}")
    assert fields(simple) == ["query.k"]
    assert "is wanted" in simple.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "time",
    ["2026-03-01T09:00:00", "2026-03-01", "1772352000", 1772352000, 1772352000000, FUTURE, "2026-02-30T09:00:00Z", ""],
    ids=repr,
)
def test_a_time_says_its_offset_and_has_passed(time: object, client: httpx.Client) -> None:
    assert fields(post(client, event(time=time)))[0] == "body.events.0.time"
    assert client.post("/v1/recommend", json={"history": [{"item": "i01", "time": time}]}).status_code == 422


def test_times_become_utc_and_may_be_old(client: httpx.Client) -> None:
    for time in ("1969-12-31T23:00:00-02:00", "0001-01-02T00:00:00.000001Z"):
        assert post(client, event(user="old", time=time)).json()["stored"] == 1
    history = client.get("/v1/users/old").json()["history"]
    assert [one["time"] for one in history] == ["0001-01-02T00:00:00.000001Z", "1970-01-01T01:00:00Z"]


def test_a_kind_can_be_seen_and_there_are_few(client: httpx.Client) -> None:
    assert fields(post(client, event(kind="a\u200bb")))[0] == "body.events.0.kind"
    assert fields(post(client, event(kind="")))[0] == "body.events.0.kind"
    many = post(client, *(event(kind=f"kind {number}") for number in range(128)))
    assert many.status_code == 422
    assert "128 different kinds" in many.json()["detail"]


def test_an_item_nobody_knows_is_kept_for_the_next_training(client: httpx.Client) -> None:
    assert post(client, event(user="ahead", item="not yet there")).json()["stored"] == 1
    answer = client.post("/v1/recommend", json={"user": "ahead"}).json()
    assert answer["items"]
    assert "no item of a history is known" in answer["reason"]


def test_one_answer_holds_only_so_many_rankings(client: httpx.Client) -> None:
    people: list[dict[str, object]] = [{}] * 256
    assert client.post("/v1/recommend/batch", json={"people": people, "k": 39}).status_code == 200
    assert client.post("/v1/recommend/batch", json={"people": people, "k": 40}).status_code == 422
    assert client.post("/v1/recommend/batch", json={"people": people, "k": 10, "explain": True}).status_code == 422
    assert client.post("/v1/recommend/batch", json={"people": [*people, {}]}).status_code == 422


def test_a_method_that_is_none_here_is_told_which_are(client: httpx.Client) -> None:
    for method in ("OPTIONS", "PATCH", "POST"):
        answer = client.request(method, "/v1/users/bad")
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, PUT, DELETE, HEAD")
        assert answer.json()["detail"] == f"not by {method}: what is at this address takes GET, PUT, DELETE, HEAD"
    for method in ("GET", "HEAD"):
        answer = client.request(method, "/v1/events")
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/health/live", "/", "/metrics", "/v1/models", "/v1/users/u02", "/v1/users/nobody"])
def test_what_can_be_had_can_be_asked_for_its_head(path: str, client: httpx.Client) -> None:
    whole, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert head.headers["Content-Type"] == whole.headers["Content-Type"]
    if path == "/v1/models":
        assert head.headers["Content-Length"] == str(len(whole.content))
        measured = client.get("/metrics").text
        assert 'foldin_request_seconds_count{method="HEAD",route="/v1/models",status="200"}' in measured


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_a_body_says_that_it_is_json(kind: str | None, client: httpx.Client) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    asked = {
        "/v1/recommend": b'{"user": "u02"}',
        "/v1/events": b'{"events": []}',
        "/v1/train": b"{}",
        "/v1/item": b"{}",
    }
    for path, body in asked.items():
        method = "PUT" if path == "/v1/item" else "POST"
        answer = client.request(method, path, content=body, headers=headers)
        assert answer.status_code == 415, answer.text
        assert "send it as Content-Type: application/json" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "body: it is missing"),
        (b"null", "body: a JSON object is wanted"),
        (b"[1]", "body: a JSON object is wanted"),
        (b'{"k": 1,}', "body.8: the body is no JSON: Expecting property name enclosed in double quotes"),
        (b'{"k": 1, "k": 2}', "body.0: the key 'k' stands twice"),
        (b'{"k": NaN}', "body.0: NaN is no JSON number"),
        (b"\xff", "body.0: the body is not UTF-8"),
        (b'{"user": "\\ud800"}', "body.0: half of a surrogate pair stands in it, which is no text"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/recommend", "/v1/user?user=u02"])
def test_what_is_no_message_at_all_is_told_in_the_same_words_everywhere(
    path: str, body: bytes, said: str, client: httpx.Client
) -> None:
    method = "POST" if path == "/v1/recommend" else "PUT"
    answer = client.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (422, said)


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "application/ld+json"])
def test_json_may_be_of_any_kind(kind: str, client: httpx.Client) -> None:
    answer = client.post("/v1/recommend", content=b'{"user": "u02"}', headers={"Content-Type": kind})
    assert answer.status_code == 200


def test_a_fault_is_where_it_was_sent(client: httpx.Client) -> None:
    assert fields(post(client, {"item": "i01"})) == ["body.events.0.user"]
    assert fields(post(client, event(kk=1))) == ["body.events.0.kk"]
    assert "body.events.0.vaule: there is no such field (did you mean 'value'?)" in post(client, event(vaule=1)).text
    assert fields(client.post("/v1/events", json={"events": [1], "partial": True})) == ["body.events.0"]
    assert fields(client.post("/v1/events", json={})) == ["body.events"]
    assert set(fields(client.post("/v1/recommend", json={"history": ["i01", 7.5]}))) == {"body.history.1"}
    batch = client.post("/v1/recommend/batch", json={"people": [{"history": ["i01", 7.5]}]})
    assert set(fields(batch)) == {"body.people.0.history.1"}
    assert "body.history.0.valeu" in fields(client.post("/v1/recommend", json={"history": [{"item": "a", "valeu": 1}]}))


@pytest.mark.parametrize(
    "path", ["recommendations?user=u02", "users/u02/recommendations?k=3", "similar?item=i01", "jobs?"]
)
def test_a_parameter_that_is_none_is_refused(path: str, client: httpx.Client) -> None:
    assert client.get(f"/v1/{path}").status_code == 200
    refused = client.get(f"/v1/{path}&kk=1&kk=2&seeen=3")
    assert fields(refused) == ["query.kk", "query.seeen"]
    known = {"recommendations": "k, query, seen, user", "users": "k, query, seen", "similar": "item, k", "jobs": "none"}
    told = known[path.partition("?")[0].partition("/")[0]]
    assert refused.json()["errors"][0]["message"] == f"there is no such field; those there are: {told}"
    assert client.get("/health/live?now=1").status_code == 200
