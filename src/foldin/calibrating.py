"""What scores mean, learned on the users of folds and judged on test users: probabilities, or ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldin.coldstart.blend import Blend
from foldin.coldstart.crossfit import Fold
from foldin.data.splitting import Split
from foldin.evaluation.calibration import (
    Judged,
    ProbabilityCalibration,
    RatingCalibration,
    calibration_error,
    fit_probabilities,
    fit_ratings,
)
from foldin.evaluation.length_calibration import LengthCalibration, by_length
from foldin.evaluation.person_calibration import PersonCalibration
from foldin.evaluation.scoring import model_scores
from foldin.evaluation.truncation import LENGTHS, truncated
from foldin.evidence import Evidence

__all__ = ["Calibration", "calibrated", "error_of", "untold_error_of"]

Calibration: TypeAlias = PersonCalibration | RatingCalibration


def calibrated(folds: Sequence[Fold], blend: Blend, split: Split, evidence: Evidence, seed: int) -> Calibration | None:
    """What the scores of a blend mean, by users who had no part in the models of the folds.

    Apart for people whose profile tells something, by such users, and for all others, by everybody as if none did. None
    where nobody was held out, or too few to tell.
    """
    if not folds:
        return None
    if evidence.rule.rating_range is not None:
        return _rating_calibration(folds[0], split, evidence.rule.rating_range)
    told, _ = _by_profile(folds, blend, evidence)
    with_profile = _length_calibration(told, blend, evidence, seed)
    without = _length_calibration(folds, blend, replace(evidence, profiles=None), seed)
    return PersonCalibration(with_profile, without) if with_profile or without else None


def error_of(calibration: Calibration | None, fold: Fold, blend: Blend, evidence: Evidence) -> float | None:
    """By how much the probabilities of users are off, over all history lengths together; None where there are none."""
    if not isinstance(calibration, PersonCalibration):
        return None
    told, untold = _by_profile([fold], blend, evidence)
    parts = [*_judged(calibration.told, told, blend, evidence), *_judged(calibration.untold, untold, blend, evidence)]
    return calibration_error(parts) if parts else None


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


def _judged(
    calibration: LengthCalibration | None, folds: Sequence[Fold], blend: Blend, evidence: Evidence
) -> list[tuple[ProbabilityCalibration, list[Judged]]]:
    if calibration is None:
        return []
    pairs = zip(calibration.lengths, calibration.at, strict=True)
    judged = [(one, _cut(folds, blend, length, evidence)) for length, one in pairs]
    return [(one, users) for one, users in judged if users]


def _cut(folds: Sequence[Fold], blend: Blend, length: int, evidence: Evidence) -> list[Judged]:
    """The users of folds with their histories cut to a length, and the scores of a blend with each fold's model."""
    cut = [(fold.model, truncated(fold.users, length, liked=evidence.rule.positive).ranked()) for fold in folds]
    return [(evidence.scores(replace(blend, model=model), users), users) for model, users in cut if len(users)]


def _by_profile(folds: Sequence[Fold], blend: Blend, evidence: Evidence) -> tuple[list[Fold], list[Fold]]:
    """The folds of those whose profile tells something, and of the others."""
    told = [evidence.told(blend.prior, fold.users) for fold in folds]
    pairs = list(zip(folds, told, strict=True))
    return [_where(fold, of) for fold, of in pairs], [_where(fold, ~of) for fold, of in pairs]


def _where(fold: Fold, keep: NDArray[np.bool_]) -> Fold:
    return Fold(fold.model, fold.users.where(keep))
