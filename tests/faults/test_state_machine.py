"""Whatever is sent, sent again, refused, forgotten and opened anew: a store holds what a plain model of it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from foldin.data.catalog import ids_of
from foldin.data.profiles import Profiles
from foldin.errors import ConflictError, FoldinError, NotFoundError
from foldin.store.contract import Batch, Forgotten, Impression, Ingested
from foldin.store.opening import open_store
from tests.faults.events import Event, age_of, batch_of, events_of, order_of, told
from tests.faults.impressions import Cited, Impressions
from tests.faults.scale import rounds

Sent: TypeAlias = tuple[Event, str | None, str | None]
"""An event, its id, and the recommendation it says it came from."""

Row: TypeAlias = tuple[Event, str, str | None, int]
"""An event, its source and its id, and in which call it arrived."""

STEPS = 40
FORM = st.sampled_from
USERS = ["ann", "bob", "ä", "😀"]
ITEMS = ["x", "y", "a/b"]
EVENTS = st.tuples(
    FORM(USERS),
    FORM(ITEMS),
    FORM([None, "view", "buy"]),
    FORM([None, 1.0, 2.5, float(np.float32(0.1))]),
    FORM([None, -5, 0, 2**62]),
)
IDS = st.none() | FORM([f"e{number}" for number in range(12)])
SHOWN = [f"r{number}" for number in range(6)]
BATCHES = st.tuples(
    st.lists(st.tuples(EVENTS, IDS, st.none() | FORM(SHOWN)), max_size=4),
    FORM(["a", "b"]),
    FORM([None, "digest 1", "digest 2"]),
)


@dataclass
class Model:
    """What a store must hold, in lists and dicts."""

    rows: list[Row] = field(default_factory=list)
    sources: dict[str, int] = field(default_factory=dict)
    digests: set[tuple[str, str]] = field(default_factory=set)
    profiles: dict[str, str] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    impressions: Impressions = field(default_factory=Impressions)
    calls: int = 0

    def take(self, batch: Batch) -> Ingested | None:
        """What a store says of a batch; None where it refuses it."""
        events = events_of(batch.log)
        found, known = self._new(events, batch)
        if found is None:
            return None
        new, cited = found
        self.impressions.cite(cited)
        users, items = self.users(), self.items()
        self.rows += new
        self.sources[batch.source] = self.sources.get(batch.source, 0) + len(new)
        left_out = len(events) - len(new) - known
        return Ingested(len(new), known, left_out, len(self.users() - users), len(self.items() - items))

    def _new(self, events: list[Event], batch: Batch) -> tuple[tuple[list[Row], list[Cited]] | None, int]:
        if batch.digest is not None and batch.event_ids is None:
            if (batch.source, batch.digest) in self.digests:
                return ([], []), len(events)
            self.digests.add((batch.source, batch.digest))
        bodies = {event_id: event for event, _, event_id, _ in self.rows if event_id is not None}
        new: list[Row] = []
        cited: list[Cited] = []
        known, nothing = 0, [None] * len(events)
        for event, event_id, recommendation in zip(
            events, batch.event_ids or nothing, batch.recommendation_ids or nothing, strict=True
        ):
            if event[0] in self.forgotten:
                continue
            if event_id is None or event_id not in bodies:
                new.append((event, batch.source, event_id, self.calls))
                cited += [] if recommendation is None else [(recommendation, event[0], event[1])]
            elif bodies[event_id] != event:
                return None, 0
            else:
                known += 1
            if event_id is not None:
                bodies[event_id] = event
        return (new, cited), known

    def show(self, impressions: list[Impression]) -> None:
        self.impressions.show([one for one in impressions if one.user_id not in self.forgotten])

    def forget(self, user_id: str) -> Forgotten:
        erased = [row for row in self.rows if row[0][0] == user_id]
        self.rows = [row for row in self.rows if row[0][0] != user_id]
        for _, source, _, _ in erased:
            self.sources[source] -= 1
        self.forgotten.add(user_id)
        shown = self.impressions.forget(user_id)
        return Forgotten(len(erased), self.profiles.pop(user_id, None) is not None, shown)

    def users(self) -> set[str]:
        return {event[0] for event, *_ in self.rows} | self.profiles.keys()

    def items(self) -> set[str]:
        return {event[1] for event, *_ in self.rows}

    def events(self, since: int = 0) -> list[Event]:
        return sorted((event for event, _, _, call in self.rows if call >= since), key=order_of)


class StoreBesideAModel(RuleBasedStateMachine):
    """A store and its model, to which the same is done."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.store = open_store(url, create=True)
        self.model = Model()
        self.sent: list[Batch] = []
        self.positions: list[tuple[int, int]] = [(0, 0)]
        self.steps = 0

    @rule(drawn=st.lists(BATCHES, min_size=1, max_size=3))
    def append(self, drawn: list[tuple[list[Sent], str, str | None]]) -> None:
        self.send([citing(*parts) for parts in drawn])

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def append_again(self, data: st.DataObject) -> None:
        self.send([data.draw(FORM(self.sent))])

    @rule(drawn=BATCHES)
    def ingest(self, drawn: tuple[list[Sent], str, str | None]) -> None:
        batch = citing(*drawn)
        expected = self.model.take(batch)
        try:
            assert self.store.ingest([batch]) == expected
        except ConflictError:
            assert expected is None

    @rule(
        users=st.dictionaries(FORM(SHOWN), st.none() | FORM(USERS), min_size=1, max_size=3),
        model=FORM(["1-ease", "2-autoencoder"]),
        time=st.integers(0, 9),
        items=st.lists(FORM(ITEMS), unique=True, min_size=1),
    )
    def show(self, users: dict[str, str | None], model: str, time: int, items: list[str]) -> None:
        impressions = [Impression(key, user, model, time, tuple(items)) for key, user in users.items()]
        self.store.show(impressions)
        self.model.show(impressions)

    @rule(user=FORM(USERS))
    def forget(self, user: str) -> None:
        assert self.store.forget(user) == self.model.forget(user)

    @rule(user=FORM(USERS))
    def readmit(self, user: str) -> None:
        assert self.store.readmit(user) == (user in self.model.forgotten)
        self.model.forgotten.discard(user)

    @rule(roles=st.dictionaries(FORM(USERS), FORM(["guest", "admin"]), min_size=1, max_size=3))
    def put_profiles(self, roles: dict[str, str]) -> None:
        self.store.put_profiles(Profiles(ids_of(roles), {"role": ids_of(roles.values())}))
        self.model.profiles |= {user: role for user, role in roles.items() if user not in self.model.forgotten}

    @rule()
    def note_the_position(self) -> None:
        self.model.calls += 1
        self.positions.append((self.store.summary().position, self.model.calls))

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = open_store(self.url)

    @invariant()
    def the_events_are_the_same(self) -> None:
        assert events_of(self.store.interactions()) == self.model.events()
        self.check_since(*self.positions[-1])

    @invariant()
    def a_history_is_the_same(self) -> None:
        self.steps += 1
        self.check_history(USERS[self.steps % len(USERS)])

    @invariant()
    def the_counts_and_profiles_are_the_same(self) -> None:
        summary, events = self.store.summary(), self.model.events()
        times = [event[4] for event in events if event[4] is not None]
        assert (summary.users, summary.items, summary.events, summary.forgotten) == (
            len(self.model.users()),
            len(self.model.items()),
            len(events),
            len(self.model.forgotten),
        )
        assert (summary.first_time, summary.last_time) == (min(times, default=None), max(times, default=None))
        assert self.store.sources() == self.model.sources
        profiles = self.store.profiles()
        assert {user: profiles.profile(user) for user in profiles.user_ids} == {
            user: {"role": role} for user, role in self.model.profiles.items()
        }

    @invariant()
    def what_was_shown_and_clicked_is_the_same(self) -> None:
        assert self.store.click_through() == self.model.impressions.click_through()
        user = USERS[self.steps % len(USERS)]
        assert self.store.shown_to(user) == self.model.impressions.shown_to(user)

    def send(self, batches: list[Batch]) -> None:
        self.sent += batches
        results = self.store.append(batches)
        for batch, result in zip(batches, results, strict=True):
            assert accepted(result) == self.model.take(batch)

    def check_since(self, position: int, call: int) -> None:
        assert events_of(self.store.interactions(since=position)) == self.model.events(since=call)

    def check_history(self, user: str) -> None:
        expected = sorted((event for event in self.model.events() if event[0] == user), key=age_of)
        assert self.told_of(user) == (expected if user in self.model.users() else None)

    def told_of(self, user: str) -> list[Event] | None:
        try:
            return told(user, self.store.history(user))
        except NotFoundError:
            return None

    def teardown(self) -> None:
        for user in USERS:
            self.check_history(user)
        for position, call in self.positions:
            self.check_since(position, call)
        assert self.store.user_ids() == sorted(self.model.users())
        self.store.close()


def citing(sent: list[Sent], source: str, digest: str | None) -> Batch:
    batch = batch_of([(event, event_id) for event, event_id, _ in sent], source, digest)
    return replace(batch, recommendation_ids=[cited for *_, cited in sent])


def accepted(result: Ingested | FoldinError) -> Ingested | None:
    assert isinstance(result, Ingested | ConflictError)
    return result if isinstance(result, Ingested) else None


def test_a_store_holds_what_a_model_of_it_holds(new_url: Callable[[], str]) -> None:
    class InANewPlace(StoreBesideAModel):
        def __init__(self) -> None:
            super().__init__(new_url())

    run_state_machine_as_test(InANewPlace, settings=settings(max_examples=rounds(300, 10), stateful_step_count=STEPS))
