"""What is read together is of one moment, and what is known of one user needs no look at the others."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import TypeAlias

import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Interactions
from foldin.data.profiles import Profiles
from foldin.errors import DataError
from foldin.store.contract import Batch, Snapshot, Store
from foldin.store.fingerprint import fingerprint
from foldin.store.opening import open_store

LogOf: TypeAlias = Callable[..., Interactions]
PARTS = 30


def profiles_of(*user_ids: str) -> Profiles:
    return Profiles(ids_of(user_ids), {"role": ids_of(f"role of {user_id}" for user_id in user_ids)})


def test_a_snapshot_is_what_the_store_holds(store: Store, log_of: LogOf) -> None:
    log = log_of([("ann", "x"), ("bob", "y"), ("bob", "x")])
    store.ingest([Batch(log, "a")], catalog=Catalog(ids_of(["y", "x"])), profiles=profiles_of("ann", "cid"))
    store.forget("bob")
    snapshot = store.snapshot()
    assert fingerprint(snapshot.interactions, snapshot.catalog, snapshot.profiles) == store.fingerprint()
    assert snapshot.catalog.item_ids.tolist() == ["y", "x"]
    assert snapshot.position == store.summary().position == 4


def test_a_snapshot_leaves_out_the_events_of_a_source_and_nothing_else(store: Store, log_of: LogOf) -> None:
    batches = [
        Batch(log_of([("ann", "x"), ("bob", "z")], kinds=["view", "view"]), "good"),
        Batch(log_of([("ann", "bad"), ("eve", "bad"), ("ann", "x")], kinds=["buy", "buy", "buy"]), "http:poisoned"),
        Batch(log_of([("cid", "y")], kinds=["view"]), "it's \"odd\", 'é'"),
    ]
    store.ingest(batches, catalog=Catalog(ids_of(["y", "x"])), profiles=profiles_of("ann", "eve"))
    everything, kept = store.snapshot(), store.snapshot(without=["http:poisoned", "no such source"])
    assert (len(everything.interactions), len(kept.interactions)) == (6, 3)
    for snapshot, users, items, kinds in (
        (kept, ["ann", "bob", "cid"], ["x", "y", "z"], ["view"]),
        (store.snapshot(without=["good", "it's \"odd\", 'é'"]), ["ann", "eve"], ["bad", "x"], ["buy"]),
    ):
        assert snapshot.interactions.user_ids.tolist() == users
        assert snapshot.interactions.item_ids.tolist() == items
        assert snapshot.interactions.kind_names is not None
        assert snapshot.interactions.kind_names.tolist() == kinds
        assert snapshot.catalog.item_ids.tolist() == ["y", "x"]
        assert snapshot.profiles.user_ids.tolist() == ["ann", "eve"]
        assert snapshot.position == everything.position
    assert len(store.snapshot(without=list(store.sources())).interactions) == 0
    assert len(store.history("ann")) == 3, "a user's own history is whole"


@pytest.mark.parametrize("bad", ["nul\0", "lone\ud800"])
def test_no_source_can_have_such_a_name(store: Store, bad: str) -> None:
    with pytest.raises(DataError, match="source"):
        store.snapshot(without=[bad])


def test_an_empty_store_has_a_snapshot(store: Store) -> None:
    snapshot = store.snapshot()
    sizes = [len(snapshot.interactions), len(snapshot.catalog), len(snapshot.profiles), snapshot.position]
    assert sizes == [0, 0, 0, 0]


def test_a_snapshot_is_of_one_moment_while_another_writes(url: str, log_of: LogOf) -> None:
    seen: list[Snapshot] = []
    began, written = Event(), Event()

    def read() -> None:
        with open_store(url) as store:
            while not written.is_set():
                seen.append(store.snapshot())
                began.set()
            seen.append(store.snapshot())

    with open_store(url, create=True) as store:
        reader = Thread(target=read)
        reader.start()
        began.wait()
        for part in range(PARTS):
            one = Batch(log_of([(f"u{part}", f"i{part}")]), f"part {part}")
            store.ingest([one], catalog=Catalog(ids_of([f"i{part}"])), profiles=profiles_of(f"u{part}"))
        written.set()
        reader.join()
    # a part brings one of each, so that a reading between two of them shows
    sizes = [{len(one.interactions), len(one.catalog), len(one.profiles), one.position} for one in seen]
    assert [size for size in sizes if len(size) != 1] == []
    assert sizes[-1] == {PARTS}


def test_a_profile_is_that_of_the_profiles(store: Store, log_of: LogOf) -> None:
    given = {"role": ids_of(["admin", "student"]), "level": ids_of([None, "7"])}
    store.ingest([Batch(log_of([("bob", "x")]), "a")], profiles=Profiles(ids_of(["ann", "cid"]), given))
    assert store.profile("ann") == store.profiles().profile("ann") == {"role": "admin"}
    assert store.profile("cid") == {"role": "student", "level": "7"}


def test_a_user_without_a_profile_has_an_empty_one(store: Store, log_of: LogOf) -> None:
    store.ingest([Batch(log_of([("bob", "x")]), "a")], profiles=profiles_of("ann"))
    store.forget("ann")
    assert [store.profile(user_id) for user_id in ("ann", "bob", "nobody")] == [{}, {}, {}]


@pytest.mark.parametrize("bad", ["nul\0", "lone\ud800"])
def test_no_user_can_have_such_an_id(store: Store, bad: str) -> None:
    with pytest.raises(DataError, match="user"):
        store.profile(bad)
