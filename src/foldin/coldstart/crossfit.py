"""Learning prior and handover on users who had no part in the model, not even in when its training stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldin.coldstart.blend import of_rows
from foldin.coldstart.handover import Handover, Truncated, learn_handover, ranking_quality, spread_unit
from foldin.coldstart.prior import Prior, weighed
from foldin.data.catalog import Attributes
from foldin.data.splitting import Holdout
from foldin.evaluation.truncation import LENGTHS, Liked, truncated
from foldin.models.protocols import Model

__all__ = ["Fold", "learn_blend"]

ENOUGH_ROWS = 500
"""Few users are cut in several ways, up to so many rows of each length; more users than that are thinned out."""

MOST_DRAWS = 5
MOST_CELLS = 20_000_000
"""Scores held at once."""


@dataclass(frozen=True, eq=False)
class Fold:
    """A model, and users who had no part in it."""

    model: Model
    users: Holdout


def learn_blend(folds: Sequence[Fold], prior: Prior, attributes: Attributes, liked: Liked) -> tuple[Prior, Handover]:
    """The prior with its terms weighed, and the handover, by what both do for the users of all folds together.

    What the terms of a prior weigh is learned where only it speaks, with no history. `attributes`: of all rows of the
    whole matrix.
    """
    folds = [Fold(fold.model, _thinned(fold.users.ranked())) for fold in folds]
    prior = weighed(prior, _without_history(folds, attributes, liked))
    unit = spread_unit(np.concatenate([fold.model.score(fold.users.fold_in) for fold in folds]))
    cut, whole = _cut(folds, prior, unit, attributes, liked), _whole(folds, prior, unit, attributes)
    return prior, learn_handover(unit, cut, whole)


def _thinned(users: Holdout) -> Holdout:
    most = max(1, min(ENOUGH_ROWS, MOST_CELLS // users.fold_in.shape[1]))
    return users if len(users) <= most else users.where(np.linspace(0, len(users) - 1, most).astype(np.intp))


def _without_history(
    folds: Sequence[Fold], attributes: Attributes, liked: Liked
) -> Callable[[Prior], NDArray[np.float64]]:
    cut = [truncated(fold.users, 0, liked=liked) for fold in folds]

    def quality(prior: Prior) -> NDArray[np.float64]:
        return np.concatenate([_quality(prior, users, attributes) for users in cut])

    return quality


def _quality(prior: Prior, users: Holdout, attributes: Attributes) -> NDArray[np.float64]:
    total = prior.terms(of_rows(attributes, users.rows), len(users)).total()
    scores = np.array(np.broadcast_to(total, users.fold_in.shape))
    return ranking_quality(scores, users.fold_in, users.targets)


def _cut(
    folds: Sequence[Fold], prior: Prior, unit: float, attributes: Attributes, liked: Liked
) -> Callable[[int], Iterator[Truncated]]:
    draws = max(1, min(MOST_DRAWS, ENOUGH_ROWS // max(1, sum(len(fold.users) for fold in folds))))

    def at(length: int) -> Iterator[Truncated]:
        for seed in range(draws):
            for fold in folds:
                users = truncated(fold.users, length, liked=liked, seed=seed)
                if len(users):
                    yield _truncated(fold.model, users, prior, unit, attributes)

    return at


def _whole(
    folds: Sequence[Fold], prior: Prior, unit: float, attributes: Attributes
) -> Callable[[int], Iterator[Truncated]]:
    nearest = [_nearest_lengths(fold.users) for fold in folds]

    def at(length: int) -> Iterator[Truncated]:
        for fold, lengths in zip(folds, nearest, strict=True):
            users = fold.users.where(lengths == length)
            if len(users):
                yield _truncated(fold.model, users, prior, unit, attributes)

    return at


def _nearest_lengths(users: Holdout) -> NDArray[np.int64]:
    """The one of `LENGTHS` that each history's length is nearest to in log(1 + n), (users,)."""
    lengths = np.array(LENGTHS, dtype=np.int64)
    distances = np.abs(np.log1p(np.diff(users.fold_in.indptr))[:, None] - np.log1p(lengths))
    return np.asarray(lengths[distances.argmin(axis=1)])


def _truncated(model: Model, users: Holdout, prior: Prior, unit: float, attributes: Attributes) -> Truncated:
    total = prior.terms(of_rows(attributes, users.rows), len(users)).total()
    return Truncated(users.rows, model.score(users.fold_in) * np.float32(unit), total, users.fold_in, users.targets)
