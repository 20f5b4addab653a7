"""Choosing an estimator's fields on validation users."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from foldin.data.splitting import Split
from foldin.errors import ConfigurationError, TrainingError
from foldin.models.protocols import Estimator
from foldin.models.validation import heldout_quality
from foldin.models.zoo import name_of, settings_of, with_field

__all__ = ["GRIDS", "Trial", "tuned"]

L2 = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
DROPOUT = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9)
STEP, MOST_STEPS = 3.0, 12  # how the values of l2 go on where the largest is the best, as with large amounts

GRIDS: dict[str, tuple[tuple[str, Sequence[float]], ...]] = {
    "ease": (("l2", L2),),
    "edlae": (("l2", L2), ("dropout", DROPOUT), ("l2", L2)),
}
"""Which fields of which estimator are chosen, in which order, from which values."""


@dataclass(frozen=True)
class Trial:
    """One estimator tried; `quality` is its NDCG@100 on the validation users."""

    estimator: Estimator
    quality: float


def tuned(
    estimator: Estimator,
    split: Split,
    *,
    fixed: Collection[str] = (),
    on_trial: Callable[[Trial], None] | None = None,
) -> Estimator:
    """The estimator with the fields of its grid chosen by NDCG@100 on the validation users, but for those `fixed`.

    One field after the other, so that a large catalogue costs a few inversions instead of one per combination; an
    estimator without a grid comes back as it is.

    Raises:
        ConfigurationError: `fixed` names what is no field of the estimator.
    """
    _check(fixed, estimator)
    known: dict[Estimator, float] = {}

    def quality(candidate: Estimator) -> float:
        if candidate not in known:
            known[candidate] = _quality(candidate, split)
            if on_trial is not None:
                on_trial(Trial(candidate, known[candidate]))
        return known[candidate]

    for field, values in GRIDS.get(name_of(estimator), ()):
        if field not in fixed:
            estimator = _best(estimator, field, values, quality)
    return estimator


def _check(fixed: Collection[str], estimator: Estimator) -> None:
    unknown = sorted(set(fixed) - set(settings_of(estimator)))
    if unknown:
        raise ConfigurationError(f"{name_of(estimator)} has no field '{unknown[0]}' to leave as it is")


def _quality(candidate: Estimator, split: Split) -> float:
    try:
        return heldout_quality(candidate.fit(split.train), split.validation)
    except TrainingError:  # too little l2 for these values; another candidate has more
        return -math.inf


def _best(
    estimator: Estimator, field: str, values: Sequence[float], quality: Callable[[Estimator], float]
) -> Estimator:
    # of equally good values the largest: it regularises most
    best = max(values, key=lambda value: (quality(with_field(estimator, field, value)), value))
    for _ in range(MOST_STEPS if field == "l2" and best == max(values) else 0):
        further = with_field(estimator, field, best * STEP)
        if quality(further) < quality(with_field(estimator, field, best)):
            break
        best *= STEP
    return with_field(estimator, field, best)
