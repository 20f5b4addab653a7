"""A hint: the options of `foldin train` that fit the values of a log, and why."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10

import numpy as np
from numpy.typing import NDArray

from foldin.data.feedback import Feedback, Strength, is_enough
from foldin.data.value_scale import MOST_RATING_STEPS, ValueScale, as_typed, scale_of

__all__ = ["TrainingHint", "training_hint"]


@dataclass(frozen=True)
class TrainingHint:
    """What implicit feedback needs to know of the values; a top 10 is what most want. `reason`: why, as a clause, empty
    where the log has no values."""

    reason: str = ""
    positive_from: float | None = None
    strength: Strength | None = None

    @property
    def options(self) -> str:
        """As they are typed behind `foldin train`, empty where none is needed."""
        if self.positive_from is not None:
            return f"--positive-from {as_typed(self.positive_from)}"
        return f"--strength {self.strength}" if self.strength else ""

    @property
    def feedback(self) -> Feedback:
        """The same as a rule."""
        return Feedback(positive_from=self.positive_from, strength=self.strength)


def training_hint(values: NDArray[np.float32] | None) -> TrainingHint:
    """The options that the values of a log ask for: training by them works."""
    scale = scale_of(values)
    if scale is None:
        return TrainingHint()
    match scale.looks_like:
        case "constant":
            return _of_one_value(scale)
        case "ratings":
            return _of_ratings(scale)
        case "amounts":
            return _of_amounts(scale)


def _of_one_value(scale: ValueScale) -> TrainingHint:
    value = as_typed(scale.minimum)
    if scale.minimum > 0:
        return TrainingHint(f"every value is {value}, which tells events apart in nothing: no option is needed")
    return TrainingHint(f"every value is {value}: --positive-from {value} counts every event", scale.minimum)


def _of_ratings(scale: ValueScale) -> TrainingHint:
    threshold = _above_the_mean(scale)
    looks = (
        f"the values look like ratings ({as_typed(scale.minimum)} to {as_typed(scale.maximum)}, mean {scale.mean:.3g})"
    )
    if not is_enough(scale.reaching(threshold) + scale.missing, int(scale.counts.sum()) + scale.missing):
        return TrainingHint(
            f"{looks}, and too few are above the mean: {_option(scale.minimum)} counts all", scale.minimum
        )
    also = "; to predict ratings, add --feedback explicit" if scale.minimum > 0 else ""
    return TrainingHint(f"{looks}: {_option(threshold)} counts those above the mean as liked{also}", threshold)


def _of_amounts(scale: ValueScale) -> TrainingHint:
    looks = f"the values look like amounts ({as_typed(scale.minimum)} to {as_typed(scale.maximum)})"
    if not scale.negative:
        reason = f"{looks}: with --strength log more counts for more, but ten times as much not for ten times as much"
        return TrainingHint(reason, strength="log")
    lowest = float(scale.distinct[scale.distinct > 0].min(initial=scale.maximum))
    returns = f"{scale.negative:,} of them below 0, as returns are"
    reason = f"{looks}, {returns}: {_option(lowest)} counts these as seen, not liked"
    return TrainingHint(reason, lowest)


def _above_the_mean(scale: ValueScale) -> float:
    """The lowest rating above the mean; of very many different ones, a round number."""
    if len(scale.distinct) > MOST_RATING_STEPS:
        step = 10.0 ** floor(log10((scale.maximum - scale.minimum) / 10))
        rounded = round((floor(scale.mean / step) + 1) * step, 10)
        if rounded <= scale.maximum:
            return rounded
    # a mean that rounding has lifted to the highest rating has none above it
    return float(scale.distinct[scale.distinct > scale.mean].min(initial=scale.maximum))


def _option(value: float) -> str:
    return f"--positive-from {as_typed(value)}"
