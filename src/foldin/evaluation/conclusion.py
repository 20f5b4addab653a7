"""What a comparison says in one sentence: which contender is best, and which are not distinguishable from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from foldin.errors import ConfigurationError
from foldin.evaluation.compare import Comparison
from foldin.evaluation.significance import PairedDifference, holm, p_value
from foldin.evaluation.titles import title_of

__all__ = ["DISTINGUISHABLE", "Conclusion", "Gap", "conclude"]

DISTINGUISHABLE = 0.05
"""The p-value, corrected for all pairs of contenders, below which two of them are known to differ."""

MOST_NAMED = 4
"""Contenders that a sentence names; of more it says how many."""


@dataclass(frozen=True)
class Gap:
    """How far the best is ahead of another contender; `p_value` is corrected, and NaN for fewer than 2 users."""

    other: str
    difference: PairedDifference
    p_value: float

    @property
    def is_clear(self) -> bool:
        """Whether the two are known to differ."""
        return self.p_value < DISTINGUISHABLE


@dataclass(frozen=True)
class Conclusion:
    """The contender with the highest mean of a metric, and its lead over each other one."""

    metric: str
    best: str
    mean: float
    gaps: tuple[Gap, ...]

    @property
    def tied(self) -> list[str]:
        """Who is not distinguishable from the best."""
        return [gap.other for gap in self.gaps if not gap.is_clear]

    @property
    def below(self) -> list[str]:
        """Who is known to be below the best."""
        return [gap.other for gap in self.gaps if gap.is_clear]

    def sentence(self, baseline: str = "popularity") -> str:
        """All of it as a person would say it. `baseline`: the contender that a model must surpass to be of use."""
        title, figure = title_of(self.metric), f"{self.mean:.3f}"
        if not self.gaps:
            return f"{self.best} has {title} {figure}; it was compared with nothing."
        if self.gaps[0].difference.users < 2:
            return f"{self.best} has the highest {title}, {figure}, of one test user: too few to tell models apart."
        tied = f"{_listed(self.tied)} {'is' if len(self.tied) == 1 else 'are'} not distinguishable from it"
        if not self.below:
            if len(self.tied) > 1:
                even = f", not even {baseline}," if baseline in self.tied else ""
                tied = f"none of the others{even} is distinguishable from it"
            return f"{self.best} has the highest {title}, {figure}, but {tied}."
        above = f"{self.best} is best by {title}: {figure}, above {_listed(self.below)}"
        return f"{above}; {tied}." if self.tied else f"{above}."


def conclude(comparison: Comparison, metric: str) -> Conclusion:
    """Ranks the contenders by a metric, but for the best possible one, which knows the truth.

    Which of them is best is seen on the same users that judge its lead; p-values are therefore corrected for all pairs
    of contenders (Holm 1979), which holds whichever of them turns out best.

    Raises:
        ConfigurationError: the metric was not measured per user, or there is no contender.
    """
    names = [name for name in comparison.evaluations if name != comparison.best_possible]
    if not names:
        raise ConfigurationError("there is nothing to compare; name at least one contender")
    means = {name: comparison.of(name).mean(metric) for name in names}
    best = max(names, key=lambda name: means[name])
    pairs = list(combinations(names, 2))
    adjusted = holm([p_value(comparison.difference(one, other, metric)) for one, other in pairs])
    chances = {frozenset(pair): float(p) for pair, p in zip(pairs, adjusted, strict=True)}
    gaps = [
        Gap(other, comparison.difference(best, other, metric), chances[frozenset((best, other))])
        for other in sorted(names, key=lambda name: -means[name])
        if other != best
    ]
    return Conclusion(metric, best, means[best], tuple(gaps))


def _listed(names: Sequence[str]) -> str:
    if len(names) > MOST_NAMED:
        return f"{', '.join(names[: MOST_NAMED - 1])} and {len(names) - MOST_NAMED + 1:,} others"
    *first, last = names or [""]
    return f"{', '.join(first)} and {last}" if first else last
