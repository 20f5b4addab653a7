"""The scale of a log's values: what they look like, and which there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Meaning", "ValueScale", "as_typed", "scale_of"]

Meaning: TypeAlias = Literal["ratings", "amounts", "constant"]

MOST_RATING_STEPS = 21
HIGHEST_RATING = 100.0

ON_BOTH_SIDES = 0.5
"""The shorter side of a scale around 0 over the longer, at least: -10 to 10, where returns may be -1 in 1 to 12."""

MANY_BELOW = 0.05
"""Share of the values below 0 on such a scale, at least, where it has more steps than thumbs down, none and up."""

FEWEST_THUMBS = 3

MIDDLE = 0.25
"""Amounts crowd at their low end: the median of many different ratings lies above this part of their range."""


@dataclass(frozen=True, eq=False)
class ValueScale:
    """The values that are known: `distinct`, ascending, how often each comes, and how many events have none."""

    looks_like: Meaning
    distinct: NDArray[np.float64]
    counts: NDArray[np.int64]
    missing: int

    @property
    def minimum(self) -> float:
        """The lowest."""
        return float(self.distinct[0])

    @property
    def maximum(self) -> float:
        """The highest."""
        return float(self.distinct[-1])

    @property
    def mean(self) -> float:
        """Of the values that are known."""
        return float(np.average(self.distinct, weights=self.counts))

    @property
    def negative(self) -> int:
        """How many are below 0."""
        return self.below(0.0)

    def below(self, value: float) -> int:
        """How many are below a value."""
        return int(self.counts[self.distinct < value].sum())

    def reaching(self, value: float) -> int:
        """How many are that value or higher."""
        return int(self.counts[self.distinct >= value].sum())


def scale_of(values: NDArray[np.float32] | None) -> ValueScale | None:
    """The scale of a log's values; None where none is known."""
    if values is None:
        return None
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    found, counts = np.unique(known, return_counts=True)
    distinct = found.astype(np.float64)
    return ValueScale(_meaning(distinct, counts), distinct, counts, len(values) - len(known))


def as_typed(value: float) -> str:
    """A value of a log as it was written: the shortest text that is the same number in 32 bits."""
    return np.format_float_positional(np.float32(value), trim="-")


def _meaning(distinct: NDArray[np.float64], counts: NDArray[np.int64]) -> Meaning:
    if len(distinct) == 1:
        return "constant"
    if max(-distinct[0], distinct[-1]) > HIGHEST_RATING:
        return "amounts"
    if distinct[0] < 0:
        return "ratings" if _around_zero(distinct, counts) else "amounts"
    if len(distinct) <= MOST_RATING_STEPS:
        return "ratings" if _in_steps(distinct, counts) else "amounts"
    median = distinct[np.searchsorted(np.cumsum(counts), counts.sum() / 2)]
    return "ratings" if median - distinct[0] > MIDDLE * (distinct[-1] - distinct[0]) else "amounts"


def _around_zero(distinct: NDArray[np.float64], counts: NDArray[np.int64]) -> bool:
    low, high = -distinct[0], distinct[-1]
    if min(low, high) < ON_BOTH_SIDES * max(low, high):
        return False
    if len(distinct) <= FEWEST_THUMBS:
        return True
    # one piece bought is what most quantities are
    mostly_one = 2 * counts[distinct == 1].sum() > counts[distinct > 0].sum()
    return bool(counts[distinct < 0].sum() >= MANY_BELOW * counts.sum()) and not bool(mostly_one)


def _in_steps(distinct: NDArray[np.float64], counts: NDArray[np.int64]) -> bool:
    halves = bool(np.all(distinct * 2 == np.round(distinct * 2)))
    mostly_one = distinct[0] == 1 and 2 * counts[0] > counts.sum()
    return halves and not bool(mostly_one)
