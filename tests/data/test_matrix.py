from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from math import exp2, fsum, log1p

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.catalog import Catalog, ids_of
from foldin.data.feedback import Feedback, FeedbackRule
from foldin.data.interactions import NO_TIME, History, Interactions
from foldin.data.matrix import history_matrix, merged_pairs, user_item_matrix
from foldin.errors import DataError

LogOf = Callable[..., Interactions]
Shuffled = Callable[[Interactions, int], Interactions]
Event = tuple[str, str, str | None, float | None, int | None]
Cells = dict[tuple[str, str], float]

DAY = 86_400_000_000
KINDS = ["buy", "look", "view"]
WEIGHTS = {"buy": 5, "view": 1, "look": 0}

RULES = {
    "counts": Feedback(),
    "logarithms": Feedback(strength="log"),
    "sums": Feedback(strength="none"),
    "capped": Feedback(strength="cap", cap=2.5),
    "weighted": Feedback(weights=WEIGHTS, strength="none"),
    "weighted and capped": Feedback(weights=WEIGHTS, strength="cap"),
    "decaying": Feedback(weights=WEIGHTS, strength="none", half_life=3),
    "liked": Feedback(positive_from=3, weights=WEIGHTS, strength="none", half_life=3),
    "ratings": Feedback(form="explicit", positive_from=3),
}

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["al", "bo", "cy"]),
        st.sampled_from(["x", "y", "z"]),
        st.sampled_from([*KINDS, None]),
        st.sampled_from([0.5, 1.0, 2.0, 3.0, 5.0, None]),
        st.sampled_from([0, DAY, 5 * DAY, 9 * DAY, None]),
    ),
    min_size=1,
    max_size=25,
)
CERTAIN: list[Event] = [("zed", "x", kind, 4.0, 4 * DAY) for kind in KINDS]
"""So that every log has every kind, a value and a time."""


def full_log(log_of: LogOf, events: list[Event]) -> Interactions:
    users, items, kinds, values, times = zip(*events, strict=True)
    return log_of(list(zip(users, items, strict=True)), kinds=kinds, values=values, times=times)


def slow_cells(events: list[Event], rule: FeedbackRule) -> Cells:
    """What the rule says, pair by pair, as slowly and plainly as can be."""
    pairs: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in events:
        pairs[event[:2]].append(event)
    return {pair: slow_value(of_pair, rule) for pair, of_pair in pairs.items()}


def slow_value(events: list[Event], rule: FeedbackRule) -> float:
    if rule.explicit:
        rated = [(NO_TIME if time is None else time, value) for *_, value, time in events if value is not None]
        return max(rated)[1] / rule.highest if rated else 0
    total = fsum(slow_contribution(event, rule) for event in events)
    cap = rule.feedback.cap or max(rule.feedback.weights.values(), default=1)
    return {"none": total, "log": log1p(total), "cap": min(total, cap)}[rule.feedback.strength or "cap"]


def slow_contribution(event: Event, rule: FeedbackRule) -> float:
    _, _, kind, value, time = event
    weights, liked_from = rule.feedback.weights, rule.feedback.positive_from
    weight = max(weights.values(), default=1) if kind is None or not weights else weights[kind]
    amount = 1 if value is None else value if liked_from is None else float(value >= liked_from)
    age = 0 if time is None or rule.latest is None else rule.latest - time
    return weight * amount * exp2(-age / DAY / (rule.feedback.half_life or 1))


def cells_of(matrix: csr_array, user_ids: list[str], item_ids: list[str]) -> Cells:
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    cells = zip(rows, matrix.indices, matrix.data, strict=True)
    return {(user_ids[row], item_ids[column]): float(value) for row, column, value in cells}


def bits(matrix: csr_array) -> tuple[bytes, ...]:
    return tuple(np.asarray(array).tobytes() for array in (matrix.indptr, matrix.indices, matrix.data))


