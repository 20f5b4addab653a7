"""What was shown, and what came of it, for every store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from foldin.data.interactions import Interactions
from foldin.errors import ConflictError, DataError
from foldin.store.citations import KEPT, MOST_WAITING
from foldin.store.contract import Batch, ClickThrough, Forgotten, Impression, Ingested, Shown, Store
from foldin.store.opening import open_store

LogOf = Callable[..., Interactions]
NOW = 1_700_000_000_000_000
TO_ANN = Impression("r1", "ann", "1-ease", NOW, ("x", "y", "z"))
TO_ANYBODY = Impression("r2", None, "1-ease", NOW + 1, ("y", "x"))


@pytest.fixture
def cite(store: Store, log_of: LogOf) -> Callable[..., Ingested]:
    """Stores events of a user, each with the recommendation it cites."""

    def stored(user: str, *cited: tuple[str, str | None], event_ids: Sequence[str] | None = None) -> Ingested:
        log = log_of([(user, item) for item, _ in cited], times=[NOW] * len(cited))
        return store.ingest([Batch(log, "tests", event_ids, recommendation_ids=[text for _, text in cited])])

    return stored


def counts(store: Store) -> list[tuple[int, int]]:
    """Shown and clicked by rank, of one model."""
    return [(one.shown, one.clicked) for one in store.click_through()]


def test_what_was_shown_is_counted_by_model_and_rank(store: Store) -> None:
    assert store.click_through() == []
    store.show([TO_ANN, TO_ANYBODY, replace(TO_ANN, recommendation_id="r3", model="0-before", item_ids=("x",))])
    store.show([replace(TO_ANN, recommendation_id="r4", model="2-after", item_ids=())])
    assert sorted(store.click_through(), key=lambda one: (one.model, one.rank)) == [
        ClickThrough("0-before", 1, 1, 0),
        ClickThrough("1-ease", 1, 2, 0),
        ClickThrough("1-ease", 2, 2, 0),
        ClickThrough("1-ease", 3, 1, 0),
    ]


def test_what_was_stored_before_is_counted_once(store: Store) -> None:
    store.show([TO_ANN])
    store.show([TO_ANN, TO_ANYBODY, TO_ANYBODY])
    store.show([])
    assert counts(store) == [(2, 0), (2, 0), (1, 0)]
    assert store.shown_to("ann") == [Shown(TO_ANN, ())]


def test_an_event_that_cites_what_was_shown_is_a_click(store: Store, cite: Callable[..., Ingested]) -> None:
    store.show([TO_ANN, TO_ANYBODY])
    cite("ann", ("z", "r1"), ("x", None), ("x", "r1"))
    assert counts(store) == [(2, 1), (2, 0), (1, 1)]
    assert store.shown_to("ann") == [Shown(TO_ANN, ("x", "z"))]
    cite("bob", ("x", "r2"))
    assert counts(store) == [(2, 1), (2, 1), (1, 1)]


def test_an_item_of_a_recommendation_is_clicked_once(store: Store, cite: Callable[..., Ingested]) -> None:
    store.show([TO_ANN, TO_ANYBODY])
    for _ in range(2):
        cite("ann", ("x", "r1"), ("x", "r1"))
    cite("ann", ("y", "r2"))
    cite("bob", ("y", "r2"))
    assert counts(store) == [(2, 2), (2, 0), (1, 0)]


def test_an_event_that_is_sent_again_is_no_further_click(store: Store, cite: Callable[..., Ingested]) -> None:
    store.show([TO_ANN])
    assert cite("ann", ("x", "r1"), event_ids=["e1"]).events == 1
    assert cite("ann", ("x", "r1"), event_ids=["e1"]).known == 1
    store.show([replace(TO_ANN, recommendation_id="later")])
    assert cite("ann", ("x", "later"), event_ids=["e1"]).known == 1
    assert counts(store) == [(2, 1), (2, 0), (2, 0)]


@pytest.mark.parametrize("cited", ["unheard of", "", "nul\0", "lone\ud800surrogate", "r1" * 5_000])
def test_what_cites_nothing_is_stored_all_the_same(store: Store, cite: Callable[..., Ingested], cited: str) -> None:
    store.show([TO_ANN])
    assert cite("ann", ("x", cited)).events == 1
    assert counts(store) == [(1, 0)] * 3


def test_what_was_not_shown_or_to_another_is_no_click(store: Store, cite: Callable[..., Ingested]) -> None:
    store.show([TO_ANN])
    assert cite("bob", ("x", "r1")).events == 1
    assert cite("ann", ("not shown", "r1")).events == 1
    assert counts(store) == [(1, 0)] * 3


@pytest.mark.parametrize("shown", [TO_ANN, replace(TO_ANN, user_id=None)])
def test_whichever_comes_first_the_click_counts(store: Store, cite: Callable[..., Ingested], shown: Impression) -> None:
    cite("ann", ("x", "r1"), ("x", "r1"), ("not shown", "r1"), ("z", "another"))
    cite("bob", ("y", "another"))
    store.show([shown, TO_ANYBODY])
    assert counts(store) == [(2, 1), (2, 0), (1, 0)]
    store.show([shown])
    cite("ann", ("x", "r1"), ("y", "r1"))
    assert counts(store) == [(2, 1), (2, 1), (1, 0)]


def test_another_users_event_before_the_impression_is_no_click(store: Store, cite: Callable[..., Ingested]) -> None:
    cite("bob", ("x", "r1"))
    store.show([TO_ANN])
    assert counts(store) == [(1, 0)] * 3


def test_what_waits_for_an_impression_is_bounded(store: Store, cite: Callable[..., Ingested]) -> None:
    cite("ann", ("x", "r1"))
    cite("ann", ("y", "r1"), *[("z", f"never {number}") for number in range(MOST_WAITING - 1)])
    store.show([TO_ANN])
    assert counts(store) == [(1, 0), (1, 1), (1, 0)]


def test_a_batch_that_is_refused_or_known_clicks_nothing(store: Store, log_of: LogOf) -> None:
    store.show([TO_ANN])
    log = log_of([("ann", "x"), ("ann", "y")])
    conflicting = Batch(log, "a", ["e1", "e1"], recommendation_ids=["r1", "r1"])
    assert isinstance(store.append([conflicting])[0], ConflictError)
    with pytest.raises(DataError, match="1 recommendation id for 2 events"):
        store.ingest([Batch(log, "a", recommendation_ids=["r1"])])
    store.ingest([Batch(log, "a", digest="d")])
    store.ingest([Batch(log, "a", digest="d", recommendation_ids=["r1", "r1"])])
    assert counts(store) == [(1, 0)] * 3
    assert store.append([Batch(log, "a", recommendation_ids=["r1", None])]) == [Ingested(2, 0, 0, 0, 0)]
    assert counts(store) == [(1, 1), (1, 0), (1, 0)]


def test_nobody_is_entered_by_being_shown_something(store: Store) -> None:
    before = store.summary(), store.fingerprint()
    store.show([TO_ANN])
    assert (store.summary(), store.fingerprint(), store.user_ids()) == (*before, [])


def test_what_somebody_was_shown_is_told_oldest_first(url: str) -> None:
    odd = Impression("r0", "ann", "modèle 😀", NOW - 1, ('quo"te', "back\\slash", "é", "😀", "a\nb"))
    with open_store(url, create=True) as store:
        store.show([TO_ANN, odd, TO_ANYBODY, replace(TO_ANN, recommendation_id="r3", user_id="Ann")])
    with open_store(url) as store:
        assert [one.impression for one in store.shown_to("ann")] == [odd, TO_ANN]
        assert store.shown_to("nobody") == []


def test_impressions_are_forgotten_with_their_user_and_stay_counted(
    store: Store, cite: Callable[..., Ingested]
) -> None:
    store.show([TO_ANN, TO_ANYBODY])
    cite("ann", ("x", "r1"), ("y", "not yet"))
    assert store.forget("ann") == Forgotten(events=2, profile=False, impressions=1)
    assert store.shown_to("ann") == []
    assert counts(store) == [(2, 1), (2, 0), (1, 0)]
    store.show([replace(TO_ANN, recommendation_id="late"), replace(TO_ANYBODY, recommendation_id="not yet")])
    assert cite("ann", ("x", "r2")).forgotten == 1
    assert store.shown_to("ann") == []
    assert counts(store) == [(3, 1), (3, 0), (1, 0)]
    store.readmit("ann")
    store.show([replace(TO_ANN, recommendation_id="anew")])
    assert len(store.shown_to("ann")) == 1


def test_whom_the_store_never_heard_of_is_forgotten_too(store: Store) -> None:
    store.show([TO_ANN])
    assert store.forget("ann") == Forgotten(events=0, profile=False, impressions=1)
    assert store.shown_to("ann") == []


def test_old_impressions_leave_when_new_ones_come_and_stay_counted(store: Store, cite: Callable[..., Ingested]) -> None:
    store.show([TO_ANN, replace(TO_ANN, recommendation_id="r3", time=NOW + KEPT)])
    cite("ann", ("x", "r1"))
    store.show([replace(TO_ANN, recommendation_id="r4", time=NOW + KEPT)])
    assert len(store.shown_to("ann")) == 3
    store.show([replace(TO_ANN, recommendation_id="r5", time=NOW + KEPT + 1)])
    assert [one.impression.recommendation_id for one in store.shown_to("ann")] == ["r3", "r4", "r5"]
    cite("ann", ("y", "r1"))
    assert counts(store) == [(4, 1), (4, 0), (4, 0)]


@pytest.mark.parametrize("bad", ["nul\0id", "lone\ud800surrogate"])
def test_what_cannot_be_stored_is_refused_and_nothing_is(store: Store, bad: str) -> None:
    for changed in (
        replace(TO_ANYBODY, recommendation_id=bad),
        replace(TO_ANYBODY, user_id=bad),
        replace(TO_ANYBODY, model=bad),
        replace(TO_ANYBODY, item_ids=("x", bad)),
    ):
        with pytest.raises(DataError, match="contains NUL or a lone surrogate"):
            store.show([TO_ANN, changed])
    assert (store.click_through(), store.shown_to("ann")) == ([], [])


def test_a_recommendation_has_no_long_id(store: Store) -> None:
    with pytest.raises(DataError, match="at most 256 characters"):
        store.show([replace(TO_ANN, recommendation_id="r" * 257)])
    with pytest.raises(DataError, match="NUL"):
        store.shown_to("nul\0")
