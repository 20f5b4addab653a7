from __future__ import annotations

from pathlib import Path

import httpx

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Interactions
from foldin.fitting import fit
from foldin.models.ease import EASE
from foldin.workspace import open_workspace
from tests.service.server import serving
from tests.service.stores import on_every_store


def test_an_item_that_only_the_model_knows_is_hidden_as_the_model_tells_it(
    workspace: Path, checkerboard: Interactions
) -> None:
    titles = ids_of([f"Of the model: {item_id}" for item_id in [*checkerboard.item_ids, "alone"]])
    catalog = Catalog(ids_of([*checkerboard.item_ids, "alone"]), {"title": titles})
    open_workspace(workspace).publish(fit(checkerboard, estimator=EASE(l2=1), catalog=catalog))
    with serving(workspace) as server, server.client() as client:
        hidden = client.delete("/v1/items/alone").json()
        assert hidden["attributes"] == {"title": "Of the model: alone", "hidden": "true"}
        assert hidden == client.get("/v1/items/alone").json()
        assert not hidden["available"]
        kept = client.delete("/v1/items/i02").json()
        assert kept["attributes"] == {"title": "Item i02", "topics": "even", "hidden": "true"}


@on_every_store
def test_many_items_are_stored_together_or_not_at_all(client: httpx.Client) -> None:
    entries = [{"item": f"many{number}", "attributes": {"title": f"Many {number}"}} for number in range(10_000)]
    assert client.post("/v1/items", json={"items": entries}).json() == {"stored": 10_000}
    assert client.get("/v1/items/many9999").json()["title"] == "Many 9999"
    for bad in (
        {"item": "bad", "attributes": {"hidden": "perhaps"}},
        {"item": "bad", "attributes": {"title": 1}},
        {"item": "", "attributes": {}},
        {"item": "good", "attributes": {}},
        {"item": "bad", "attributes": dict.fromkeys((f"wide {number}" for number in range(64)), "x")},
    ):
        wide = {f"wide {part} {number}": "x" for part in range(3) for number in range(64)}
        spread = [{"item": f"wide{part}", "attributes": dict([*wide.items()][64 * part :][:64])} for part in range(3)]
        refused = client.post("/v1/items", json={"items": [{"item": "good"}, *spread, bad]})
        assert refused.status_code == 422, refused.text
        assert client.get("/v1/items/good").status_code == 404
    assert client.post("/v1/items", json={"items": []}).status_code == 422
    twice = client.post("/v1/items", json={"items": [{"item": "a"}, {"item": "vpn"}, {"item": "vpn"}]})
    assert "item 'vpn' stands there 2 times: send each once" in twice.text


def test_an_item_of_which_only_the_title_is_known_has_no_list_of_attributes(client: httpx.Client) -> None:
    client.put("/v1/items/bare", json={"attributes": {"title": "Bare"}}).raise_for_status()
    assert "Attributes" in client.get("/catalogue/item?item=i01").text
    assert "Attributes" not in client.get("/catalogue/item?item=bare").text


def test_an_attribute_that_hides_an_item_is_told_without_case(client: httpx.Client) -> None:
    put = client.put("/v1/items/i06", json={"attributes": {"Title": "Six", "Hidden": "true"}}).json()
    assert (put["title"], put["available"]) == ("Six", False)
    assert put["attributes"] == {"title": "Six", "hidden": "true"}
    both = {"Hidden": "true", "hidden": "false"}
    assert client.put("/v1/items/i06", json={"attributes": both}).status_code == 422
    shown = [{"item": "i06", "attributes": {"TITLE": "Six"}}, {"item": "i08", "attributes": {"title": "Eight"}}]
    client.post("/v1/items", json={"items": shown}).raise_for_status()
    assert client.get("/v1/items/i06").json()["available"]


def test_of_an_item_that_is_newer_than_the_model_it_is_said_when_it_will_be_known(client: httpx.Client) -> None:
    client.put("/v1/items/newer", json={"attributes": {"title": "Newer"}}).raise_for_status()
    told = client.get("/v1/items/newer/similar")
    assert told.status_code == 404
    assert "item 'newer' is newer than the model" in told.json()["detail"]


@on_every_store
def test_items_that_are_stored_together_are_in_force_at_once(client: httpx.Client) -> None:
    before = {item: client.get(f"/v1/items/{item}").json()["attributes"] for item in ("i02", "i04")}
    asked = {"history": ["i00"], "k": 12}
    hidden = [{"item": item, "attributes": {**known, "hidden": "true"}} for item, known in before.items()]
    assert client.post("/v1/items", json={"items": hidden}).json() == {"stored": 2}
    shown = {one["item"] for one in client.post("/v1/recommend", json=asked).json()["items"]}
    assert not shown & before.keys()
    client.post("/v1/items", json={"items": [{"item": item, "attributes": known} for item, known in before.items()]})
    assert 'route="/v1/items"' in client.get("/metrics").text
    assert before.keys() <= {one["item"] for one in client.post("/v1/recommend", json=asked).json()["items"]}
