"""In whatever order batches, profiles, catalogue and erasures arrive, the store that they make is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import TypeAlias

import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.profiles import Profiles
from foldin.store.contract import Batch, Ingested, Store
from foldin.store.opening import open_store
from tests.faults.events import Event, age_of, batch_of, events_of, told
from tests.faults.scale import rounds

Arrival: TypeAlias = Callable[[Store], object]

USERS = [f"user {number}" for number in range(9)]
FORGOTTEN = USERS[4]


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a store holds in which everything arrived as it is listed, whatever kind of store it is."""
    with open_store(f"sqlite:///{tmp_path_factory.mktemp('order')}/store.sqlite", create=True) as store:
        for arrive in arrivals():
            arrive(store)
        return content(store)


def arrivals() -> list[Arrival]:
    """Overlapping batches, one by one and together, catalogue and profiles in two parts, and an erasure."""
    batches = list(overlapping_batches(Random(0)))
    return [
        *(appending(batches[start : start + 2]) for start in range(0, 24, 2)),
        *(ingesting(batch) for batch in batches[20:]),
        lambda store: store.put_catalog(Catalog(ids_of(["z", "a"]), {"title": ids_of(["Zed", "Aye"])})),
        lambda store: store.put_catalog(Catalog(ids_of(["x"]), {"level": ids_of(["1"])})),
        lambda store: store.put_profiles(Profiles(ids_of(USERS[3:6]), {"role": ids_of("abc")})),
        lambda store: store.put_profiles(Profiles(ids_of(["zoe", "abe"]), {"age": ids_of(["1", "2"])})),
        lambda store: store.forget(FORGOTTEN),
    ]


def overlapping_batches(random: Random) -> Iterator[Batch]:
    events = [(an_event(random), f"event {number}") for number in range(90)]
    for number in range(32):
        source = number % 3
        # every third event is of this source, so that it is the same source's whichever batch comes first
        yield batch_of(random.sample(events[source::3], 9), f"source {source}")
    anonymous: list[tuple[Event, str | None]] = [(an_event(random), None) for _ in range(20)]
    yield from [batch_of(anonymous, "source 3", "digest")] * 2
    yield batch_of(anonymous, "source 4")


def an_event(random: Random) -> Event:
    return (
        random.choice(USERS),
        random.choice(["x", "y", "only in events", "a/b"]),
        random.choice([None, "view", "buy"]),
        random.choice([None, 1.0, 2.5]),
        random.choice([None, -1, 0, 7, 2**62]),
    )


def appending(batches: list[Batch]) -> Arrival:
    def append(store: Store) -> None:
        assert all(isinstance(result, Ingested) for result in store.append(batches))

    return append


def ingesting(batch: Batch) -> Arrival:
    return lambda store: store.ingest([batch])


def content(store: Store) -> dict[str, object]:
    catalog, profiles, summary = store.catalog(), store.profiles(), store.summary()
    return {
        "fingerprint": store.fingerprint(),
        "events": events_of(store.interactions()),
        "histories": {user: told(user, store.history(user)) for user in store.user_ids()},
        "catalogue": {item: catalog.item(index) for index, item in enumerate(catalog.item_ids)},
        "profiles": {user: profiles.profile(user) for user in profiles.user_ids},
        "sources": store.sources(),
        "counts": (summary.users, summary.items, summary.events, summary.first_time, summary.last_time),
    }


@pytest.mark.parametrize("seed", range(rounds(200, 8)))
def test_the_order_of_arrival_plays_no_part(new_url: Callable[[], str], in_order: dict[str, object], seed: int) -> None:
    shuffled = arrivals()
    Random(seed).shuffle(shuffled)
    with open_store(new_url(), create=True) as store:
        for arrive in shuffled:
            arrive(store)
        assert content(store) == in_order


def test_there_is_something_to_compare(in_order: dict[str, object], tmp_path: Path) -> None:
    histories = in_order["histories"]
    assert isinstance(histories, dict)
    assert len(histories) == len(USERS) - 1 + 2
    assert all(history == sorted(history, key=age_of) for history in histories.values())
