"""One suite for every store: what comes out is what went in, whole, once, and in no order of arrival."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from foldin.data.catalog import Catalog, ids_of
from foldin.data.identifiers import normalised, refusal
from foldin.data.interactions import NO_KIND, NO_TIME, Interactions
from foldin.data.profiles import Profiles
from foldin.errors import ConflictError, DataError, NotFoundError
from foldin.store.contract import Batch, Forgotten, Ingested, Store, Summary
from foldin.store.opening import open_store

Event: TypeAlias = tuple[str, str, str | None, float | None, int | None]

EVENTS: list[Event] = [
    ("nle", "HOL-2", "view", None, 20),
    ("nle", "HOL-1", "buy", 4.5, 20),
    ("ann", "HOL-1", None, None, None),
    ("ann", "HOL-3", "view", -2.0, -5),
    ("nle", "HOL-3", "view", 1.0, 10),
    ("nle", "HOL-2", None, None, None),
    ("nle", "HOL-2", "view", None, 20),
]
ODD_IDS = [
    "a/b",
    "null",
    "[PAD]",
    "../x",
    "😀",
    "é" * 128,
    "01",
    "1.0",
    "1",
    "'; DROP TABLE users; --",
    "%",
    "ä",
    "z",
    "Z",
]


def log_of(events: Sequence[Event]) -> Interactions:
    users, items, kinds, values, times = zip(*events, strict=True) if events else ((), (), (), (), ())
    user_ids, item_ids = sorted(set(users)), sorted(set(items))
    kind_names = sorted({kind for kind in kinds if kind is not None})
    return Interactions(
        ids_of(user_ids),
        np.array([user_ids.index(user) for user in users], dtype=np.int32),
        ids_of(item_ids),
        np.array([item_ids.index(item) for item in items], dtype=np.int32),
        ids_of(kind_names) if kind_names else None,
        np.array([NO_KIND if kind is None else kind_names.index(kind) for kind in kinds], dtype=np.int8)
        if kind_names
        else None,
        np.array(values, dtype=np.float32) if any(value is not None for value in values) else None,
        np.array([NO_TIME if time is None else time for time in times], dtype=np.int64)
        if any(time is not None for time in times)
        else None,
    )


def events_of(log: Interactions) -> list[Event]:
    codes = np.full(len(log), NO_KIND) if log.kind_codes is None else log.kind_codes
    values = np.full(len(log), np.nan) if log.values is None else log.values
    times = np.full(len(log), NO_TIME) if log.times is None else log.times
    return [
        (
            str(log.user_ids[log.user_codes[row]]),
            str(log.item_ids[log.item_codes[row]]),
            None if log.kind_names is None or codes[row] == NO_KIND else str(log.kind_names[codes[row]]),
            None if np.isnan(values[row]) else float(values[row]),
            None if times[row] == NO_TIME else int(times[row]),
        )
        for row in range(len(log))
    ]


def column_of(*cells: str | None) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    return np.array(cells, dtype=np.object_)


def order_of(event: Event) -> tuple[object, ...]:
    user, item, kind, value, time = event
    return user, item, NO_TIME if time is None else time, kind or "", value is None, value or 0


def catalog_of(**attributes_by_item: dict[str, str]) -> Catalog:
    names = dict.fromkeys(name for known in attributes_by_item.values() for name in known)
    columns = {name: column_of(*(known.get(name) for known in attributes_by_item.values())) for name in names}
    return Catalog(ids_of(attributes_by_item), columns)


def test_every_event_comes_back_with_what_it_lacks_still_missing(store: Store) -> None:
    assert store.ingest([Batch(log_of(EVENTS), "events.csv")]).events == len(EVENTS)
    log = store.interactions()
    assert events_of(log) == sorted(EVENTS, key=order_of)
    assert list(log.user_ids) == ["ann", "nle"]
    assert list(log.item_ids) == ["HOL-1", "HOL-2", "HOL-3"]
    dtypes = [
        column.dtype.name
        for column in (log.user_codes, log.item_codes, log.kind_codes, log.values, log.times)
        if column is not None
    ]
    assert dtypes == ["int32", "int32", "int8", "float32", "int64"]


def test_columns_without_any_entry_are_none(store: Store) -> None:
    store.ingest([Batch(log_of([("ann", "x", None, None, None)]), "a")])
    log = store.interactions()
    assert (log.kind_names, log.kind_codes, log.values, log.times) == (None, None, None, None)


def test_an_empty_store_reads_as_empty_and_takes_an_empty_log(store: Store) -> None:
    assert events_of(store.interactions()) == []
    assert (len(store.catalog()), len(store.profiles()), store.user_ids(), store.sources()) == (0, 0, [], {})
    assert store.summary() == Summary(0, 0, 0, 0, None, None, 0, 0)
    assert store.ingest([Batch(log_of([]), "empty.csv")]).events == 0
    assert store.sources() == {"empty.csv": 0}


def test_ids_without_events_are_not_stored(store: Store) -> None:
    log = log_of(EVENTS)
    wider = Interactions(ids_of([*log.user_ids, "zoe"]), log.user_codes, log.item_ids, log.item_codes)
    store.ingest([Batch(wider, "a")])
    assert store.user_ids() == ["ann", "nle"]


def test_history_is_oldest_first_then_by_item(store: Store) -> None:
    for event in EVENTS:
        store.ingest([Batch(log_of([event]), "a")])
    history = store.history("nle")
    assert history.item_ids == ("HOL-2", "HOL-3", "HOL-1", "HOL-2", "HOL-2")
    assert history.kinds == (None, "view", "buy", "view", "view")
    assert history.values is not None
    assert history.times is not None
    np.testing.assert_array_equal(history.values, np.array([np.nan, 1, 4.5, np.nan, np.nan], dtype=np.float32))
    assert history.times.tolist() == [NO_TIME, 10, 20, 20, 20]


def test_history_is_that_of_the_log(store: Store) -> None:
    store.ingest([Batch(log_of(EVENTS), "a")])
    log = store.interactions()
    for user_id in log.user_ids:
        stored, read = store.history(user_id), log.history(user_id)
        assert (stored.item_ids, stored.kinds) == (read.item_ids, read.kinds)
        np.testing.assert_array_equal(stored.values, read.values)
        np.testing.assert_array_equal(stored.times, read.times)


def test_history_columns_are_none_where_the_user_has_no_entry(store: Store) -> None:
    store.ingest([Batch(log_of([("ann", "x", None, None, None), ("bob", "x", "view", 1.0, 1)]), "a")])
    history = store.history("ann")
    assert (history.item_ids, history.kinds, history.values, history.times) == (("x",), None, None, None)


def test_a_user_with_only_a_profile_has_an_empty_history(store: Store) -> None:
    store.put_profiles(Profiles(ids_of(["bob"])))
    assert store.history("bob").item_ids == ()
    assert store.user_ids() == ["bob"]


def test_an_unknown_user_is_not_found(store: Store) -> None:
    store.ingest([Batch(log_of(EVENTS), "a")])
    with pytest.raises(NotFoundError, match="no user 'HOL-1' in the store"):
        store.history("HOL-1")


def test_the_catalogue_keeps_its_order_and_leaves_out_items_of_events(store: Store) -> None:
    store.ingest([Batch(log_of([("ann", "b", None, None, None), ("ann", "seen", None, None, None)]), "a")])
    store.put_catalog(catalog_of(z={"title": "Zed", "level": "1"}, b={"title": "Bee"}, a={}))
    catalog = store.catalog()
    assert list(catalog.item_ids) == ["z", "b", "a"]
    assert [catalog.item(index) for index in range(3)] == [{"title": "Zed", "level": "1"}, {"title": "Bee"}, {}]


def test_putting_the_catalogue_again_replaces_attributes_and_appends_items(store: Store) -> None:
    store.put_catalog(catalog_of(z={"title": "Zed", "level": "1"}, b={"title": "Bee"}))
    store.put_catalog(catalog_of(new={"title": "New"}, z={"title": "Zeta"}))
    catalog = store.catalog()
    assert list(catalog.item_ids) == ["z", "b", "new"]
    assert [catalog.item(index) for index in range(3)] == [{"title": "Zeta"}, {"title": "Bee"}, {"title": "New"}]
    assert list(catalog.attributes) == ["title"]


def test_profiles_come_back_sorted_and_are_replaced(store: Store) -> None:
    store.put_profiles(Profiles(ids_of(["zoe", "ann"]), {"role": column_of("admin", None), "age": column_of("9", "7")}))
    store.put_profiles(Profiles(ids_of(["zoe"]), {"age": column_of("10")}))
    profiles = store.profiles()
    assert list(profiles.user_ids) == ["ann", "zoe"]
    assert [profiles.profile(user) for user in ("ann", "zoe")] == [{"age": "7"}, {"age": "10"}]


def test_ingest_takes_everything_together(store: Store) -> None:
    store.ingest([Batch(log_of(EVENTS[:1]), "before.csv")])
    ingested = store.ingest(
        [Batch(log_of(EVENTS[1:3]), "a.csv"), Batch(log_of(EVENTS[3:]), "b.csv")],
        catalog=catalog_of(**{"HOL-1": {}, "HOL-9": {}}),
        profiles=Profiles(ids_of(["bob", "nle"])),
    )
    assert ingested == Ingested(events=6, known=0, forgotten=0, new_users=2, new_items=3)
    assert store.sources() == {"a.csv": 2, "b.csv": 4, "before.csv": 1}
    assert store.summary() == Summary(
        users=3, items=4, events=7, sources=3, first_time=-5, last_time=20, forgotten=0, position=7
    )
    assert list(store.catalog().item_ids) == ["HOL-1", "HOL-9"]


def test_an_event_sent_again_is_stored_once(store: Store) -> None:
    ids = [f"e{row}" for row in range(len(EVENTS))]
    assert store.ingest([Batch(log_of(EVENTS[:4]), "a", ids[:4])]).events == 4
    assert store.ingest([Batch(log_of(EVENTS), "b", ids)]).events == 3
    assert store.ingest([Batch(log_of(EVENTS), "b", ids)]).events == 0
    assert events_of(store.interactions()) == sorted(EVENTS, key=order_of)


def test_an_event_twice_in_one_batch_is_stored_once(store: Store) -> None:
    log = log_of([EVENTS[0], EVENTS[0], EVENTS[1], EVENTS[1]])
    assert store.ingest([Batch(log, "a", ["e", "e", None, None])]).events == 3


@pytest.mark.parametrize("field", range(5))
def test_an_event_id_of_another_event_stores_nothing_of_the_batch(store: Store, field: int) -> None:
    stored: Event = ("ann", "x", "view", 1.0, 5)
    other: tuple[Event, ...] = (
        ("bob", "x", "view", 1.0, 5),
        ("ann", "y", "view", 1.0, 5),
        ("ann", "x", "buy", 1.0, 5),
        ("ann", "x", "view", None, 5),
        ("ann", "x", "view", 1.0, 6),
    )
    store.ingest([Batch(log_of([stored]), "a", ["e1"])])
    before = store.fingerprint(), store.summary()
    with pytest.raises(ConflictError, match="event id 'e1' belongs to another event"):
        store.ingest([Batch(log_of([*EVENTS, other[field]]), "b", [*"abcdefg", "e1"])])
    assert (store.fingerprint(), store.summary()) == before


def test_two_events_of_one_batch_cannot_share_an_id(store: Store) -> None:
    with pytest.raises(ConflictError, match="event id 'e' belongs to another event"):
        store.ingest([Batch(log_of(EVENTS[:2]), "a", ["e", "e"])])
    assert store.summary().events == 0


def test_event_ids_are_as_many_as_events(store: Store) -> None:
    with pytest.raises(DataError, match="field 'event_id': 1 event id for 2 events"):
        store.ingest([Batch(log_of(EVENTS[:2]), "a", ["e"])])


@pytest.mark.parametrize("bad", ["nul\0id", "lone\ud800surrogate"])
def test_text_no_database_can_hold_is_refused_wherever_it_stands(store: Store, bad: str) -> None:
    store.ingest([Batch(log_of(EVENTS), "a")])
    before = store.fingerprint(), store.summary()
    refused: list[tuple[str, Callable[[], object]]] = [
        ("user", lambda: store.ingest([Batch(log_of([*EVENTS, (bad, "x", None, None, None)]), "b")])),
        ("item", lambda: store.ingest([Batch(log_of([*EVENTS, ("ann", bad, None, None, None)]), "b")])),
        ("kind", lambda: store.ingest([Batch(log_of([*EVENTS, ("ann", "x", bad, None, None)]), "b")])),
        ("source", lambda: store.ingest([Batch(log_of(EVENTS), bad)])),
        ("event_id", lambda: store.ingest([Batch(log_of(EVENTS), "b", [*"abcdef", bad])])),
        ("item", lambda: store.put_catalog(catalog_of(**{"x": {}, bad: {}}))),
        ("user", lambda: store.put_profiles(Profiles(ids_of(["x", bad])))),
        ("user", lambda: store.history(bad)),
    ]
    for field, put in refused:
        with pytest.raises(DataError, match=f"field '{field}': .* contains NUL or a lone surrogate"):
            put()
    assert (store.fingerprint(), store.summary()) == before


def test_a_lone_surrogate_in_an_attribute_is_refused(store: Store) -> None:
    with pytest.raises(DataError, match="field 'attributes'"):
        store.put_catalog(catalog_of(x={"title": "\udfff"}))
    assert len(store.catalog()) == 0


def test_a_failed_ingest_leaves_the_store_as_it_was(store: Store) -> None:
    store.ingest([Batch(log_of(EVENTS), "a")], catalog=catalog_of(x={"title": "X"}))
    before = store.fingerprint(), store.summary()
    with pytest.raises(DataError):
        store.ingest(
            [Batch(log_of(EVENTS), "b"), Batch(log_of([("zoe", "\0", None, None, None)]), "c")],
            catalog=catalog_of(x={"title": "Y"}, new={}),
            profiles=Profiles(ids_of(["zoe"])),
        )
    assert (store.fingerprint(), store.summary()) == before


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_arrival_plays_no_part(new_url: Callable[[], str], seed: int) -> None:
    shuffled = [EVENTS[place] for place in np.random.default_rng(seed).permutation(len(EVENTS))]
    with open_store(new_url(), create=True) as one, open_store(new_url(), create=True) as other:
        one.ingest([Batch(log_of(EVENTS), "a")], catalog=catalog_of(z={"n": "1", "m": "2"}, a={}))
        other.ingest([Batch(log_of(shuffled[:3]), "b")])
        other.put_catalog(catalog_of(a={}))
        other.ingest([Batch(log_of(shuffled[3:]), "c")])
        other.put_catalog(catalog_of(z={"m": "2", "n": "1"}))
        assert events_of(other.interactions()) == events_of(one.interactions()) == sorted(EVENTS, key=order_of)
        assert other.fingerprint() == one.fingerprint()


def test_odd_ids_survive(url: str) -> None:
    events: list[Event] = [(text, text, text, None, None) for text in ODD_IDS]
    with open_store(url, create=True) as store:
        store.ingest(
            [Batch(log_of([event]), text) for text, event in zip(ODD_IDS, events, strict=True)],
            catalog=Catalog(ids_of(ODD_IDS), {text: column_of(*ODD_IDS) for text in ODD_IDS}),
            profiles=Profiles(ids_of(ODD_IDS)),
        )
    with open_store(url) as store:
        assert events_of(store.interactions()) == sorted(events, key=order_of)
        assert store.user_ids() == list(store.profiles().user_ids) == sorted(ODD_IDS)
        assert list(store.catalog().item_ids) == ODD_IDS
        assert store.catalog().item(3) == dict.fromkeys(ODD_IDS, ODD_IDS[3])
        assert all(store.history(text).item_ids == (text,) for text in ODD_IDS)
        assert store.sources() == dict.fromkeys(ODD_IDS, 1)


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=3)
A_FEW = st.sampled_from(["a", "b", "ä", "😀", "a/b"]) | NAMES
AN_EVENT = st.tuples(
    A_FEW,
    A_FEW,
    st.none() | st.sampled_from(["view", "buy"]),
    st.none() | st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.none() | st.integers(-(2**62), 2**62),
)
RECORDS = st.dictionaries(A_FEW, st.dictionaries(A_FEW, NAMES, max_size=2), max_size=4)


def known_by_user(profiles: Profiles) -> dict[str, dict[str, str]]:
    """All that profiles hold, also of ids that no reader would take."""
    return {
        user: {name: column[row] for name, column in profiles.attributes.items() if column[row] is not None}
        for row, user in enumerate(profiles.user_ids)
    }


class StoreBesidePlainPython(RuleBasedStateMachine):
    """A store, and the lists and dicts that say what it must hold."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.store = open_store(url, create=True)
        self.events: list[Event] = []
        self.sent: list[tuple[str, Event]] = []
        self.catalog: dict[str, dict[str, str]] = {}
        self.profiles: dict[str, dict[str, str]] = {}
        self.forgotten: set[str] = set()
        self.numbers = count()

    @rule(events=st.lists(AN_EVENT, max_size=5))
    def append(self, events: list[Event]) -> None:
        kept = self._kept(events)
        ingested = self.store.ingest([Batch(log_of(events), "log")])
        assert (ingested.events, ingested.known, ingested.forgotten) == (len(kept), 0, len(events) - len(kept))
        self.events += kept

    @rule(events=st.lists(AN_EVENT, min_size=1, max_size=3))
    def append_with_ids_and_again(self, events: list[Event]) -> None:
        kept = self._kept(events)
        self.sent += [(f"e{next(self.numbers)}", event) for event in kept]
        ids = [event_id for event_id, _ in self.sent]
        log = log_of([event for _, event in self.sent])
        assert self.store.ingest([Batch(log, "sent", ids)]).events == len(kept)
        self.events += kept

    @rule(user=A_FEW)
    def forget(self, user: str) -> None:
        erased = [event for event in self.events if event[0] == user]
        assert self.store.forget(user) == Forgotten(len(erased), user in self.profiles)
        self.events = [event for event in self.events if event[0] != user]
        self.sent = [(event_id, event) for event_id, event in self.sent if event[0] != user]
        self.profiles.pop(user, None)
        self.forgotten.add(user)

    @rule(user=A_FEW)
    def readmit(self, user: str) -> None:
        assert self.store.readmit(user) == (user in self.forgotten)
        self.forgotten.discard(user)

    @rule(records=RECORDS)
    def put_catalog(self, records: dict[str, dict[str, str]]) -> None:
        self.store.put_catalog(catalog_of(**records))
        self.catalog |= records

    @rule(records=RECORDS)
    def put_profiles(self, records: dict[str, dict[str, str]]) -> None:
        catalog = catalog_of(**records)
        self.store.put_profiles(Profiles(catalog.item_ids, catalog.attributes))
        self.profiles |= {user: known for user, known in records.items() if user not in self.forgotten}

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = open_store(self.url)

    @invariant()
    def the_store_holds_the_same(self) -> None:
        log = self.store.interactions()
        assert events_of(log) == sorted(self.events, key=order_of)
        readable = [user for user in log.user_ids if refusal(user) is None and normalised(user) == user]
        assert all(self.store.history(user).item_ids == log.history(user).item_ids for user in readable)
        catalog, profiles = self.store.catalog(), self.store.profiles()
        assert {item: catalog.item(index) for index, item in enumerate(catalog.item_ids)} == self.catalog
        assert list(catalog.item_ids) == list(self.catalog)
        assert known_by_user(profiles) == self.profiles
        assert self.store.user_ids() == sorted({*self.profiles, *(user for user, *_ in self.events)})
        self._counts_are_those_of_the_same()

    def _counts_are_those_of_the_same(self) -> None:
        summary = self.store.summary()
        times = [time for *_, time in self.events if time is not None]
        assert (summary.first_time, summary.last_time) == ((min(times), max(times)) if times else (None, None))
        assert summary.users == len({*self.profiles, *(user for user, *_ in self.events)})
        assert summary.items == len({*self.catalog, *(item for _, item, *_ in self.events)})
        assert summary.events == sum(self.store.sources().values()) == len(self.events)
        assert summary.forgotten == len(self.forgotten)

    def _kept(self, events: list[Event]) -> list[Event]:
        return [event for event in events if event[0] not in self.forgotten]

    def teardown(self) -> None:
        self.store.close()


def test_the_store_holds_what_plain_python_holds(new_url: Callable[[], str]) -> None:
    class InANewPlace(StoreBesidePlainPython):
        def __init__(self) -> None:
            super().__init__(new_url())

    run_state_machine_as_test(
        InANewPlace,
        settings=settings(max_examples=8, stateful_step_count=12, deadline=None, derandomize=True),
    )
