"""Large logs and several connections, for every store."""

from __future__ import annotations

from dataclasses import fields
from threading import Event, Thread

import numpy as np
import pytest

from foldin.data.catalog import ids_of
from foldin.data.interactions import Interactions
from foldin.errors import DataError, StoreError
from foldin.store.contract import Batch, Store
from foldin.store.fingerprint import in_order
from foldin.store.opening import open_store


def random_log(events: int, users: int, items: int) -> Interactions:
    rng = np.random.default_rng(0)
    return in_order(
        Interactions(
            ids_of(sorted(f"user {number}" for number in range(users))),
            rng.integers(0, users, events, dtype=np.int32),
            ids_of(sorted(f"item {number}" for number in range(items))),
            rng.integers(0, items, events, dtype=np.int32),
            ids_of(["buy", "view"]),
            rng.integers(-1, 2, events, dtype=np.int8),
            rng.random(events, dtype=np.float32),
            rng.integers(0, 3, events, dtype=np.int64),
        )
    )


def columns_of(log: Interactions) -> list[object]:
    return [getattr(log, column.name) for column in fields(log)]


def test_a_large_log_comes_back_equal(store: Store, small_blocks: int) -> None:
    log = random_log(3 * small_blocks, users=4_000, items=1_000)
    assert store.ingest([Batch(log, "large")]).events == 3 * small_blocks
    for stored, given in zip(columns_of(store.interactions()), columns_of(log), strict=True):
        np.testing.assert_array_equal(stored, given)


def test_more_kinds_than_a_log_can_code_are_refused(store: Store) -> None:
    codes, names = np.zeros(127, dtype=np.int32), [f"kind {number:03}" for number in range(127)]
    kinds = np.arange(127, dtype=np.int8)
    store.ingest([Batch(Interactions(ids_of(["ann"]), codes, ids_of(["x"]), codes, ids_of(names), kinds), "a")])
    one = Interactions(ids_of(["ann"]), codes[:1], ids_of(["x"]), codes[:1], ids_of(["one more"]), kinds[:1])
    with pytest.raises(DataError, match="128 kinds of events, and a store takes 127"):
        store.ingest([Batch(one, "b")])
    assert store.summary().events == 127
    assert store.history("ann").kinds == tuple(names)


def test_one_connection_reads_whole_batches_while_another_writes(url: str) -> None:
    batch, batches = random_log(2_000, users=50, items=50), 10
    counts: list[int] = []
    written = Event()

    def read() -> None:
        with open_store(url) as store:
            while not written.is_set():
                counts.append(len(store.interactions()))
            counts.append(len(store.interactions()))

    with open_store(url, create=True) as store:
        reader = Thread(target=read)
        reader.start()
        for number in range(batches):
            store.ingest([Batch(batch, f"batch {number}")])
        written.set()
        reader.join()
    assert counts == sorted(counts)
    assert not [count for count in counts if count % len(batch)]
    assert counts[-1] == batches * len(batch)


def test_writers_wait_for_each_other(url: str) -> None:
    batch = random_log(2_000, users=50, items=50)

    def write(name: str) -> None:
        with open_store(url) as store:
            for number in range(5):
                store.ingest([Batch(batch, f"{name} {number}")])

    with open_store(url, create=True) as store:
        writers = [Thread(target=write, args=(name,)) for name in ("one", "other")]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert list(store.sources().values()) == [2_000] * 10


def test_what_was_stored_is_there_after_reopening(url: str) -> None:
    with open_store(url, create=True) as store:
        store.ingest([Batch(random_log(100, users=5, items=5), "a")])
        fingerprint = store.fingerprint()
    with open_store(url) as store:
        assert store.fingerprint() == fingerprint


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    for use in (store.user_ids, lambda: store.ingest([]), lambda: store.append([])):
        with pytest.raises(StoreError, match="it has been closed"):
            use()
