"""Several contenders on the same held-out users."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldin.data.splitting import Holdout
from foldin.errors import ConfigurationError
from foldin.evaluation.evaluate import DEFAULT_METRICS, Evaluation, evaluate
from foldin.evaluation.ratings import RatingErrors, rating_errors
from foldin.evaluation.scoring import Score
from foldin.evaluation.significance import PairedDifference, paired_difference

__all__ = ["Comparison", "compare", "compare_ratings"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Evaluations by contender; `best_possible` names the one that knows the truth, if any does."""

    evaluations: Mapping[str, Evaluation]
    best_possible: str | None = None

    def of(self, contender: str) -> Evaluation:
        """One contender's evaluation.

        Raises:
            ConfigurationError: there is no such contender.
        """
        if contender not in self.evaluations:
            raise ConfigurationError(f"no contender '{contender}'; there are: {', '.join(self.evaluations)}")
        return self.evaluations[contender]

    def difference(self, one: str, other: str, metric: str) -> PairedDifference:
        """Mean of one - other over users, paired."""
        evaluation = self.of(one)
        return paired_difference(evaluation.values(metric), self.of(other).values(metric), evaluation.folds)

    def share_of_best(self, contender: str, metric: str) -> float | None:
        """Mean of the metric over that of the best possible ranking; None where nobody knows it."""
        if self.best_possible is None:
            return None
        best = self.of(self.best_possible).mean(metric)
        return self.of(contender).mean(metric) / best if best else None


def compare(
    contenders: Mapping[str, Score],
    holdout: Holdout,
    *,
    popularity: NDArray[np.float64],
    metrics: Sequence[str] = DEFAULT_METRICS,
    best_possible: str | None = None,
    block: int = 512,
    on_contender: Callable[[str], None] | None = None,
) -> Comparison:
    """Evaluates every contender as `evaluate` does; `on_contender` is told the name of each before its turn.

    Raises:
        ConfigurationError: there is no contender, or none is called as `best_possible` says; and as `evaluate`.
        DataError: as `evaluate`.
    """
    _check(contenders, best_possible)

    def judge(name: str) -> Evaluation:
        if on_contender is not None:
            on_contender(name)
        return evaluate(contenders[name], holdout, popularity=popularity, metrics=metrics, block=block)

    return Comparison({name: judge(name) for name in contenders}, best_possible)


def compare_ratings(
    predictors: Mapping[str, Score], holdout: Holdout, highest: float, *, block: int = 512
) -> dict[str, RatingErrors]:
    """Errors of predicted ratings by contender, each as `rating_errors` has them."""
    return {name: rating_errors(predict, holdout, highest, block=block) for name, predict in predictors.items()}


def _check(contenders: Mapping[str, Score], best_possible: str | None) -> None:
    if not contenders:
        raise ConfigurationError("there is nothing to compare; name at least one contender")
    if best_possible is not None and best_possible not in contenders:
        raise ConfigurationError(f"no contender '{best_possible}'; there are: {', '.join(contenders)}")
