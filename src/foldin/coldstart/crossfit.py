"""Learning prior and handover on users who had no part in the model, not even in when its training stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foldin.coldstart.blend import Blend, of_rows
from foldin.coldstart.cold_items import history_weight_of
from foldin.coldstart.handover import (
    WEIGHTS,
    Handover,
    Truncated,
    handover_of,
    learn_weights,
    ranking_quality,
    spread_unit,
)
from foldin.coldstart.prior import Prior, PriorTerms, weighed, weighed_resemblance
from foldin.data.catalog import Attributes
from foldin.data.cells import value_of
from foldin.data.splitting import Holdout
from foldin.evaluation.truncation import LENGTHS, Liked, truncated
from foldin.models.protocols import Model

__all__ = ["Fold", "Learned", "learn_blend"]

ENOUGH_ROWS = 500
"""Few users are cut in several ways, up to so many rows of each length; more users than that are thinned out."""

FEW_ITEMS = (1, 3)
"""History lengths at which resemblance to the history is weighed: later the model knows better."""

COARSE_WEIGHTS = WEIGHTS[::3]

MOST_DRAWS = 5
MOST_CELLS = 20_000_000
"""Scores held at once."""


@dataclass(frozen=True, eq=False)
class Fold:
    """A model, and users who had no part in it."""

    model: Model
    users: Holdout


@dataclass(frozen=True, eq=False)
class Learned:
    """What held-out users teach of how model and prior go together; it fits any model and prior of the same kind.

    `history_weight`: what an item of the history counts for the cold items that resemble it, in the unit of the scores.
    """

    handover: Handover
    profile_weight: float = 1.0
    content_weight: float = 1.0
    resemblance_weight: float = 0.0
    history_weight: float = 0.0

    def blend(self, model: Model, prior: Prior) -> Blend:
        """A model and a prior put together so, without cold items."""
        weighed = prior.with_weights(
            profile=self.profile_weight, content=self.content_weight, resemblance=self.resemblance_weight
        )
        return Blend(model, weighed, self.handover)


def learn_blend(folds: Sequence[Fold], prior: Prior, attributes: Attributes, liked: Liked) -> Learned:
    """How a prior is weighed and handed over, by what both do for the users of all folds together.

    What the terms of a prior weigh is learned where only it speaks, with no history. How it hands over is learned apart
    of those whose profile tells it something, and of everybody as if none did. `attributes`: of all rows of the whole
    matrix. Items that nobody had in training play no part.
    """
    ranked = [Fold(fold.model, fold.users.ranked()) for fold in folds]
    known = [Fold(fold.model, _thinned(_with_profile(fold.users, attributes))) for fold in ranked]
    folds = [Fold(fold.model, _thinned(fold.users)) for fold in ranked]
    prior = _weighed(prior, known, attributes, liked)
    unit = spread_unit(np.concatenate([fold.model.score(fold.users.fold_in)[:, prior.warm] for fold in folds]))
    prior = weighed_resemblance(prior, _with_few_items(folds, unit, attributes, liked))
    untold = _weights(folds, _Sides(prior, unit, {}), liked)
    leads = [prior.leads(of_rows(attributes, fold.users.rows), len(fold.users)) for fold in known]
    told = [Fold(fold.model, fold.users.where(of > 0)) for fold, of in zip(known, leads, strict=True)]
    handover = handover_of(
        unit, _weights(told, _Sides(prior, unit, attributes), liked, untold), untold, _usual_lead(leads)
    )
    learned = Learned(handover, prior.profile_weight, prior.content_weight, prior.resemblance_weight)
    return replace(learned, history_weight=_history_weight(folds, learned, prior, attributes))


def _weighed(prior: Prior, folds: Sequence[Fold], attributes: Attributes, liked: Liked) -> Prior:
    if not any(len(fold.users) for fold in folds):
        return prior.with_weights(profile=0, content=0)
    return weighed(prior, _without_history(folds, prior, attributes, liked))


def _weights(
    folds: Sequence[Fold], sides: _Sides, liked: Liked, usual: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    return learn_weights(_cut(folds, sides, liked, draws=_draws(folds)), _whole(folds, sides), usual)


def _with_profile(users: Holdout, attributes: Attributes) -> Holdout:
    """Those of whom any attribute is known."""
    known = [[value_of(cell) is not None for cell in cells] for cells in of_rows(attributes, users.rows).values()]
    return users.where(np.any(known, axis=0) if known else np.zeros(len(users), dtype=np.bool_))


def _usual_lead(leads: Sequence[NDArray[np.float32]]) -> float:
    """The median of those whose profile tells anything; 0 where nobody's does."""
    together = np.concatenate([np.empty(0, dtype=np.float32), *leads])
    return float(np.median(together[together > 0])) if together.any() else 0.0


def _history_weight(folds: Sequence[Fold], learned: Learned, prior: Prior, attributes: Attributes) -> float:
    weights = [
        history_weight_of(
            learned.blend(fold.model, prior).score(fold.users.fold_in, of_rows(attributes, fold.users.rows)),
            fold.users.fold_in,
            prior.warm,
        )
        for fold in folds
    ]
    return float(np.mean(weights)) if weights else 0.0


