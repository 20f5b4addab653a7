"""Choosing an estimator's fields on validation users."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from foldin.data.splitting import Split
from foldin.errors import ConfigurationError, TrainingError
from foldin.models.protocols import Estimator
from foldin.models.validation import heldout_qualities
from foldin.models.zoo import name_of, settings_of, with_field

__all__ = ["GRIDS", "Search", "Trial", "count_trials", "tuned"]

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

    Raises:
        ConfigurationError: `fixed` names what is no field of the estimator.
    """
    return Search(split, on_trial).best(estimator, fixed=fixed)


@dataclass(frozen=True, eq=False)
class Search:
    """Estimators tried on a split: each is fitted once, though it may be judged by several groups of users.

    `known`: NDCG@100 of each validation user, NaN for those with nothing to find, by estimator.
    """

    split: Split
    on_trial: Callable[[Trial], None] | None = None
    known: dict[Estimator, NDArray[np.float64]] = field(default_factory=dict)

    def best(
        self, estimator: Estimator, *, fixed: Collection[str] = (), users: NDArray[np.bool_] | None = None
    ) -> Estimator:
        """The estimator with the fields of its grid chosen by some of the validation users, or, if None, by all.

        One field after the other, so that a large catalogue costs a few inversions instead of one per combination; an
        estimator without a grid comes back as it is.

        Raises:
            ConfigurationError: `fixed` names what is no field of the estimator.
        """
        _check(fixed, estimator)
        kept = np.ones(len(self.split.validation), dtype=np.bool_) if users is None else users
        for name, values in GRIDS.get(name_of(estimator), ()):
            if name not in fixed:
                estimator = _best(estimator, name, values, lambda candidate: _mean(self._qualities(candidate)[kept]))
        return estimator

    def _qualities(self, candidate: Estimator) -> NDArray[np.float64]:
        if candidate not in self.known:
            self.known[candidate] = _qualities(candidate, self.split)
            if self.on_trial is not None:
                self.on_trial(Trial(candidate, _mean(self.known[candidate])))
        return self.known[candidate]


def count_trials(estimator: Estimator, fixed: Collection[str]) -> int:
    """About how many estimators a search fits: a field's values, without the one that is known of later fields."""
    values = [len(values) for name, values in GRIDS.get(name_of(estimator), ()) if name not in fixed]
    return sum(values) - max(len(values) - 1, 0)


def _check(fixed: Collection[str], estimator: Estimator) -> None:
    unknown = sorted(set(fixed) - set(settings_of(estimator)))
    if unknown:
        raise ConfigurationError(f"{name_of(estimator)} has no field '{unknown[0]}' to leave as it is")


def _qualities(candidate: Estimator, split: Split) -> NDArray[np.float64]:
    qualities = np.full(len(split.validation), np.nan)
    aimed = np.diff(split.validation.targets.indptr) > 0
    try:
        qualities[aimed] = heldout_qualities(candidate.fit(split.train), split.validation)
    except TrainingError:  # too little l2 for these values; another candidate has more
        qualities[aimed] = -np.inf
    return qualities


def _mean(qualities: NDArray[np.float64]) -> float:
    judged = qualities[~np.isnan(qualities)]
    return float(judged.mean()) if len(judged) else -np.inf


def _best(estimator: Estimator, name: str, values: Sequence[float], quality: Callable[[Estimator], float]) -> Estimator:
    # of equally good values the largest: it regularises most
    best = max(values, key=lambda value: (quality(with_field(estimator, name, value)), value))
    for _ in range(MOST_STEPS if name == "l2" and best == max(values) else 0):
        further = with_field(estimator, name, best * STEP)
        if quality(further) < quality(with_field(estimator, name, best)):
            break
        best *= STEP
    return with_field(estimator, name, best)
