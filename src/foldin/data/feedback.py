"""Feedback: the rule that turns events into matrix values, the same for training rows and served histories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldin.data.interactions import NO_KIND, NO_TIME, Ids, Interactions
from foldin.data.value_scale import ValueScale, as_typed, scale_of
from foldin.errors import ConfigurationError, DataError
from foldin.wording import counted

__all__ = ["Feedback", "FeedbackRule", "Form", "Strength", "is_enough"]

Form: TypeAlias = Literal["implicit", "explicit"]
Strength: TypeAlias = Literal["none", "log", "cap"]

MICROSECONDS_PER_DAY = 86_400_000_000

FEWEST_LEFT = 20
"""Events that count, from which on a rule leaves enough of any log; of a small one a tenth is enough."""


@dataclass(frozen=True)
class Feedback:
    """What the events of a log mean, as its owner says it.

    `form`: "explicit" learns ratings, scaled to rating / highest rating; "implicit" learns interest: every event
        adds weight x amount to its user-item pair.
    `positive_from`: the rating from which an item counts as liked. With implicit feedback, events rated below it
        only mark the item as seen.
    `weights`: what an event of each kind adds (>= 0; 0 only marks the item as seen). A kind must be named to count.
    `strength`: how the sum s of a pair counts: "cap" min(s, cap), "log" log(1 + s), "none" s itself. None is "cap",
        but a log with values must say it, or give `positive_from`: values are either ratings or amounts.
    `cap`: the sum from which more does not count; None is the largest kind weight, so that one event is enough.
    `half_life`: days after which an event counts half, seen from the newest event of the log; None is for ever.
    `amounts_as_ratings`: whether explicit feedback takes values that look like amounts, such as plays or seconds.

    Raises:
        ConfigurationError: a setting is out of its range, or two of them exclude each other.
    """

    form: Form = "implicit"
    positive_from: float | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    strength: Strength | None = None
    cap: float | None = None
    half_life: float | None = None
    amounts_as_ratings: bool = False

    def __post_init__(self) -> None:
        if self.form not in ("implicit", "explicit"):
            raise ConfigurationError(f"feedback '{self.form}' is not one of: implicit, explicit")
        if self.strength not in (None, "none", "log", "cap"):
            raise ConfigurationError(f"strength '{self.strength}' is not one of: none, log, cap")
        if self.form == "explicit":
            self._check_explicit()
        elif self.amounts_as_ratings:
            raise ConfigurationError("amounts_as_ratings / --amounts-as-ratings is for explicit feedback")
        for kind, weight in self.weights.items():
            if not 0 <= weight < np.inf:
                raise ConfigurationError(f"the weight of kind '{kind}' is {weight}; weights are 0 or more")
        for name, value in (("cap", self.cap), ("half_life", self.half_life)):
            if value is not None and not 0 < value < np.inf:
                raise ConfigurationError(f"{name} is {value}; it must be above 0")
        if self.positive_from is not None and not np.isfinite(self.positive_from):
            raise ConfigurationError(
                f"positive_from is {self.positive_from}; it must be a number of the ratings' scale"
            )

    def _check_explicit(self) -> None:
        if self.positive_from is None:
            raise ConfigurationError(
                "explicit feedback needs the rating from which an item counts as liked: name it with "
                "positive_from / --positive-from, as 4 on a scale of 1 to 5"
            )
        given = (
            ("weights", self.weights),
            ("strength", self.strength),
            ("cap", self.cap),
            ("half_life", self.half_life),
        )
        for name, setting in given:
            if setting:
                raise ConfigurationError(f"{name} is for implicit feedback; explicit feedback takes the last rating")

    def settle(self, log: Interactions) -> FeedbackRule:
        """The rule for this log, with what only the log can tell: the ratings' range and the newest time.

        Raises:
            ConfigurationError: the log has values and nothing says what they mean, or lacks what the rule needs, or the
                rule leaves nothing of it, or next to nothing.
            DataError: a value is outside what the form allows, or a kind has no weight; the row and its ids are named.
        """
        scale = scale_of(log.values)
        if log.values is not None:
            _check_values(log.values, self, log)
        rule = self._settled_explicit(scale) if self.form == "explicit" else self._settled_implicit(log, scale)
        _check_what_is_left(log, rule, scale)
        return rule

    def _settled_explicit(self, scale: ValueScale | None) -> FeedbackRule:
        if scale is None:
            raise ConfigurationError("explicit feedback needs a column of ratings, and the log has no values")
        if scale.looks_like == "amounts" and not self.amounts_as_ratings:
            raise ConfigurationError(
                f"the values look like amounts ({as_typed(scale.minimum)} to {as_typed(scale.maximum)}), and explicit "
                "feedback predicts ratings: leave it out and give strength / --strength log; if they are ratings, say "
                "so with amounts_as_ratings / --amounts-as-ratings"
            )
        return FeedbackRule(self, rating_range=(scale.minimum, scale.maximum))

    def _settled_implicit(self, log: Interactions, scale: ValueScale | None) -> FeedbackRule:
        says_something = scale is not None and scale.looks_like != "constant"
        if says_something and self.positive_from is None and self.strength is None:
            raise ConfigurationError(_WHAT_VALUES_MEAN)
        if self.positive_from is not None and log.values is None:
            raise ConfigurationError(
                "positive_from / --positive-from needs a column of ratings, and the log has no values"
            )
        _check_kinds(log, self.weights)
        return FeedbackRule(self, latest=_latest(log) if self.half_life is not None else None)


@dataclass(frozen=True)
class FeedbackRule:
    """Feedback settled on a log; it travels with the model and makes served histories as it made training rows.

    `rating_range`: lowest and highest rating of the log, explicit feedback only.
    `latest`: time of the newest event (microseconds since the epoch), where events decay.
    """

    feedback: Feedback
    rating_range: tuple[float, float] | None = None
    latest: int | None = None

    @property
    def explicit(self) -> bool:
        """Whether matrix values are ratings (divided by the highest) rather than strengths of interest."""
        return self.rating_range is not None

    @property
    def highest(self) -> float:
        """The rating that becomes 1 in the matrix; 1 for implicit feedback."""
        return 1.0 if self.rating_range is None else self.rating_range[1]

    @property
    def heaviest(self) -> float:
        """The largest kind weight, which is also what an event without a kind adds."""
        return max(self.feedback.weights.values(), default=1.0)

    def positive(self, values: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which matrix values are of items the user liked; targets are always of these."""
        if not self.explicit:
            return values > 0
        assert self.feedback.positive_from is not None
        # divided as the ratings were, in float32: a rating of exactly positive_from must not fall below it
        return values >= np.float32(self.feedback.positive_from) / np.float32(self.highest)

    def check(self, values: NDArray[np.float32]) -> None:
        """Passes if the values of a history, one per event, are such as the form allows; NaN is none.

        Raises:
            DataError: one is not; the row is named.
        """
        _check_values(values, self.feedback)

    def strength(self, sums: NDArray[np.float64]) -> NDArray[np.float32]:
        """The matrix values of summed contributions, implicit feedback only."""
        match self.feedback.strength or "cap":
            case "none":
                strengths = sums
            case "log":
                strengths = np.log1p(sums)
            case "cap":
                strengths = np.minimum(sums, self.feedback.cap or self.heaviest or 1.0)
        return strengths.astype(np.float32)

    def parts_that_count(self, log: Interactions) -> dict[str, NDArray[np.bool_]]:
        """Which events of a log count by each part of the rule that may leave some out, (events,)."""
        if self.explicit:
            assert log.values is not None
            return {"positive_from": self.positive(log.values / np.float32(self.highest))}
        name = "amounts" if self.feedback.positive_from is None else "positive_from"
        parts = {
            "weights": self._kind_weights(log.kind_names, log.kind_codes),
            name: self._amounts(log.values),
            "half_life": self._decays(log.times),
        }
        return {name: part > 0 for name, part in parts.items() if part is not None}

    def contributions(
        self,
        count: int,
        kind_names: Ids | None,
        kind_codes: NDArray[np.int8] | None,
        values: NDArray[np.float32] | None,
        times: NDArray[np.int64] | None,
    ) -> NDArray[np.float64] | None:
        """What each event adds to its pair: kind weight x amount x decay; None where every event adds the same 1."""
        parts = [self._kind_weights(kind_names, kind_codes), self._amounts(values), self._decays(times)]
        known = [part for part in parts if part is not None]
        if not known:
            return None if self.heaviest == 1 else np.full(count, self.heaviest)
        product: NDArray[np.float64] = np.prod(known, axis=0, dtype=np.float64)
        return product if kind_codes is not None and self.feedback.weights else product * self.heaviest

    def _kind_weights(self, names: Ids | None, codes: NDArray[np.int8] | None) -> NDArray[np.float64] | None:
        if not self.feedback.weights or names is None or codes is None:
            return None
        by_code = np.array([*(self.feedback.weights.get(name, 0.0) for name in names), self.heaviest])
        assert NO_KIND == -1  # an event without a kind takes the last entry
        return by_code[codes]

    def _amounts(self, values: NDArray[np.float32] | None) -> NDArray[np.float64] | None:
        if values is None:
            return None
        if self.feedback.positive_from is None:
            return np.where(np.isnan(values), 1.0, values)
        return np.where(values < np.float32(self.feedback.positive_from), 0.0, 1.0)

    def _decays(self, times: NDArray[np.int64] | None) -> NDArray[np.float64] | None:
        # w(age) = 2 ** -(age / half-life); events newer than the log's newest count in full
        if self.latest is None or self.feedback.half_life is None or times is None:
            return None
        age = np.where(times == NO_TIME, 0, np.maximum(self.latest - times, 0))
        return np.exp2(-age / (self.feedback.half_life * MICROSECONDS_PER_DAY))