def _thinned(users: Holdout) -> Holdout:
    most = max(1, min(ENOUGH_ROWS, MOST_CELLS // users.fold_in.shape[1]))
    return users if len(users) <= most else users.where(np.linspace(0, len(users) - 1, most).astype(np.intp))


def _without_history(
    folds: Sequence[Fold], prior: Prior, attributes: Attributes, liked: Liked
) -> Callable[[Prior], NDArray[np.float64]]:
    cut = [truncated(fold.users, 0, liked=liked) for fold in folds]
    # terms are linear in their weights: they are looked up once
    plain = prior.with_weights(profile=1, content=1)
    terms = [plain.terms(of_rows(attributes, users.rows), users.fold_in) for users in cut]

    def quality(weighing: Prior) -> NDArray[np.float64]:
        return np.concatenate(
            [_quality(one.weighed(weighing), users, prior.warm) for one, users in zip(terms, cut, strict=True)]
        )

    return quality


def _quality(terms: PriorTerms, users: Holdout, warm: NDArray[np.bool_]) -> NDArray[np.float64]:
    scores = np.array(np.broadcast_to(terms.total(), users.fold_in.shape))
    return ranking_quality(scores[:, warm], users.fold_in[:, warm], users.targets[:, warm])


def _with_few_items(
    folds: Sequence[Fold], unit: float, attributes: Attributes, liked: Liked
) -> Callable[[Prior], NDArray[np.float64]]:
    def quality(prior: Prior) -> NDArray[np.float64]:
        cut = _cut(folds, _Sides(prior, unit, attributes), liked, draws=1)
        return np.concatenate([_at_best(list(cut(length))) for length in FEW_ITEMS])

    return quality


def _at_best(parts: Sequence[Truncated]) -> NDArray[np.float64]:
    """The quality of each row with the weight of the prior that is best for all of them."""
    nobody = np.empty((len(COARSE_WEIGHTS), 0))
    judged = np.concatenate([nobody, *(part.qualities(COARSE_WEIGHTS) for part in parts)], axis=1)
    return max(judged, key=lambda qualities: float(qualities.sum()))


@dataclass(frozen=True, eq=False)
class _Sides:
    """What the two sides of a handover make of held-out users, among the items that anybody had."""

    prior: Prior
    unit: float
    attributes: Attributes

    def of(self, model: Model, users: Holdout) -> Truncated:
        warm = self.prior.warm
        total = self.prior.terms(of_rows(self.attributes, users.rows), users.fold_in).total()
        scores = model.score(users.fold_in)[:, warm] * np.float32(self.unit)
        return Truncated(users.rows, scores, total[:, warm], users.fold_in[:, warm], users.targets[:, warm])


def _draws(folds: Sequence[Fold]) -> int:
    return max(1, min(MOST_DRAWS, ENOUGH_ROWS // max(1, sum(len(fold.users) for fold in folds))))


def _cut(folds: Sequence[Fold], sides: _Sides, liked: Liked, *, draws: int) -> Callable[[int], Iterator[Truncated]]:
    def at(length: int) -> Iterator[Truncated]:
        for fold in folds:
            [long_enough] = np.nonzero(np.diff(fold.users.fold_in.indptr) >= length)
            # draws are scored together as far as they fit, since with few users each call costs more than its rows
            for seeds in _batches(draws, len(long_enough) * fold.users.fold_in.shape[1]):
                drawn = fold.users.where(np.tile(long_enough, len(seeds)))
                cut = truncated(drawn, length, liked=liked, seed=np.repeat(seeds, len(long_enough)))
                yield sides.of(fold.model, cut)

    return at


def _batches(draws: int, cells: int) -> list[NDArray[np.int64]]:
    """The draws from 0, in parts that have `MOST_CELLS` together where a draw has so many; none where it has none."""
    together = max(1, MOST_CELLS // cells) if cells else 0
    return [np.arange(first, min(first + together, draws)) for first in range(0, draws, together)] if together else []


def _whole(folds: Sequence[Fold], sides: _Sides) -> Callable[[int], Iterator[Truncated]]:
    nearest = [_nearest_lengths(fold.users) for fold in folds]

    def at(length: int) -> Iterator[Truncated]:
        for fold, lengths in zip(folds, nearest, strict=True):
            users = fold.users.where(lengths == length)
            if len(users):
                yield sides.of(fold.model, users)

    return at


def _nearest_lengths(users: Holdout) -> NDArray[np.int64]:
    """The one of `LENGTHS` that each history's length is nearest to in log(1 + n), (users,)."""
    lengths = np.array(LENGTHS, dtype=np.int64)
    distances = np.abs(np.log1p(np.diff(users.fold_in.indptr))[:, None] - np.log1p(lengths))
    return np.asarray(lengths[distances.argmin(axis=1)])
