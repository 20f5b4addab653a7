"""Batches that come again, in pieces or damaged, for every store."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Interactions
from foldin.errors import ConflictError, DataError
from foldin.store.contract import Batch, Ingested, Store
from foldin.store.opening import open_store

LogOf = Callable[..., Interactions]
PAIRS = [("ann", "x"), ("bob", "y"), ("bob", "x")]


@pytest.fixture
def log(log_of: LogOf) -> Interactions:
    return log_of(PAIRS, times=[3, 1, 2])


def test_a_batch_with_the_digest_of_another_adds_nothing(store: Store, log: Interactions, log_of: LogOf) -> None:
    assert store.ingest([Batch(log, "a", digest="d1")]) == Ingested(3, 0, 0, 2, 2)
    assert store.ingest([Batch(log_of([("new", "z")]), "a", digest="d1")]) == Ingested(0, 1, 0, 0, 0)
    assert store.ingest([Batch(log, "a", digest="d2")]).events == 3
    assert store.ingest([Batch(log, "other source", digest="d1")]).events == 3
    assert store.ingest([Batch(log, "a"), Batch(log, "a")]).events == 6
    assert store.sources() == {"a": 12, "other source": 3}


def test_a_digest_counts_within_one_call_and_only_once_its_batch_is_stored(store: Store, log: Interactions) -> None:
    with pytest.raises(DataError):
        store.ingest([Batch(log, "a", digest="d"), Batch(log, "nul\0")])
    batch = Batch(log, "a", digest="d")
    assert store.ingest([batch, batch]) == Ingested(3, 3, 0, 2, 2)


def test_event_ids_count_more_than_a_digest(store: Store, log: Interactions) -> None:
    assert store.ingest([Batch(log, "a", ["1", "2", "3"], digest="d")]).events == 3
    assert store.ingest([Batch(log, "a", ["1", "2", "4"], digest="d")]) == Ingested(1, 2, 0, 0, 0)


def test_an_event_id_is_known_whichever_source_it_comes_from_again(store: Store, log: Interactions) -> None:
    assert store.ingest([Batch(log, "http", ["1", "2", "3"])]).events == 3
    assert store.ingest([Batch(log, "http:shop", ["1", "2", "4"])]) == Ingested(1, 2, 0, 0, 0)
    assert store.sources() == {"http": 3, "http:shop": 1}


def test_event_ids_may_be_an_array(store: Store, log: Interactions) -> None:
    ids = np.array(["1", None, "3"], dtype=np.object_)
    assert store.ingest([Batch(log, "a", ids)]).events == 3
    assert store.ingest([Batch(log, "a", ids)]) == Ingested(1, 2, 0, 0, 0)


def test_an_event_whose_time_was_filled_in_is_known_again_at_any_time(store: Store, log_of: LogOf) -> None:
    def sent(now: int) -> Batch:
        return Batch(log_of(PAIRS, times=[3, now, now]), "a", ["1", "2", None], times_filled=[False, True, True])

    assert store.ingest([sent(100)]) == Ingested(3, 0, 0, 2, 2)
    assert store.ingest([sent(200)]) == Ingested(1, 2, 0, 0, 0)
    assert store.append([sent(300), sent(400)]) == [Ingested(1, 2, 0, 0, 0)] * 2
    assert store.history("ann").times == np.array([3])
    times = store.history("bob").times
    assert times is not None
    assert sorted(times.tolist()) == [100, 100, 200, 300, 400]


def test_such_an_event_is_still_told_from_any_other(store: Store, log_of: LogOf) -> None:
    store.ingest([Batch(log_of([("ann", "x")], kinds=["view"], values=[1], times=[5]), "a", ["1"])])
    again = log_of([("ann", "x")], kinds=["view"], values=[1], times=[9])
    assert store.ingest([Batch(again, "a", ["1"], times_filled=[True])]).known == 1
    others = [
        log_of([("bob", "x")], kinds=["view"], values=[1], times=[9]),
        log_of([("ann", "y")], kinds=["view"], values=[1], times=[9]),
        log_of([("ann", "x")], kinds=["buy"], values=[1], times=[9]),
        log_of([("ann", "x")], kinds=["view"], values=[2], times=[9]),
    ]
    for other in others:
        with pytest.raises(ConflictError, match="event id '1' belongs to another event"):
            store.ingest([Batch(other, "a", ["1"], times_filled=[True])])
    for unfilled in (None, [False]):
        with pytest.raises(ConflictError, match="event id '1' belongs to another event"):
            store.ingest([Batch(again, "a", ["1"], times_filled=unfilled)])


def test_only_the_mark_of_the_event_that_comes_again_counts(store: Store, log_of: LogOf) -> None:
    pairs = [("ann", "x")] * 3
    batch = Batch(log_of(pairs, times=[5, 100, 5]), "a", ["1"] * 3, times_filled=[False, True, False])
    assert store.ingest([batch]) == Ingested(1, 2, 0, 1, 1)
    filled = Batch(log_of(pairs[:1], times=[100]), "a", ["2"], times_filled=[True])
    assert store.ingest([filled]).events == 1
    with pytest.raises(ConflictError, match="event id '2' belongs to another event"):
        store.ingest([Batch(log_of(pairs[:1], times=[99]), "a", ["2"])])


def test_marks_of_filled_times_go_with_their_events_where_a_user_is_forgotten(store: Store, log_of: LogOf) -> None:
    store.forget("ann")
    for now, stored in ((100, 2), (200, 0)):
        batch = Batch(log_of(PAIRS, times=[3, now, 4]), "a", ["1", "2", "3"], times_filled=[False, True, False])
        assert store.ingest([batch]).events == stored


def test_marks_of_filled_times_are_as_many_as_events(store: Store, log: Interactions) -> None:
    with pytest.raises(DataError, match="field 'time': 2 marks of times that were filled in, for 3 events"):
        store.ingest([Batch(log, "a", ["1", "2", "3"], times_filled=[True, False])])
    assert store.summary().events == 0


def test_a_cursor_is_stored_with_its_batch(store: Store, log: Interactions) -> None:
    assert store.cursor("a") is None
    store.ingest([Batch(log, "a", digest="d", cursor="row 3"), Batch(log, "b", cursor="2026-01-01"), Batch(log, "c")])
    assert [store.cursor(source) for source in "abc"] == ["row 3", "2026-01-01", None]
    store.ingest([Batch(log, "a"), Batch(log, "b", cursor="later", cursor_before="2026-01-01")])
    with pytest.raises(DataError):
        store.ingest([Batch(log, "a", cursor="row 4", cursor_before="row 3"), Batch(log, "b", ["too few"])])
    assert [store.cursor(source) for source in "ab"] == ["row 3", "later"]
    store.ingest([Batch(log, "a", digest="d", cursor="row 5", cursor_before="row 3")])
    assert store.cursor("a") == "row 5"


def test_of_two_imports_that_began_at_the_same_place_only_the_first_is_stored(store: Store, log: Interactions) -> None:
    fast, slow = (Batch(log, "a", digest=cursor, cursor=cursor) for cursor in ("row 3", "row 2"))
    assert store.ingest([fast]).events == 3
    with pytest.raises(ConflictError, match=r"another import of this source has been there meanwhile, .* run it again"):
        store.ingest([slow])
    assert isinstance(store.append([slow])[0], ConflictError)
    assert (store.cursor("a"), store.summary().events) == ("row 3", 3)
    assert store.ingest([fast]) == Ingested(0, 3, 0, 0, 0)  # the same once more is known, and harms nothing
    slow = Batch(log, "a", digest="row 4", cursor="row 4", cursor_before="row 3")
    assert (store.ingest([slow]).events, store.cursor("a")) == (3, "row 4")


@pytest.mark.parametrize("bad", ["nul\0", "lone\ud800surrogate"])
def test_cursors_and_digests_are_text_that_can_be_stored(store: Store, log: Interactions, bad: str) -> None:
    for batch, field in ((Batch(log, "a", cursor=bad), "cursor"), (Batch(log, "a", digest=bad), "digest")):
        with pytest.raises(DataError, match=f"field '{field}': .* contains NUL or a lone surrogate"):
            store.ingest([batch])
    with pytest.raises(DataError, match="field 'source'"):
        store.cursor(bad)
    assert store.summary().sources == 0


def test_a_refused_batch_leaves_the_others_of_its_commit_alone(store: Store, log: Interactions, log_of: LogOf) -> None:
    store.ingest([Batch(log_of([("ann", "x")]), "a", ["e1"])])
    outcomes = store.append(
        [
            Batch(log_of([("new", "n")]), "b", cursor="1"),
            Batch(log_of([("lost", "l"), ("ann", "other")]), "lost", ["e2", "e1"], cursor="2"),
            Batch(log_of([("lost", "nul\0")], kinds=["lost"]), "lost"),
            Batch(log_of([("lost", "l")]), "lost", []),
            Batch(log_of([("ann", "x"), ("ann", "x")]), "a", ["e1", "e3"]),
        ]
    )
    first, conflict, data, count, last = outcomes
    assert (first, last) == (Ingested(1, 0, 0, 1, 1), Ingested(1, 1, 0, 0, 0))
    assert isinstance(conflict, ConflictError)
    assert "event id 'e1'" in str(conflict)
    assert isinstance(data, DataError)
    assert isinstance(count, DataError)
    assert store.sources() == {"a": 2, "b": 1}
    assert store.user_ids() == ["ann", "new"]
    assert list(store.interactions().item_ids) == ["n", "x"]
    assert (store.summary().position, store.summary().items) == (3, 2)


def test_no_batches_are_no_work(store: Store) -> None:
    assert store.append([]) == []
    assert store.ingest([]) == Ingested(0, 0, 0, 0, 0)


def test_what_arrived_from_a_position_on(store: Store, log: Interactions, log_of: LogOf) -> None:
    store.ingest([Batch(log, "a", ["1", "2", "3"])])
    position = store.summary().position
    store.append(
        [Batch(log_of([("ann", "new"), ("zoe", "x"), ("ann", "x")], times=[5, None, 3]), "b", ["4", "5", "1"])]
    )
    late = store.interactions(since=position)
    assert (list(late.user_ids), list(late.item_ids)) == (["ann", "zoe"], ["new", "x"])
    assert len(late) == 2
    assert len(store.interactions(since=0)) == len(store.interactions()) == 5
    assert store.summary().position == position + 2
    empty = store.interactions(since=store.summary().position)
    assert (len(empty), len(empty.user_ids), empty.times) == (0, 0, None)


def test_counts_are_those_of_the_events(store: Store, log_of: LogOf) -> None:
    rng = np.random.default_rng(0)
    for number in range(12):
        users, items = rng.integers(0, 5, 20), rng.integers(0, 9, 20)
        times = [None if time < 30 else int(time) for time in rng.integers(0, 1000, 20)]
        batch = log_of([(f"u{u}", f"i{i}") for u, i in zip(users, items, strict=True)], times=times)
        store.append([Batch(batch, f"source {number % 3}", [f"e{number} {place}" for place in range(20)])])
        if number % 4 == 3:
            store.forget(f"u{number // 4}")
        log, summary = store.interactions(), store.summary()
        known = [] if log.times is None else [int(time) for time in log.times if time != np.iinfo(np.int64).min]
        assert summary.events == len(log) == sum(store.sources().values())
        assert (summary.first_time, summary.last_time) == (min(known), max(known))
        assert (summary.users, summary.items) == (len(log.user_ids), len(log.item_ids))
        assert (summary.sources, summary.forgotten) == (len(store.sources()), (number + 1) // 4)


def test_a_large_batch_with_event_ids_is_stored_once(url: str, small_blocks: int) -> None:
    count = 12 * small_blocks // 10
    codes = np.arange(count, dtype=np.int32)
    log = Interactions(ids_of(f"u{number:06}" for number in range(count // 10)), codes // 10, ids_of(["x"]), codes * 0)
    ids = np.array([f"event {number * 7919 % count}" for number in range(count)], dtype=np.object_)
    with open_store(url, create=True) as store:
        store.put_catalog(Catalog(ids_of(["x"])))
        assert store.ingest([Batch(log, "a", ids)]).events == count
        assert store.ingest([Batch(log, "a", ids)]) == Ingested(0, count, 0, 0, 0)
    with open_store(url) as store:
        assert store.summary().events == len(store.interactions()) == count
        last = Batch(log.where(np.array([count - 1])), "b", [ids[-1]])
        assert store.ingest([last]).known == 1
        with pytest.raises(ConflictError, match=f"'{ids[-1]}'"):
            store.ingest([Batch(log.where(np.array([0])), "b", [ids[-1]])])
