"""What is on offer follows the store's catalogue and the clock, and is worked out again only as one of them moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Interactions
from foldin.data.profiles import Profiles
from foldin.fitting import fit
from foldin.models.ease import EASE
from foldin.service.live import Live
from foldin.service.shelf import Shelf
from foldin.store.contract import Batch, Store
from foldin.store.opening import open_store
from foldin.workspace import open_workspace
from tests.service.server import serving, until


@pytest.fixture(scope="module")
def live(checkerboard: Interactions) -> Live:
    return Live("1-ease", fit(checkerboard, estimator=EASE(l2=1)), datetime.now(UTC))


@dataclass(frozen=True)
class Overtaken:
    """A store to whose catalogue somebody writes just after it was read."""

    store: Store
    write: Callable[[], None]

    def catalog_version(self) -> int:
        return self.store.catalog_version()

    def catalog(self) -> Catalog:
        found = self.store.catalog()
        self.write()
        return found


def item(item_id: str, **attributes: str) -> Catalog:
    return Catalog.of_one(item_id, attributes)


def gone(shelf: Shelf, live: Live) -> list[str]:
    """What cannot be had of the live model's items."""
    ids: list[str] = live.recommender.catalog.item_ids[shelf.unavailable(live)].tolist()
    return ids


def read(shelf: Shelf, store: Any, live: Live, at: datetime | None = None) -> list[str]:
    """What cannot be had after a look."""
    shelf.refresh(store, at)
    return gone(shelf, live)


def test_items_come_and_go_by_time_alone(store: Store, live: Live) -> None:
    store.put_catalog(item("i03", available_from="2999-02-01", available_until="2999-03-01"))
    store.put_catalog(item("i05", available_until="2999-02-15"))
    shelf = Shelf()
    assert read(shelf, store, live) == ["i03"]
    catalog = shelf.catalog
    gone = [read(shelf, store, live, datetime(2999, month, day)) for month, day in ((2, 1), (2, 15), (3, 1), (1, 31))]
    assert gone == [[], ["i05"], ["i03", "i05"], ["i03"]]
    assert shelf.catalog is catalog


def test_what_another_connection_wrote_is_seen_at_the_next_look(store: Store, url: str, live: Live) -> None:
    shelf = Shelf()
    assert read(shelf, store, live) == []
    with open_store(url) as other:
        other.put_catalog(item("i03", hidden="yes", topics="cold"))
    assert read(shelf, store, live) == ["i03"]
    assert np.flatnonzero(shelf.within(live, ["cold"])).tolist() == [3]
    store.put_catalog(item("i03", topics="warm"))
    assert read(shelf, store, live) == []
    assert not shelf.within(live, ["cold"]).any()


def test_nothing_is_read_or_worked_out_again_where_nothing_has_changed(
    store: Store, live: Live, log_of: Callable[..., Interactions]
) -> None:
    store.put_catalog(item("i03", hidden="yes"))
    shelf = Shelf()
    assert read(shelf, store, live) == ["i03"]
    before = shelf.catalog, shelf.unavailable(live)
    store.ingest([Batch(log_of([("ann", "i04"), ("ann", "new")]), "a")], profiles=Profiles(ids_of(["ann"])))
    shelf.refresh(store)
    assert shelf.catalog is before[0]
    assert shelf.unavailable(live) is before[1]


def test_what_is_written_while_it_is_read_is_not_missed(store: Store, url: str, live: Live) -> None:
    shelf = Shelf()
    with open_store(url) as other:
        overtaken = Overtaken(store, lambda: other.put_catalog(item("i03", hidden="yes")))
        assert read(shelf, overtaken, live) == []
    assert read(shelf, store, live) == ["i03"]


def test_another_model_has_the_same_on_offer(store: Store, live: Live, checkerboard: Interactions) -> None:
    store.put_catalog(item("i03", available_from="2999-01-01"))
    store.put_catalog(item("unknown", hidden="yes"))
    store.put_catalog(item("i05", hidden="yes"))
    shelf = Shelf()
    assert read(shelf, store, live) == ["i03", "i05"]
    reversed_ = Catalog(checkerboard.item_ids[::-1])
    another = Live("2-ease", fit(checkerboard, estimator=EASE(l2=1), catalog=reversed_), datetime.now(UTC))
    assert gone(shelf, another) == ["i05", "i03"]
    assert read(shelf, store, another, datetime(3000, 1, 1)) == ["i05"]


def test_one_cell_that_cannot_be_understood_hides_nothing(store: Store, live: Live) -> None:
    store.put_catalog(item("i03", hidden="yes"))
    store.put_catalog(item("i04", available_from="soon"))
    assert read(Shelf(), store, live) == []


def test_a_running_service_sees_what_another_process_wrote(workspace: Path) -> None:
    with serving(workspace) as server, server.client() as client, open_workspace(workspace).store() as store:

        def shown() -> list[str]:
            answer = client.post("/v1/recommend", json={"history": ["i00"], "k": 12}).raise_for_status().json()
            return [one["item"] for one in answer["items"]]

        assert "i02" in shown()
        store.put_catalog(item("i02", hidden="yes"))
        assert until(lambda: "i02" not in shown())
        assert client.put("/v1/items/i02", json={"attributes": {"title": "Back"}}).json()["available"]
        assert "i02" in shown()
