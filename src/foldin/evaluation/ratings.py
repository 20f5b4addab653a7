"""Errors of predicted ratings, in the ratings' scale: per user, and pooled over all withheld ratings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.splitting import Holdout
from foldin.errors import ConfigurationError, DataError, TrainingError
from foldin.evaluation.scoring import Score, blocks, scores_of

__all__ = ["RatingErrors", "rating_errors", "withheld_ratings"]


@dataclass(frozen=True, eq=False)
class RatingErrors:
    """Each user's mean squared and mean absolute error and number of withheld ratings, (users,) each.

    `rmse` and `mae` are pooled, every rating counting alike, which is what the field prints; the square root of a
    user's mean squared error is that user's RMSE. Standard errors take users, not ratings, as independent.
    """

    squared: NDArray[np.float64]
    absolute: NDArray[np.float64]
    ratings: NDArray[np.int64]

    @property
    def rmse(self) -> float:
        """Root of the mean squared error over all ratings."""
        return float(np.sqrt(self._pooled(self.squared)))

    @property
    def mae(self) -> float:
        """Mean absolute error over all ratings."""
        return self._pooled(self.absolute)

    @property
    def rmse_standard_error(self) -> float:
        """Of `rmse`; NaN for fewer than 2 users."""
        # delta method: d sqrt(m) = dm / (2 sqrt(m))
        return self._pooled_error(self.squared) / (2 * self.rmse) if self.rmse else 0.0

    @property
    def mae_standard_error(self) -> float:
        """Of `mae`; NaN for fewer than 2 users."""
        return self._pooled_error(self.absolute)

    def _pooled(self, errors: NDArray[np.float64]) -> float:
        return float(np.average(errors, weights=self.ratings))

    def _pooled_error(self, errors: NDArray[np.float64]) -> float:
        # of a ratio estimator, sum of errors / sum of ratings, over users
        users = len(errors)
        if users < 2:
            return float("nan")
        residuals = self.ratings * (errors - self._pooled(errors))
        return float(np.sqrt(users / (users - 1) * (residuals**2).sum()) / self.ratings.sum())


def rating_errors(predict: Score, holdout: Holdout, highest: float, *, block: int = 512) -> RatingErrors:
    """Compares predicted with withheld ratings, liked or not. `predict` gives ratings in the ratings' own scale.

    `highest`: the highest rating, by which `holdout.ratings` are divided.

    Raises:
        ConfigurationError: the feedback is not explicit, or the predictions have the wrong shape.
        DataError: there are no held-out users.
        TrainingError: a prediction is not a finite number.
    """
    withheld = withheld_ratings(holdout)
    errors = [_errors(predict, holdout, withheld, highest, part) for part in blocks(len(holdout), block)]
    of_users, counts = np.concatenate(errors), np.diff(withheld.indptr).astype(np.int64)
    return RatingErrors(_means(of_users**2, counts), _means(np.abs(of_users), counts), counts)


def withheld_ratings(holdout: Holdout) -> csr_array:
    """The holdout's withheld ratings, divided by the highest.

    Raises:
        ConfigurationError: the feedback is not explicit.
        DataError: no rating is withheld.
    """
    if holdout.ratings is None:
        raise ConfigurationError("ratings are predicted from explicit feedback only; these histories hold no ratings")
    if not holdout.ratings.nnz:
        raise DataError("no ratings are withheld from the held-out users; hold out a larger share, or give more data")
    return holdout.ratings


def _errors(predict: Score, holdout: Holdout, withheld: csr_array, highest: float, block: slice) -> NDArray[np.float64]:
    ratings, predictions = withheld[block], scores_of(predict, holdout, block)
    rows = np.repeat(np.arange(ratings.shape[0]), np.diff(ratings.indptr))
    errors = predictions[rows, ratings.indices].astype(np.float64) - ratings.data * highest
    broken = np.flatnonzero(~np.isfinite(errors))
    if len(broken):
        row = holdout.rows[block][rows[broken[0]]]
        raise TrainingError(
            f"a rating predicted for row {row} is no finite number; the model is broken: train it again"
        )
    return errors


def _means(errors: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    sums = np.bincount(np.repeat(np.arange(len(counts)), counts), weights=errors, minlength=len(counts))
    return sums / np.maximum(counts, 1)