@pytest.mark.parametrize("feedback", RULES.values(), ids=RULES)
class TestEveryRule:
    @settings(max_examples=20)
    @given(events=EVENTS)
    def test_is_what_a_slow_loop_makes_of_it(self, log_of: LogOf, feedback: Feedback, events: list[Event]) -> None:
        if feedback.positive_from is None and feedback.strength is None:
            events = [(user, item, kind, None, time) for user, item, kind, _, time in events]
            log = log_of([event[:2] for event in events])
        else:
            events = [*events, *CERTAIN]
            log = full_log(log_of, events)
        rule = feedback.settle(log)
        expected = slow_cells(events, rule)
        users, items = log.user_ids.tolist(), log.item_ids.tolist()
        matrix = user_item_matrix(log, Catalog(log.item_ids), rule)
        assert cells_of(matrix.seen, users, items).keys() == expected.keys()
        positive = {pair: value for pair, value in expected.items() if value > 0}
        assert cells_of(matrix.histories, users, items) == pytest.approx(positive, rel=1e-6)
        merged = merged_pairs(log, Catalog(log.item_ids), rule)
        assert cells_of(merged.matrix(), users, items) == pytest.approx(expected, rel=1e-6)

    @settings(max_examples=10)
    @given(events=EVENTS, seed=st.integers(0, 99))
    def test_row_order_plays_no_part(
        self, log_of: LogOf, shuffled: Shuffled, feedback: Feedback, events: list[Event], seed: int
    ) -> None:
        log = full_log(log_of, [*events, *CERTAIN])
        rule = FeedbackRule(feedback, (1.0, 5.0) if feedback.form == "explicit" else None, 9 * DAY)
        one, other = (user_item_matrix(part, Catalog(log.item_ids), rule) for part in (log, shuffled(log, seed)))
        assert bits(one.histories) == bits(other.histories)
        assert bits(one.seen) == bits(other.seen)
        ours, theirs = (merged_pairs(part, Catalog(log.item_ids), rule) for part in (log, shuffled(log, seed)))
        assert ours.times is not None
        assert theirs.times is not None
        assert ours.times.tolist() == theirs.times.tolist()

    @settings(max_examples=10)
    @given(events=EVENTS)
    def test_a_served_history_is_its_training_row(self, log_of: LogOf, feedback: Feedback, events: list[Event]) -> None:
        log = full_log(log_of, [*events, *CERTAIN])
        rule = FeedbackRule(feedback, (0.5, 5.0) if feedback.form == "explicit" else None, 9 * DAY)
        catalog = Catalog(ids_of(["y", "x"]))
        matrix = user_item_matrix(log, catalog, rule)
        served, seen = history_matrix([log.history(user) for user in log.user_ids], catalog, rule)
        assert bits(served) == bits(matrix.histories)
        assert bits(seen) == bits(matrix.seen)
        for row, user in enumerate(log.user_ids):
            alone, seen_alone = history_matrix([log.history(user)], catalog, rule)
            assert bits(alone) == bits(matrix.histories[[row]])
            assert bits(seen_alone) == bits(matrix.seen[[row]])


# -- by hand


def values_of(log: Interactions, feedback: Feedback) -> list[float]:
    pairs = merged_pairs(log, Catalog(log.item_ids), feedback.settle(log))
    values: list[float] = pairs.values.tolist()
    return values


def test_explicit_takes_the_greatest_time_then_the_greatest_value(log_of: LogOf) -> None:
    feedback = Feedback(form="explicit", positive_from=4)
    pairs = [("u", "i")] * 4
    assert values_of(log_of(pairs, values=[5, 2, 1, 3], times=[1, 9, 9, 4]), feedback) == pytest.approx([2 / 5])
    assert values_of(log_of(pairs, values=[1, 2, 5, 3]), feedback) == [1]
    assert values_of(log_of(pairs, values=[5, 2, None, 4], times=[1, 3, 9, None]), feedback) == pytest.approx([2 / 5])


def test_implicit_sums(log_of: LogOf) -> None:
    pairs = [("u", "i"), ("u", "i"), ("u", "j"), ("u", "i")]
    assert values_of(log_of(pairs), Feedback(strength="none")) == [3, 1]
    assert values_of(log_of(pairs), Feedback(strength="log")) == pytest.approx(np.log([4, 2]))
    assert values_of(log_of(pairs), Feedback()) == [1, 1]
    assert values_of(log_of(pairs, values=[2, 0.5, 0, None]), Feedback(strength="none")) == [3.5, 0]


def test_sums_are_the_same_bits_in_any_order(log_of: LogOf) -> None:
    # 1 + 2^-24 is half way between two float32; whether the crumbs tip it depends on the order they are added in
    crumbs = [1, 2**-24, *[2**-54] * 6]
    sums = {
        values_of(log_of([("u", "i")] * 8, values=np.roll(crumbs, turn).tolist()), Feedback(strength="none"))[0]
        for turn in range(8)
    }
    assert len(sums) == 1


def test_a_kind_that_weighs_nothing_is_only_seen(log_of: LogOf) -> None:
    log = log_of([("u", "i"), ("u", "j")], kinds=["look", "buy"])
    matrix = user_item_matrix(log, Catalog(log.item_ids), Feedback(weights={"look": 0, "buy": 3}).settle(log))
    assert matrix.histories.toarray().tolist() == [[0, 3]]
    assert matrix.histories.nnz == 1
    assert matrix.seen.nnz == 2


