"""What scores mean, learned on the users of folds and judged on test users: probabilities, or ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldin.coldstart.blend import Blend
from foldin.coldstart.crossfit import Fold
from foldin.data.splitting import Holdout, Split
from foldin.evaluation.calibration import (
    Judged,
    RatingCalibration,
    calibration_error,
    fit_probabilities,
    fit_ratings,
)
from foldin.evaluation.length_calibration import LengthCalibration, by_length
from foldin.evaluation.person_calibration import PersonCalibration
from foldin.evaluation.scoring import Score, model_scores
from foldin.evaluation.truncation import LENGTHS, truncated
from foldin.evidence import Evidence

__all__ = ["Calibration", "calibrated", "error_of", "untold_error_of"]

Calibration: TypeAlias = PersonCalibration | RatingCalibration


def calibrated(folds: Sequence[Fold], blend: Blend, split: Split, evidence: Evidence, seed: int) -> Calibration | None:
    """What the scores of a blend mean, by users who had no part in the models of the folds.

    Apart for people whose profile tells something, by such users, and for those whose profile tells nothing, by
    everybody as if none did. None where nobody was held out, or too few to tell.
    """
    if not folds:
        return None
    if evidence.rule.rating_range is not None:
        return _rating_calibration(folds[0], split, evidence.rule.rating_range)
    told = [Fold(fold.model, fold.users.where(evidence.telling(blend, fold.users) > 0)) for fold in folds]
    with_profile = _length_calibration(told, blend, evidence, seed)
    without = _length_calibration(folds, blend, replace(evidence, profiles=None), seed)
    return PersonCalibration(with_profile, without) if with_profile or without else None


def error_of(calibration: Calibration | None, fold: Fold, blend: Blend, evidence: Evidence) -> float | None:
    """By how much the probabilities of users are off, over all history lengths together; None where there are none."""
    if not isinstance(calibration, PersonCalibration):
        return None
    known = _with_probabilities(calibration, fold, blend, evidence)
    judged = [
        (_probabilities(calibration, score, users, evidence.telling(blend, users)), users)
        for length in LENGTHS
        for score, users in _cut([known], blend, length, evidence)
    ]
    return calibration_error(judged) if judged else None


def untold_error_of(calibration: Calibration | None, fold: Fold, blend: Blend, evidence: Evidence) -> float | None:
    """The same of all these users as if no profile told anything; None where none does."""
    if not isinstance(calibration, PersonCalibration) or calibration.told is None:
        return None
    return error_of(calibration, fold, blend, replace(evidence, profiles=None))


def _rating_calibration(fold: Fold, split: Split, rating_range: tuple[float, float]) -> RatingCalibration | None:
    if fold.users.ratings is None or not fold.users.ratings.nnz:
        return None
    return fit_ratings(model_scores(fold.model, fold.users), fold.users, split.train, rating_range)


def _length_calibration(folds: Sequence[Fold], blend: Blend, evidence: Evidence, seed: int) -> LengthCalibration | None:
    return by_length(
        [(length, fit_probabilities(_cut(folds, blend, length, evidence), seed=seed)) for length in LENGTHS]
    )


def _with_probabilities(calibration: PersonCalibration, fold: Fold, blend: Blend, evidence: Evidence) -> Fold:
    """The fold of those whose probabilities are known."""
    telling = evidence.telling(blend, fold.users)
    scores, known = np.zeros(len(telling), dtype=np.float32), np.zeros(len(telling), dtype=np.int64)
    return Fold(fold.model, fold.users.where(np.isfinite(calibration.predict(scores, known, telling))))


def _probabilities(calibration: PersonCalibration, score: Score, users: Holdout, telling: NDArray[np.float32]) -> Score:
    """The probabilities that scores mean to users whose profiles tell so much, (users,); -inf for what is left out."""

    def probabilities(block: slice) -> NDArray[np.float32]:
        scores = score(block)
        rows, items = np.nonzero(np.isfinite(scores))
        known = np.diff(users.fold_in.indptr)[block]
        found = np.full_like(scores, -np.inf)
        found[rows, items] = calibration.predict(scores[rows, items], known[rows], telling[block][rows])
        return found

    return probabilities


def _cut(folds: Sequence[Fold], blend: Blend, length: int, evidence: Evidence) -> list[Judged]:
    """The users of folds with their histories cut to a length, and the scores of a blend with each fold's model."""
    cut = [(fold.model, truncated(fold.users, length, liked=evidence.rule.positive).ranked()) for fold in folds]
    return [(evidence.scores(replace(blend, model=model), users), users) for model, users in cut if len(users)]
