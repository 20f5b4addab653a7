from __future__ import annotations

import numpy as np
import pytest

from foldin.evaluation.compare import Comparison
from foldin.evaluation.evaluate import Evaluation
from foldin.evaluation.pooling import pool_comparisons, pool_rating_errors
from foldin.evaluation.ratings import RatingErrors
from foldin.evaluation.significance import p_value, standard_error


def fold(one: list[float], other: list[float], coverage: float) -> Comparison:
    values = {"one": one, "other": other}
    return Comparison(
        {
            name: Evaluation({"ndcg@10": np.array(of)}, {"coverage@10": coverage if name == "one" else 0})
            for name, of in values.items()
        }
    )


def test_every_user_of_every_fold_counts_once() -> None:
    pooled = pool_comparisons([fold([1, 2, 3], [0, 2, 1], 0.2), fold([4], [3], 0.6)])
    assert pooled.of("one").mean("ndcg@10") == 2.5
    assert pooled.of("one").mean("coverage@10") == pytest.approx(0.4)
    assert pooled.of("other").values("ndcg@10").tolist() == [0, 2, 1, 3]
    gap = pooled.difference("one", "other", "ndcg@10")
    assert (gap.mean, gap.users) == (1, 4)


def test_where_folds_do_not_differ_the_error_is_that_of_the_users() -> None:
    values, folds = np.array([0.0, 1, 0, 1, 0, 1]), np.array([0, 0, 1, 1, 2, 2])
    assert standard_error(values, folds) == standard_error(values)
    gap = pool_comparisons([fold([0, 1], [0, 0], 0)] * 3).difference("one", "other", "ndcg@10")
    assert gap.degrees_of_freedom == 5


def test_where_models_of_folds_differ_the_error_is_that_of_the_folds() -> None:
    folds = [fold([mean] * 100, [0] * 100, 0) for mean in (1.0, 2.0, 3.0)]
    gap = pool_comparisons(folds).difference("one", "other", "ndcg@10")
    # three means, 1, 2 and 3, with a deviation of 1: 300 users are no more than three observations
    assert gap.standard_error == pytest.approx(1 / np.sqrt(3))
    assert gap.degrees_of_freedom == 2
    assert p_value(gap) == pytest.approx(0.0742, abs=1e-4)  # t = 2 sqrt(3) with 2 degrees of freedom


def test_errors_of_ratings_are_pooled_over_all_ratings() -> None:
    folds = [
        {"one": RatingErrors(np.array([1.0]), np.array([1.0]), np.array([3]))},
        {"one": RatingErrors(np.array([4.0]), np.array([2.0]), np.array([1]))},
    ]
    assert pool_rating_errors(folds)["one"].rmse == pytest.approx(np.sqrt(7 / 4))
