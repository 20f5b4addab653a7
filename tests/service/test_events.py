from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from foldin.data.interactions import Interactions
from foldin.service.keys import create_key
from foldin.store.contract import Batch
from foldin.workspace import open_workspace
from tests.service.server import serving
from tests.service.stores import on_every_store

NINE = "2026-03-01T09:00:00+01:00"


@on_every_store
def test_an_event_is_in_the_very_next_recommendation(client: httpx.Client) -> None:
    for item in ("i01", "i03"):
        assert client.post("/v1/events", json={"events": [{"user": "fresh", "item": item}]}).json()["stored"] == 1
    found = client.get("/v1/users/fresh/recommendations?k=4").json()["items"]
    assert {one["item"] for one in found} == {"i05", "i07", "i09", "i11"}


@on_every_store
def test_events_are_stored_together_or_not_at_all(client: httpx.Client) -> None:
    good, bad = {"user": "whole", "item": "i01"}, {"user": "whole", "item": "i03", "value": "much"}
    refused = client.post("/v1/events", json={"events": [good, bad]})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"].endswith("events.1.value")
    assert client.get("/v1/users/whole").status_code == 404


@on_every_store
def test_a_code_says_of_each_event_what_became_of_it(client: httpx.Client) -> None:
    first = {"user": "each", "item": "i01", "event_id": "each-1", "time": NINE}
    events = [first, {"user": "each"}, first | {"item": "i03"}, first]
    answer = client.post("/v1/events", json={"events": events, "partial": True}).json()
    assert answer["codes"] == [200, 422, 409, 200]
    assert answer["reasons"] == [None, "item: it is missing", "event id 'each-1' belongs to another event", None]
    assert (answer["stored"], answer["known"]) == (1, 1)


@on_every_store
def test_an_event_sent_again_is_stored_once_and_another_of_its_id_is_refused(client: httpx.Client) -> None:
    event = {"user": "again", "item": "i01", "event_id": "again-1", "time": NINE}
    answers = [client.post("/v1/events", json={"events": [event]}).json() for _ in range(2)]
    assert [one["stored"] for one in answers] == [1, 0]
    assert client.post("/v1/events", json={"events": [event | {"item": "i03"}]}).status_code == 409