_WHAT_VALUES_MEAN = (
    "the log has a column of values; say what they mean. Ratings: give positive_from / --positive-from, the rating "
    "from which an item counts as liked (with implicit feedback to learn who likes what, with explicit feedback to "
    "learn the ratings). Amounts such as plays or seconds: give strength / --strength, one of: log, cap, none"
)


def is_enough(left: int, events: int) -> bool:
    """Whether so many events that count are enough of a log to learn from."""
    return left > 0 and left >= min(FEWEST_LEFT, events // 10)


def _check_what_is_left(log: Interactions, rule: FeedbackRule, scale: ValueScale | None) -> None:
    counting = np.ones(len(log), dtype=np.bool_)
    for part, counts in rule.parts_that_count(log).items() if len(log) else ():
        counting &= counts
        if not is_enough(left := int(np.count_nonzero(counting)), len(log)):
            raise ConfigurationError(_what_is_left(part, left, log, rule.feedback, scale))


def _what_is_left(part: str, left: int, log: Interactions, feedback: Feedback, scale: ValueScale | None) -> str:
    few = f"only {left:,} of {counted(len(log), 'event')}"
    if part == "positive_from" and scale is not None and feedback.positive_from is not None:
        threshold = f"{feedback.positive_from:g} (positive_from / --positive-from)"
        range_of = f"they go from {as_typed(scale.minimum)} to {as_typed(scale.maximum)}"
        if not scale.reaching(feedback.positive_from):
            return f"no rating of the log reaches {threshold}: {range_of}"
        return f"{few} of the log reach {threshold}, too few to learn from: {range_of}, on average {scale.mean:.3g}"
    if part == "weights":
        kinds = ", ".join(f"{kind}={weight:g}" for kind, weight in feedback.weights.items())
        return (
            f"{few if left else 'no event'} of the log counts by weights / --weights {kinds}: a kind of weight 0 only "
            "marks items as seen; give the kinds that show interest a weight above 0"
        )
    if part == "amounts":
        return f"{few if left else 'no event'} of the log has an amount above 0, and an amount of 0 counts nothing"
    return f"{few if left else 'no event'} of the log is young enough to count by half_life / --half-life: lengthen it"


def _check_values(values: NDArray[np.float32], feedback: Feedback, log: Interactions | None = None) -> None:
    _refuse(values, np.isinf(values), "a value of {:g}; values must be finite", log)
    if feedback.form == "explicit":
        low = (
            "a rating of {:g}; explicit feedback predicts ratings above 0, as 0 is not rated: shift the scale, or give "
            "positive_from / --positive-from without explicit feedback, which takes any scale"
        )
        _refuse(values, values <= 0, low, log)
    elif feedback.positive_from is None:
        negative = (
            "an amount of {:g}; with implicit feedback amounts are 0 or more. Where those below 0 are returns, "
            "positive_from / --positive-from 1 in the place of strength counts them as seen, not liked"
        )
        _refuse(values, values < 0, negative, log)


def _refuse(values: NDArray[np.float32], wrong: NDArray[np.bool_], problem: str, log: Interactions | None) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        row = int(rows[0])
        raise DataError(problem.format(values[row]) + _whose(log, row), row=row + 1, field="value")


def _whose(log: Interactions | None, row: int) -> str:
    # a log that was read does not keep the order of its file, so the ids are what the event is found by
    if log is None:
        return ""
    return f" (user '{log.user_ids[log.user_codes[row]]}', item '{log.item_ids[log.item_codes[row]]}')"


def _check_kinds(log: Interactions, weights: Mapping[str, float]) -> None:
    if not weights:
        return
    if log.kind_names is None or log.kind_codes is None:
        raise ConfigurationError("weights need a column of kinds, and the log has none")
    for name in weights:
        if name not in log.kind_names:
            raise ConfigurationError(f"no event is of kind '{name}'; the log has: {', '.join(log.kind_names)}")
    for code, name in enumerate(log.kind_names):
        rows = np.flatnonzero(log.kind_codes == code)
        if name not in weights and len(rows):
            raise DataError(
                f"kind '{name}' has no weight; name it in weights / --weights (0 only marks items as seen)"
                f"{_whose(log, int(rows[0]))}",
                row=int(rows[0]) + 1,
                field="kind",
            )


def _latest(log: Interactions) -> int:
    if log.times is None or (log.times == NO_TIME).all():
        raise ConfigurationError("half_life / --half-life needs a column of times, and the log has none")
    return int(log.times.max())
