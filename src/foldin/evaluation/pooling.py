"""The folds of a cross-validation as one evaluation: users judged by models that never met them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from foldin.evaluation.compare import Comparison
from foldin.evaluation.evaluate import Evaluation
from foldin.evaluation.ratings import RatingErrors

__all__ = ["pool_comparisons", "pool_rating_errors"]


def pool_comparisons(folds: Sequence[Comparison]) -> Comparison:
    """One comparison of the same contenders on the users of all folds, who are different ones.

    Figures over all rankings, such as coverage, are means over folds.
    """
    names = folds[0].evaluations
    evaluations = {name: _pool([fold.of(name) for fold in folds]) for name in names}
    return Comparison(evaluations, folds[0].best_possible)


def pool_rating_errors(folds: Sequence[Mapping[str, RatingErrors]]) -> dict[str, RatingErrors]:
    """Errors of predicted ratings on the users of all folds, by contender."""
    return {
        name: RatingErrors(
            np.concatenate([fold[name].squared for fold in folds]),
            np.concatenate([fold[name].absolute for fold in folds]),
            np.concatenate([fold[name].ratings for fold in folds]),
        )
        for name in folds[0]
    }


def _pool(folds: Sequence[Evaluation]) -> Evaluation:
    first = folds[0]
    sizes = [len(next(iter(fold.per_user.values()), ())) for fold in folds]
    return Evaluation(
        {name: np.concatenate([fold.per_user[name] for fold in folds]) for name in first.per_user},
        {name: float(np.mean([fold.overall[name] for fold in folds])) for name in first.overall},
        np.repeat(np.arange(len(folds)), sizes),
    )
