"""Events without an id that are stored already, and come again in another log, for every store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from threading import Thread

import numpy as np
import pytest

from foldin.data.interactions import Interactions
from foldin.store.contract import Batch, Ingested, Store
from foldin.store.opening import open_store

LogOf = Callable[..., Interactions]


def export(log: Interactions, event_ids: list[str | None] | None = None) -> Batch:
    return Batch(log, "export", event_ids, only_new=True)


def counted(log: Interactions) -> Counter[tuple[object, ...]]:
    assert log.kind_codes is not None
    assert log.values is not None
    assert log.times is not None
    values = np.nan_to_num(log.values, nan=-1)
    columns = (log.user_codes, log.item_codes, log.kind_codes, values, log.times)
    return Counter(zip(*(column.tolist() for column in columns), strict=True))


def test_a_log_that_has_grown_adds_what_is_new(store: Store, log_of: LogOf) -> None:
    monday = log_of([("ann", "x"), ("bob", "y")], kinds=["view", None], values=[1, None], times=[3, 1])
    pairs = [("ann", "x"), ("bob", "y"), ("zoe", "x")]
    tuesday = log_of(pairs, kinds=["view", None, "view"], values=[1, None, 1], times=[3, 1, 9])
    assert store.ingest([export(monday)]) == Ingested(2, 0, 0, 2, 2)
    assert store.ingest([export(tuesday)]) == Ingested(1, 2, 0, 1, 0, repeated=2)
    fingerprint = store.fingerprint()
    assert store.ingest([export(tuesday)]) == Ingested(0, 3, 0, 0, 0, repeated=3)
    assert store.fingerprint() == fingerprint
    assert store.ingest([Batch(tuesday, "export")]).events == 3
    assert store.sources() == {"export": 6}


@pytest.mark.parametrize(
    "other",
    [
        {"pairs": [("bob", "x")]},
        {"pairs": [("ann", "y")]},
        {"kinds": ["buy"]},
        {"kinds": [None]},
        {"values": [2]},
        {"values": [None]},
        {"times": [6]},
    ],
    ids=str,
)
def test_what_differs_in_anything_is_new(store: Store, log_of: LogOf, other: dict[str, list[object]]) -> None:
    said: dict[str, list[object]] = {"pairs": [("ann", "x")], "kinds": ["view"], "values": [1], "times": [5]}
    wide = log_of([("ann", "z"), ("ann", "z")], times=[0, 99])  # so that no time lies outside of what the store has
    store.ingest([Batch(log_of(**said), "a"), Batch(wide, "a")])
    assert store.ingest([export(log_of(**(said | other)))]).repeated == 0
    assert store.ingest([export(log_of(**said))]).repeated == 1


@pytest.mark.parametrize(("stored", "given", "held"), [(1, 3, 3), (3, 1, 3), (2, 2, 2), (0, 2, 2)])
def test_of_equal_events_the_store_then_has_the_larger_number(
    store: Store, log_of: LogOf, stored: int, given: int, held: int
) -> None:
    def times(count: int) -> Interactions:
        return log_of([("ann", "x")] * count + [("ann", "y")], values=[-0.0] * count + [1], times=[5] * count + [5])

    store.ingest([Batch(times(stored), "a")])
    assert store.ingest([export(times(given))]).repeated == min(stored, given) + 1
    assert store.summary().events == held + 1


def test_batches_of_one_call_count_one_after_the_other(store: Store, log_of: LogOf) -> None:
    log = log_of([("ann", "x"), ("ann", "x")], times=[5, 5])
    assert store.ingest([export(log), export(log)]) == Ingested(2, 2, 0, 1, 1, repeated=2)


def test_events_without_a_time_are_stored_and_counted_where_one_is_alike(store: Store, log_of: LogOf) -> None:
    store.ingest([Batch(log_of([("ann", "x"), ("bob", "x"), ("bob", "y")], times=[None, 3, None]), "a")])
    log = log_of([("ann", "x"), ("ann", "x"), ("bob", "x"), ("zoe", "x")])
    assert store.ingest([export(log)]) == Ingested(4, 0, 0, 1, 0, alike=2)
    mixed = log_of([("bob", "x"), ("bob", "x")], times=[3, None])
    assert store.ingest([export(mixed)]) == Ingested(1, 1, 0, 0, 0, repeated=1, alike=1)


def test_events_with_ids_are_known_by_them_alone(store: Store, log_of: LogOf) -> None:
    log = log_of([("ann", "x"), ("bob", "y")], times=[3, 1])
    store.append([Batch(log, "http", ["e1", None])])
    assert store.ingest([export(log)]) == Ingested(0, 2, 0, 0, 0, repeated=2)  # whether they had one or not
    assert store.ingest([export(log, ["e2", None])]) == Ingested(1, 1, 0, 0, 0, repeated=1)
    assert store.ingest([export(log, ["e2", None])]) == Ingested(0, 2, 0, 0, 0, repeated=1)
    assert store.append([Batch(log, "http")])[0] == Ingested(2, 0, 0, 0, 0)


def test_events_of_forgotten_users_are_not_known_and_come_back_once_they_may(store: Store, log_of: LogOf) -> None:
    log = log_of([("ann", "x"), ("bob", "y")], times=[3, 1])
    store.ingest([export(log)])
    store.forget("ann")
    assert store.ingest([export(log)]) == Ingested(0, 1, 1, 0, 0, repeated=1)
    store.readmit("ann")
    assert store.ingest([export(log)]) == Ingested(1, 1, 0, 1, 1, repeated=1)


def test_blocks_of_a_large_log_give_what_a_counter_gives(store: Store, small_blocks: int) -> None:
    rng, count = np.random.default_rng(0), 2 * small_blocks

    def drawn() -> Interactions:
        users, items = (np.array([f"{of}{number}" for number in range(20)], dtype=np.object_) for of in "ui")
        codes = rng.integers(0, 20, (2, count), dtype=np.int32)
        kinds, values = rng.integers(-1, 2, count, dtype=np.int8), rng.integers(0, 2, count).astype(np.float32)
        values[values == 0] = np.nan
        times = rng.integers(0, 9, count, dtype=np.int64)
        return Interactions(users, codes[0], items, codes[1], np.array(["a", "b"], object), kinds, values, times)

    first, second = drawn(), drawn()
    store.ingest([Batch(first, "a")])
    repeated = sum((counted(first) & counted(second)).values())
    assert 0 < repeated < count
    assert store.ingest([export(second)]) == Ingested(count - repeated, repeated, 0, 0, 0, repeated=repeated)


def test_two_imports_of_one_log_at_once_store_it_once(url: str, log_of: LogOf) -> None:
    log = log_of([(f"u{number}", "x") for number in range(200)], times=list(range(200)))

    def take() -> None:
        with open_store(url) as store:
            store.ingest([export(log)])

    open_store(url, create=True).close()
    imports = [Thread(target=take) for _ in range(2)]
    for one in imports:
        one.start()
    for one in imports:
        one.join()
    with open_store(url) as store:
        assert store.summary().events == 200