def test_an_event_rated_low_is_only_seen(log_of: LogOf) -> None:
    log = log_of([("u", "i"), ("u", "j"), ("u", "k")], values=[3.5, 4, None])
    matrix = user_item_matrix(log, Catalog(log.item_ids), Feedback(positive_from=4).settle(log))
    assert matrix.histories.toarray().tolist() == [[0, 1, 1]]
    assert matrix.histories.nnz == 2
    assert matrix.seen.nnz == 3


def test_a_user_of_unknown_items_has_an_empty_row(log_of: LogOf) -> None:
    log = log_of([("u", "i"), ("v", "j")])
    matrix = user_item_matrix(log, Catalog(ids_of(["j"])), Feedback().settle(log))
    assert matrix.user_ids.tolist() == ["u", "v"]
    assert matrix.histories.toarray().tolist() == [[0], [1]]


def test_items_are_in_the_catalogues_order(log_of: LogOf) -> None:
    log = log_of([("u", "a"), ("u", "b"), ("v", "b")])
    matrix = user_item_matrix(log, Catalog(ids_of(["b", "new", "a"])), Feedback().settle(log))
    assert matrix.histories.toarray().tolist() == [[1, 0, 1], [1, 0, 0]]
    assert matrix.histories.dtype == np.float32


def test_counting_is_the_same_as_summing(log_of: LogOf) -> None:
    rng = np.random.default_rng(1)
    log = log_of([(f"u{user}", f"i{item}") for user, item in rng.integers(0, 5, (60, 2))])
    for strength in ("none", "log", "cap"):
        rule = Feedback(strength=strength).settle(log)
        counted = user_item_matrix(log, Catalog(log.item_ids), rule)
        summed = merged_pairs(log, Catalog(log.item_ids), rule).matrix()
        assert bits(counted.histories) == bits(summed)
        assert bits(counted.seen) == bits(summed)


# -- histories as they are served


CATALOG = Catalog(ids_of(["x", "y", "z"]))
RATINGS = FeedbackRule(Feedback(form="explicit", positive_from=4), rating_range=(1, 5))


def row_of(history: History, rule: FeedbackRule) -> list[float]:
    row: list[float] = history_matrix([history], CATALOG, rule)[0].toarray()[0].tolist()
    return row


def column(*values: float) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def test_an_item_without_a_rating_counts_as_liked() -> None:
    assert row_of(History.of(["x", "nowhere"]), RATINGS) == [1, 0, 0]
    assert row_of(History(("x", "y"), values=column(2.5, np.nan)), RATINGS) == [0.5, 0, 0]


def test_histories_with_and_without_columns_go_together() -> None:
    rule = FeedbackRule(Feedback(weights={"view": 1, "buy": 2}, half_life=1), latest=2 * DAY)
    plain = History.of(["x"])
    full = History(("y", "y"), ("view", None), times=np.array([DAY, NO_TIME]))
    together = history_matrix([plain, full, History.of([])], CATALOG, rule)[0].toarray()
    assert together.tolist() == [row_of(plain, rule), row_of(full, rule), [0, 0, 0]]
    assert together.tolist() == [[2, 0, 0], [0, 2, 0], [0, 0, 0]]


def test_no_histories_at_all() -> None:
    shown, seen = history_matrix([], CATALOG, RATINGS)
    assert shown.shape == seen.shape == (0, 3)


def test_many_kinds_nobody_knows_are_only_seen() -> None:
    kinds = tuple(f"kind {number}" for number in range(300))
    rule = FeedbackRule(Feedback(weights={"buy": 2}))
    shown, seen = history_matrix([History(("x",) * 300, kinds), History(("y",), ("buy",))], CATALOG, rule)
    assert shown.toarray().tolist() == [[0, 0, 0], [0, 2, 0]]
    assert seen.nnz == 2


@pytest.mark.parametrize("value", [np.inf, -np.inf, -1.0])
@pytest.mark.parametrize("rule", [RATINGS, FeedbackRule(Feedback(strength="log"))], ids=["ratings", "amounts"])
def test_a_value_that_cannot_be_is_refused_with_its_row(rule: FeedbackRule, value: float) -> None:
    with pytest.raises(DataError, match="row 2, field 'value'"):
        history_matrix([History.of(["y"]), History(("x", "y"), values=column(1, value))], CATALOG, rule)


def test_a_rating_of_zero_is_refused() -> None:
    with pytest.raises(DataError, match="row 1, field 'value': a rating of 0"):
        history_matrix([History(("x",), values=column(0))], CATALOG, RATINGS)


def test_a_value_past_float32_is_refused() -> None:
    history = History(("x",), values=np.array([1e300]))
    with pytest.raises(DataError, match="row 1, field 'value'"):
        history_matrix([history], CATALOG, FeedbackRule(Feedback(strength="none")))
