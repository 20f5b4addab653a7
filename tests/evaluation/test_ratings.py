from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from foldin.data.splitting import Holdout
from foldin.errors import ConfigurationError, DataError, TrainingError
from foldin.evaluation.ratings import RatingErrors, rating_errors

# on a scale to 4: user 0 withheld 4 and 2, user 1 withheld 1
WITHHELD = csr_array(np.array([[1.0, 0.5, 0], [0, 0, 0.25]], dtype=np.float32))
SHOWN = csr_array(np.array([[0, 0, 1.0], [1, 0, 0]], dtype=np.float32))
HOLDOUT = Holdout(np.array([4, 7]), SHOWN, WITHHELD, WITHHELD)
PREDICTED = np.array([[3, 4, 9], [9, 9, 4]], dtype=np.float32)  # errors -1 and 2; 3


def test_by_hand() -> None:
    errors = rating_errors(lambda block: PREDICTED[block], HOLDOUT, 4)
    assert errors.squared.tolist() == [5 / 2, 9]
    assert errors.absolute.tolist() == [3 / 2, 3]
    assert errors.ratings.tolist() == [2, 1]
    assert errors.rmse == pytest.approx((14 / 3) ** 0.5)
    assert errors.mae == pytest.approx(2)


def test_blocks_give_the_same_as_one_block() -> None:
    whole, single = (rating_errors(lambda block: PREDICTED[block], HOLDOUT, 4, block=block) for block in (2, 1))
    assert whole.squared.tolist() == single.squared.tolist()
    assert whole.absolute.tolist() == single.absolute.tolist()


def test_standard_errors_are_the_spread_over_drawn_worlds() -> None:
    rng = np.random.default_rng(0)
    drawn = [_drawn(rng) for _ in range(300)]
    said = np.array([[errors.rmse_standard_error, errors.mae_standard_error] for errors in drawn])
    spread = np.std([[errors.rmse, errors.mae] for errors in drawn], axis=0)
    assert said.mean(axis=0) == pytest.approx(spread, rel=0.1)


def _drawn(rng: np.random.Generator) -> RatingErrors:
    """100 users who differ in how hard they are and in how many ratings they withhold."""
    hardness, counts = rng.gamma(2, 1, 100), rng.integers(1, 20, 100)
    samples = [rng.normal(0, hard, count) for hard, count in zip(hardness, counts, strict=True)]
    squared = np.array([np.mean(sample**2) for sample in samples])
    return RatingErrors(squared, np.array([np.abs(sample).mean() for sample in samples]), counts)


def test_one_user_says_nothing_about_the_error() -> None:
    errors = rating_errors(lambda block: PREDICTED[:1][block], HOLDOUT.where(np.array([0])), 4)
    assert np.isnan(errors.mae_standard_error)
    assert np.isnan(errors.rmse_standard_error)


def test_perfect_predictions() -> None:
    errors = rating_errors(lambda block: WITHHELD.toarray()[block] * 4, HOLDOUT, 4)
    assert (errors.rmse, errors.mae, errors.rmse_standard_error) == (0, 0, 0)


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="explicit feedback only"):
        rating_errors(lambda block: PREDICTED[block], Holdout(HOLDOUT.rows, SHOWN, WITHHELD), 4)
    with pytest.raises(DataError, match="no ratings are withheld"):
        rating_errors(lambda block: PREDICTED[block], HOLDOUT.where(np.array([], dtype=np.intp)), 4)
    with pytest.raises(TrainingError, match="row 7 "):
        rating_errors(lambda block: PREDICTED[1:][block] * np.float32(np.nan), HOLDOUT.where(np.array([1])), 4)
