"""Users who are forgotten, for every store."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Interactions
from foldin.data.profiles import Profiles
from foldin.errors import DataError, NotFoundError
from foldin.store.contract import Batch, Forgotten, Ingested, Store
from foldin.store.opening import open_store

LogOf = Callable[..., Interactions]
PAIRS = [("ann", "x"), ("bob", "y"), ("bob", "x"), ("ann", "only ann's")]


def profiles_of(*user_ids: str) -> Profiles:
    return Profiles(ids_of(user_ids), {"role": ids_of(["admin"] * len(user_ids))})


@pytest.fixture
def filled(store: Store, log_of: LogOf) -> Store:
    log = log_of(PAIRS, times=[1, 2, 3, 4])
    store.ingest([Batch(log, "a", ["e1", "e2", "e3", "e4"])], profiles=profiles_of("ann", "cid"))
    return store


def test_the_events_and_the_profile_of_a_forgotten_user_are_gone(filled: Store) -> None:
    assert filled.forget("ann") == Forgotten(events=2, profile=True)
    assert filled.user_ids() == ["bob", "cid"]
    assert list(filled.interactions().user_ids) == ["bob"]
    assert list(filled.profiles().user_ids) == ["cid"]
    with pytest.raises(NotFoundError):
        filled.history("ann")
    summary = filled.summary()
    assert (summary.users, summary.items, summary.events, summary.forgotten) == (2, 2, 2, 1)
    assert (summary.first_time, summary.last_time) == (2, 3)
    assert filled.sources() == {"a": 2}


def test_it_is_as_if_the_user_had_never_come(filled: Store, new_url: Callable[[], str], log_of: LogOf) -> None:
    filled.forget("ann")
    with open_store(new_url(), create=True) as other:
        other.ingest([Batch(log_of(PAIRS[1:3], times=[2, 3]), "b")], profiles=profiles_of("cid"))
        assert filled.fingerprint() == other.fingerprint()


def test_items_of_the_catalogue_stay(filled: Store) -> None:
    filled.put_catalog(Catalog(ids_of(["only ann's"])))
    filled.forget("ann")
    assert list(filled.catalog().item_ids) == ["only ann's"]
    assert filled.summary().items == 3


def test_forgetting_twice_or_one_never_seen_is_no_error(filled: Store) -> None:
    filled.forget("ann")
    position = filled.summary().position
    assert filled.forget("ann") == filled.forget("never seen") == Forgotten(events=0, profile=False)
    assert (filled.summary().forgotten, filled.summary().position) == (2, position)
    assert filled.forget("cid") == Forgotten(events=0, profile=True)


def test_what_comes_later_of_a_forgotten_user_is_left_out(filled: Store, log_of: LogOf) -> None:
    filled.forget("ann")
    filled.forget("zoe")
    before = filled.fingerprint()
    again = Batch(log_of(PAIRS, times=[1, 2, 3, 4]), "a", ["e1", "e2", "e3", "e4"])
    assert filled.ingest([again], profiles=profiles_of("ann", "zoe")) == Ingested(0, 2, 2, 0, 0)
    assert filled.append([Batch(log_of([("zoe", "new item")]), "a")]) == [Ingested(0, 0, 1, 0, 0)]
    filled.put_profiles(profiles_of("zoe"))
    assert filled.fingerprint() == before
    assert filled.summary().items == 2
    assert filled.ingest([Batch(log_of([("zoe", "x"), ("new", "x")]), "a")]) == Ingested(1, 0, 1, 1, 0)


def test_a_readmitted_user_starts_anew(filled: Store, log_of: LogOf) -> None:
    filled.forget("ann")
    assert [filled.readmit("ann"), filled.readmit("ann"), filled.readmit("never seen")] == [True, False, False]
    assert filled.user_ids() == ["bob", "cid"]
    assert filled.ingest([Batch(log_of([("ann", "x")]), "a", ["e1"])], profiles=profiles_of("ann")).events == 1
    assert filled.history("ann").item_ids == ("x",)
    assert filled.summary().forgotten == 0


def test_forgetting_outlives_the_connection(url: str, log_of: LogOf) -> None:
    with open_store(url, create=True) as store:
        store.ingest([Batch(log_of(PAIRS), "a")])
        store.forget("ann")
    with open_store(url) as store:
        assert store.ingest([Batch(log_of(PAIRS), "a")]).forgotten == 2
        assert store.summary().forgotten == 1


def test_a_model_learned_from_users_forgotten_after_its_data_was_read(filled: Store, log_of: LogOf) -> None:
    before = filled.summary().position
    filled.forget("ann")
    after = filled.summary().position
    filled.forget("cid")  # had no events
    filled.forget("never seen")
    assert [filled.forgotten_since(position) for position in (0, 1, before, after)] == [0, 1, 1, 0]
    filled.ingest([Batch(log_of([("late", "x")]), "a")])
    filled.forget("late")
    assert [filled.forgotten_since(position) for position in (before, after, after + 1)] == [1, 0, 1]
    filled.forget("bob")
    assert [filled.forgotten_since(position) for position in (before, after)] == [2, 1]


def test_a_model_has_learned_from_a_user_even_if_they_come_back(filled: Store, log_of: LogOf) -> None:
    before = filled.summary().position
    filled.forget("ann")
    filled.readmit("ann")
    assert filled.forgotten_since(before) == 1
    filled.ingest([Batch(log_of([("ann", "x")]), "a")])
    between = filled.summary().position
    filled.forget("ann")
    assert [filled.forgotten_since(position) for position in (before, between)] == [1, 1]


def test_arrival_numbers_are_never_given_twice(filled: Store, log_of: LogOf) -> None:
    position = filled.summary().position
    filled.forget("bob")
    filled.forget("ann")
    filled.ingest([Batch(log_of([("new", "x")]), "a")])
    assert len(filled.interactions(since=position)) == 1
    assert filled.summary().position > position


@pytest.mark.parametrize("bad", ["nul\0id", "lone\ud800surrogate"])
def test_no_user_can_have_such_an_id(filled: Store, bad: str) -> None:
    for call in (filled.forget, filled.readmit):
        with pytest.raises(DataError, match=r"field 'user': .* contains NUL or a lone surrogate"):
            call(bad)
    assert filled.summary().forgotten == 0


def test_odd_ids_are_forgotten_too(store: Store, log_of: LogOf) -> None:
    odd = ["😀", "é", "e\u0301", "a/b", "%", "'; DROP TABLE users; --", "z", "Z"]
    store.ingest([Batch(log_of([(user_id, "x") for user_id in odd]), "a")])
    for user_id in odd[:-1]:
        assert store.forget(user_id) == Forgotten(1, profile=False)
    assert store.user_ids() == ["Z"]
    assert store.ingest([Batch(log_of([(user_id, "x") for user_id in odd]), "a")]) == Ingested(1, 0, 7, 0, 0)
