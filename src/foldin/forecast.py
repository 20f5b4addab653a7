"""How long it will take to choose and fit an estimator, said before it begins."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.splitting import Split
from foldin.models.protocols import Estimator
from foldin.models.speed import seconds_for
from foldin.models.zoo import name_of, settings_of
from foldin.tuning import count_trials

__all__ = ["HELD_OUT_SHARE", "Forecast", "forecast", "forecast_split"]

HELD_OUT_SHARE = 0.2
"""Share of the users that training holds out."""

FLOPS_PER_CELL = 200_000
"""What judging, handover and calibration do for one item of one held-out user, in operations of a solve."""

MINIMUMS = (2, 3, 5, 10, 20)
LONG_SECONDS = 60.0


@dataclass(frozen=True)
class Forecast:
    """About what a training takes: so many fits of `fit_flops` operations each, and `other_flops` for the rest.

    `fewer`: a minimum of users per item with which the fits are quick, and how many items it leaves; None where they
    are quick as it is.
    """

    model: str
    fits: int
    fit_flops: int
    other_flops: int
    fewer: tuple[int, int] | None = None

    @property
    def seconds(self) -> float:
        """In all, on this machine."""
        return seconds_for(self.fits * self.fit_flops + self.other_flops)

    @property
    def seconds_per_fit(self) -> float:
        """Of one fit, on this machine."""
        return seconds_for(self.fits * self.fit_flops) / self.fits


def forecast_split(estimator: Estimator, split: Split, fixed: Collection[str] | None) -> Forecast:
    """What it takes to choose the estimator's fields on a split, those `fixed` left as they are (None fixes all)."""
    held_out = [part for users in (split.validation, split.test) for part in (users.fold_in, users.targets)]
    users_per_item = sum((_users_per_item(part) for part in held_out), start=_users_per_item(split.train))
    users = split.train.shape[0]
    return forecast(estimator, users, users_per_item, split.train.nnz, len(split.validation) + len(split.test), fixed)


def forecast(
    estimator: Estimator,
    users: int,
    users_per_item: NDArray[np.integer],
    interactions: int,
    held_out: int,
    fixed: Collection[str] | None,
) -> Forecast:
    """The same of training users and a number of users held out; `users_per_item`: (items,)."""

    def fit_flops(items: int) -> int:
        return estimator.estimate(users, items, interactions).flops

    fits = _count_fits(estimator, fixed)
    items = int(np.count_nonzero(users_per_item))
    found = Forecast(name_of(estimator), fits, fit_flops(items), FLOPS_PER_CELL * held_out * len(users_per_item))
    if seconds_for(fits * found.fit_flops) <= LONG_SECONDS:
        return found
    for minimum in MINIMUMS:
        left = int(np.count_nonzero(users_per_item >= minimum))
        if left and seconds_for(fits * fit_flops(left)) <= LONG_SECONDS:
            return Forecast(found.model, fits, found.fit_flops, found.other_flops, (minimum, left))
    return found


def _count_fits(estimator: Estimator, fixed: Collection[str] | None) -> int:
    """Trials, then a fit by each half of the validation users where they end differently, and one on everyone."""
    trials = 0 if fixed is None else count_trials(estimator, fixed)
    return trials + (3 if "epochs" in settings_of(estimator) else 2)


def _users_per_item(histories: csr_array) -> NDArray[np.integer]:
    return np.bincount(histories.indices, minlength=histories.shape[1])