@on_every_store
@pytest.mark.parametrize("partial", [False, True], ids=["whole", "partial"])
def test_an_event_without_a_time_can_be_sent_again(client: httpx.Client, partial: bool) -> None:
    event = {"user": "timeless", "item": "i01", "kind": "view", "value": 2.5, "event_id": f"timeless-{partial}"}
    answers = [client.post("/v1/events", json={"events": [event], "partial": partial}) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert [(one.json()["stored"], one.json()["known"]) for one in answers] == [(1, 0), (0, 1)]
    assert [one.json()["codes"] for one in answers] == [[200] if partial else None] * 2
    for other in ({"item": "i03"}, {"kind": "buy"}, {"value": 2}, {"user": "another"}, {"time": NINE}):
        refused = client.post("/v1/events", json={"events": [event | other], "partial": partial})
        assert refused.json()["codes"] == [409] if partial else refused.status_code == 409


@on_every_store
def test_all_that_is_kept_of_a_user_can_be_had_and_forgotten(client: httpx.Client) -> None:
    assert client.put("/v1/users/leaving", json={"profile": {"role": "admin"}}).status_code == 200
    event = {"user": "leaving", "item": "i01", "kind": "view", "value": 2.5, "time": NINE}
    client.post("/v1/events", json={"events": [event]})
    kept = client.get("/v1/users/leaving").json()
    assert kept["profile"] == {"role": "admin"}
    assert kept["history"] == [{"item": "i01", "kind": "view", "value": 2.5, "time": "2026-03-01T08:00:00Z"}]
    assert client.delete("/v1/users/leaving").json() == {"events": 1, "profile": True, "impressions": 0, "reason": None}
    assert client.get("/v1/users/leaving").status_code == 404
    assert client.post("/v1/events", json={"events": [event]}).json()["forgotten"] == 1


@on_every_store
def test_a_profile_of_a_forgotten_user_is_refused_with_what_to_do(client: httpx.Client) -> None:
    client.delete("/v1/users/u9")
    for profile in ({"role": "admin"}, {}):
        refused = client.put("/v1/users/u9", json={"profile": profile})
        assert refused.status_code == 409
        assert "user 'u9' was forgotten: whatever is sent of them is left out" in refused.json()["detail"]
        assert "`foldin forget u9 --lift`" in refused.json()["detail"]
    assert client.get("/v1/users/u9").status_code == 404
    assert client.put("/v1/users/known", json={"profile": {}}).status_code == 200


@on_every_store
def test_profiles_take_only_so_many_attribute_names(client: httpx.Client) -> None:
    def put(user: str, *names: str) -> httpx.Response:
        return client.put(f"/v1/users/{user}", json={"profile": dict.fromkeys(names, "x")})

    wide = {f"wide{part}": [f"name {part} {number}" for number in range(60)] for part in range(4)}
    assert [put(user, *names).status_code for user, names in wide.items()] == [200] * 4
    refused = put("one more", *(f"another name {number}" for number in range(17)))
    assert refused.status_code == 422
    assert "the profiles would have 257 attribute names, and 256 is the most" in refused.json()["detail"]
    assert client.get("/v1/users/one more").status_code == 404
    assert put("one more", *wide["wide2"]).status_code == 200
    # names that were let in count although they are not read again so soon after a refusal
    fresh = {f"fresh{part}": [f"fresh name {part} {number}" for number in range(10)] for part in range(2)}
    assert [put(user, *names).status_code for user, names in fresh.items()] == [200, 422]
    for user in (*wide, "one more", "fresh0"):
        client.delete(f"/v1/users/{user}")


@on_every_store
def test_an_id_with_a_slash_goes_in_the_query(client: httpx.Client) -> None:
    client.post("/v1/events", json={"events": [{"user": "slash/ed", "item": "i01"}]})
    assert client.get("/v1/user", params={"user": "slash/ed"}).json()["history"][0]["item"] == "i01"


@on_every_store
def test_the_catalogue_takes_only_so_many_attribute_names(client: httpx.Client) -> None:
    def put(item: str, *names: str) -> httpx.Response:
        return client.put(f"/v1/items/{item}", json={"attributes": dict.fromkeys(names, "x")})

    wide = {f"wide{part}": [f"name {part} {number}" for number in range(64)] for part in range(4)}
    fitting = [*wide["wide3"][:62]]  # beside title and topics
    assert [put(item, *wide[item]).status_code for item in ("wide0", "wide1", "wide2")] == [200] * 3
    refused = put("wide3", *wide["wide3"])
    assert refused.status_code == 422
    assert "258 attribute names, and 256 is the most" in refused.json()["detail"]
    assert client.get("/v1/items/wide3").status_code == 404
    assert put("wide3", *fitting).status_code == 200
    assert put("wide4", *wide["wide0"]).status_code == 200
    assert client.put("/v1/items/wide4", json={"attributes": {"available_until": "2999-01-01"}}).status_code == 200
    assert put("wide4", "one more").status_code == 422
    assert client.delete("/v1/items/wide4").status_code == 200
    assert [put(item).status_code for item in wide] == [200] * 4
    assert put("wide4", "one more").status_code == put("wide4").status_code == 200


@on_every_store
def test_a_hidden_item_leaves_at_once(client: httpx.Client) -> None:
    asked = {"history": ["i00"], "k": 12}

    def told() -> list[set[str]]:
        answers = (client.post("/v1/recommend", json=asked), client.get("/v1/items/i08/similar", params={"k": 12}))
        return [{one["item"] for one in answer.json()["items"]} for answer in answers]

    assert all("i10" in items for items in told())
    hidden = client.delete("/v1/items/i10").json()
    assert hidden["available"] is False
    assert hidden["attributes"] == {"title": "Item i10", "topics": "even", "hidden": "true"}
    assert client.delete("/v1/items/nowhere").status_code == 404
    assert not any("i10" in items for items in told())
    shown = client.put("/v1/items/i10", json={"attributes": {"title": "Item i10", "topics": "even"}}).json()
    assert shown["available"]
    assert all("i10" in items for items in told())
    assert client.put("/v1/items/i10", json={"attributes": {"hidden": "perhaps"}}).status_code == 422


@on_every_store
def test_what_is_told_of_an_item_is_what_the_catalogue_says_now(client: httpx.Client) -> None:
    before = client.get("/v1/items/i11").json()["attributes"]
    client.put("/v1/items/i11", json={"attributes": {"title": "Renamed", "topics": "brand new"}}).raise_for_status()
    try:
        asked = {"history": ["i01"], "categories": ["brand new"]}
        ranked = client.post("/v1/recommend", json=asked).json()["items"]
        similar = client.get("/v1/items/i09/similar", params={"k": 12}).json()["items"]
        told = [one for one in [*ranked, *similar] if one["item"] == "i11"]
        assert [(one["title"], one["attributes"]["topics"]) for one in told] == [("Renamed", "brand new")] * 2
    finally:
        client.put("/v1/items/i11", json={"attributes": before}).raise_for_status()


def test_events_are_filed_under_the_key_they_came_by(workspace: Path) -> None:
    sent = [{"user": "ann", "item": "i01", "event_id": "1"}, {"user": "ann", "item": "i03", "event_id": "2"}]
    with serving(workspace) as server:
        for name, partial in (("shop", False), ("labs", True)):
            with server.client(create_key(workspace, name, ["events"])) as client:
                client.post("/v1/events", json={"events": sent[:1], "partial": partial}).raise_for_status()
                client.post("/v1/events", json={"events": [{"user": name, "item": "i01"}], "partial": partial})
                client.post("/v1/events", json={"events": [{"user": name}, *sent], "partial": True}).raise_for_status()
    # what comes again by another key is known, and stays where it came from first
    assert sources(workspace) == {"http:shop": 3, "http:labs": 1}


def test_an_event_of_before_sources_named_keys_is_known_when_it_comes_again(
    workspace: Path, log_of: Callable[..., Interactions]
) -> None:
    with open_workspace(workspace).store() as store:
        store.ingest([Batch(log_of([("ann", "i01")]), "http", ["1"])])
    event = {"user": "ann", "item": "i01", "event_id": "1"}
    with serving(workspace) as server, server.client(create_key(workspace, "shop", ["events"])) as client:
        answer = client.post("/v1/events", json={"events": [event]}).json()
        assert (answer["stored"], answer["known"]) == (0, 1)
        assert client.post("/v1/events", json={"events": [event | {"item": "i03"}]}).status_code == 409
    assert sources(workspace) == {"http": 1, "http:shop": 0}


def test_without_keys_events_name_none(workspace: Path) -> None:
    with serving(workspace, "--no-auth") as server, server.client() as client:
        assert client.post("/v1/events", json={"events": [{"user": "ann", "item": "i01"}]}).json()["stored"] == 1
    assert sources(workspace) == {"http": 1}


def sources(workspace: Path) -> dict[str, int]:
    with open_workspace(workspace).store() as store:
        return {name: events for name, events in store.sources().items() if name != "tests"}


def test_whoever_is_forgotten_by_a_mistyped_name_is_said_to_be_unknown(client: httpx.Client) -> None:
    client.post("/v1/events", json={"events": [{"user": "to be forgotten", "item": "i01"}]})
    known = client.delete("/v1/users/to be forgotten").json()
    assert (known["events"], known["reason"]) == (1, None)
    for user in ("to be forgotten", "to be forgotton"):
        unknown = client.delete(f"/v1/users/{user}").json()
        assert unknown["events"] == 0
        assert "the store held nothing of this user, who is unknown, mistyped or forgotten before" in unknown["reason"]
