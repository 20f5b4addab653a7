from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldin.data.feedback import Feedback, FeedbackRule, Form
from foldin.data.interactions import Interactions
from foldin.errors import ConfigurationError, DataError

LogOf = Callable[..., Interactions]

NAN, INFINITY = float("nan"), float("inf")


# -- settings


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"form": "both"}, "'both' is not one of: implicit, explicit"),
        ({"strength": "square"}, "'square' is not one of: none, log, cap"),
        ({"form": "explicit"}, "name it with positive_from / --positive-from"),
        ({"form": "explicit", "positive_from": 4, "weights": {"buy": 2}}, "weights is for implicit"),
        ({"form": "explicit", "positive_from": 4, "strength": "log"}, "strength is for implicit"),
        ({"form": "explicit", "positive_from": 4, "half_life": 3}, "half_life is for implicit"),
        ({"form": "explicit", "positive_from": 4, "cap": 3}, "cap is for implicit"),
        ({"weights": {"buy": -1}}, "weight of kind 'buy' is -1"),
        ({"weights": {"buy": NAN}}, "weight of kind 'buy' is nan"),
        ({"weights": {"buy": INFINITY}}, "weight of kind 'buy' is inf"),
        ({"cap": 0}, "cap is 0"),
        ({"cap": NAN}, "cap is nan"),
        ({"half_life": -1}, "half_life is -1"),
        ({"half_life": INFINITY}, "half_life is inf"),
        ({"positive_from": NAN}, "positive_from is nan"),
        ({"positive_from": INFINITY}, "positive_from is inf"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        Feedback(**settings)  # type: ignore[arg-type]  # what is wrong with them is what is tested


# -- settling on a log


def test_values_without_a_meaning_are_refused(log_of: LogOf) -> None:
    with pytest.raises(
        ConfigurationError, match=r"say what they mean.*positive_from / --positive-from.*strength / --strength"
    ):
        Feedback().settle(log_of([("u", "i")] * 2, values=[3, 4]))


@pytest.mark.parametrize("values", [[3, 3], [None, None]])
def test_values_that_say_nothing_need_no_meaning(log_of: LogOf, values: list[float | None]) -> None:
    assert not Feedback().settle(log_of([("u", "i")] * 2, values=values)).explicit


@pytest.mark.parametrize("form", ["implicit", "explicit"])
def test_a_threshold_that_no_rating_reaches_is_refused_with_the_scale(log_of: LogOf, form: Form) -> None:
    log = log_of([("u", "i")] * 3, values=[0.5, 1, 2])
    with pytest.raises(
        ConfigurationError, match=r"^no rating of the log reaches 4 \(positive_from.*\): they go from 0.5 to 2$"
    ):
        Feedback(form, positive_from=4).settle(log)
    assert Feedback(form, positive_from=2).settle(log).feedback.positive_from == 2


def test_a_threshold_that_next_to_no_rating_reaches_is_refused(log_of: LogOf) -> None:
    values = [1, 2, 3] * 30 + [5] * 8
    with pytest.raises(ConfigurationError, match=r"only 8 of 98 events .* reach 4 .*too few.* from 1 to 5, on average"):
        Feedback(positive_from=4).settle(log_of([("u", "i")] * 98, values=values))
    Feedback(positive_from=4).settle(log_of([("u", "i")] * 99, values=[*values, 5]))  # 9 of 99 are a tenth


@pytest.mark.parametrize("weights", [{"view": 0}, {"view": 0, "buy": 1}])
def test_weights_that_leave_nothing_are_refused(log_of: LogOf, weights: dict[str, float]) -> None:
    kinds = ["view"] * 40 + ["buy"] * (len(weights) - 1)
    with pytest.raises(ConfigurationError, match=r"of the log counts by weights / --weights view=0.*above 0"):
        Feedback(weights=weights).settle(log_of([("u", "i")] * len(kinds), kinds=kinds))


def test_amounts_and_half_lives_that_leave_nothing_are_refused(log_of: LogOf) -> None:
    with pytest.raises(ConfigurationError, match="no event of the log has an amount above 0"):
        Feedback(strength="log").settle(log_of([("u", "i")] * 2, values=[0, 0]))
    times = [0] * 50 + [10_000 * 86_400_000_000]
    with pytest.raises(ConfigurationError, match="only 1 of 51 events of the log is young enough"):
        Feedback(half_life=1).settle(log_of([("u", "i")] * 51, times=times))


def test_amounts_are_no_ratings_unless_it_is_said(log_of: LogOf) -> None:
    log = log_of([("u", "i")] * 4, values=[1, 7, 350, 1_200])
    with pytest.raises(
        ConfigurationError, match=r"look like amounts \(1 to 1200\).*--strength log; .*--amounts-as-ratings"
    ):
        Feedback("explicit", positive_from=4).settle(log)
    assert Feedback("explicit", positive_from=4, amounts_as_ratings=True).settle(log).highest == 1_200
    with pytest.raises(ConfigurationError, match="amounts_as_ratings / --amounts-as-ratings is for explicit"):
        Feedback(amounts_as_ratings=True)


@pytest.mark.parametrize("feedback", [Feedback(positive_from=4), Feedback(form="explicit", positive_from=4)])
def test_ratings_need_values(log_of: LogOf, feedback: Feedback) -> None:
    with pytest.raises(ConfigurationError, match="has no values"):
        feedback.settle(log_of([("u", "i")]))


def test_ratings_that_are_all_missing_are_none(log_of: LogOf) -> None:
    with pytest.raises(ConfigurationError, match="has no values"):
        Feedback(form="explicit", positive_from=4).settle(log_of([("u", "i")], values=[None]))


def test_a_negative_amount_is_refused_with_its_row(log_of: LogOf) -> None:
    with pytest.raises(
        DataError, match=r"row 2, field 'value': an amount of -0.5.*returns.*--positive-from 1 in the"
    ) as refused:
        Feedback(strength="log").settle(log_of([("u", "i"), ("u", "j")], values=[1, -0.5]))
    assert (refused.value.row, refused.value.field) == (2, "value")


@pytest.mark.parametrize("rating", [0, -1])
def test_a_rating_of_zero_or_less_is_refused_with_its_row(log_of: LogOf, rating: float) -> None:
    with pytest.raises(DataError, match=rf"row 3, field 'value': a rating of {rating}.*shift the scale"):
        Feedback(form="explicit", positive_from=4).settle(log_of([("u", "i")] * 3, values=[None, 5, rating]))


@pytest.mark.parametrize(
    "feedback",
    [
        Feedback(strength="none"),
        Feedback(positive_from=3),
        Feedback(form="explicit", positive_from=3),
    ],
    ids=["amounts", "liked", "ratings"],
)
@pytest.mark.parametrize("value", [INFINITY, -INFINITY])
def test_an_infinite_value_is_refused_with_its_row(log_of: LogOf, feedback: Feedback, value: float) -> None:
    with pytest.raises(DataError, match="row 2, field 'value'"):
        feedback.settle(log_of([("u", "i")] * 2, values=[4, value]))


def test_a_kind_without_a_weight_is_refused_with_its_row(log_of: LogOf) -> None:
    log = log_of([("u", "i")] * 3, kinds=["buy", "buy", "view"])
    with pytest.raises(
        DataError, match="row 3, field 'kind': kind 'view' has no weight; name it in weights / --weights"
    ):
        Feedback(weights={"buy": 2}).settle(log)


def test_a_weight_of_no_kind_is_refused(log_of: LogOf) -> None:
    with pytest.raises(ConfigurationError, match="no event is of kind 'bye'; the log has: buy"):
        Feedback(weights={"bye": 2}).settle(log_of([("u", "i")], kinds=["buy"]))


def test_weights_need_kinds(log_of: LogOf) -> None:
    with pytest.raises(ConfigurationError, match="weights need a column of kinds"):
        Feedback(weights={"buy": 2}).settle(log_of([("u", "i")]))


@pytest.mark.parametrize("times", [None, [None]])
def test_half_life_needs_times(log_of: LogOf, times: list[int | None] | None) -> None:
    with pytest.raises(ConfigurationError, match="half_life / --half-life needs a column of times"):
        Feedback(half_life=3).settle(log_of([("u", "i")], times=times))


def test_what_only_the_log_can_tell(log_of: LogOf) -> None:
    log = log_of([("u", "i")] * 3, values=[2, None, 4.5], times=[7, None, 5])
    explicit = Feedback(form="explicit", positive_from=4).settle(log)
    assert (explicit.rating_range, explicit.highest, explicit.explicit) == ((2, 4.5), 4.5, True)
    implicit = Feedback(positive_from=4, half_life=1).settle(log)
    assert (implicit.latest, implicit.highest, implicit.explicit) == (7, 1, False)
    assert Feedback(positive_from=4).settle(log).latest is None


# -- the rule


def test_strengths_by_hand() -> None:
    sums = np.array([0, 0.5, 1, 3])
    assert FeedbackRule(Feedback(strength="none")).strength(sums).tolist() == [0, 0.5, 1, 3]
    assert FeedbackRule(Feedback(strength="log")).strength(sums) == pytest.approx(np.log([1, 1.5, 2, 4]))
    assert FeedbackRule(Feedback()).strength(sums).tolist() == [0, 0.5, 1, 1]
    assert FeedbackRule(Feedback(strength="cap", cap=2)).strength(sums).tolist() == [0, 0.5, 1, 2]
    assert FeedbackRule(Feedback(weights={"view": 1, "buy": 2})).strength(sums).tolist() == [0, 0.5, 1, 2]
    assert FeedbackRule(Feedback(weights={"view": 0})).strength(sums).tolist() == [0, 0.5, 1, 1]


def test_half_life_by_hand() -> None:
    day = 86_400_000_000
    rule = FeedbackRule(Feedback(half_life=2), latest=10 * day)
    times = np.array([10, 8, 6, 9, 11], dtype=np.int64) * day
    contributions = rule.contributions(5, None, None, None, times)
    assert contributions == pytest.approx([1, 1 / 2, 1 / 4, 1 / np.sqrt(2), 1])


@given(
    tenths=st.integers(1, 100),
    highest=st.sampled_from([5.0, 10.0, 7.0, 4.5, 100.0]),
)
def test_a_rating_of_positive_from_is_liked(tenths: int, highest: float) -> None:
    rating = tenths / 10
    rule = FeedbackRule(Feedback(form="explicit", positive_from=rating), rating_range=(0.1, highest))
    value = np.array([rating], dtype=np.float32) / highest
    assert rule.positive(value).tolist() == [True]
    assert rule.positive(np.nextafter(value, np.float32(0), dtype=np.float32)).tolist() == [False]
