"""What training tells as it goes: one epoch, and the checkpoint from which it can go on. Free of torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Checkpoint", "Epoch"]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything training needs to go on to the same bits: weights, best weights, optimiser and random state.

    `run`: SHA-256 of what was asked for (hyperparameters, data, seed); a checkpoint of another run is refused.
    """

    run: str
    arrays: Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, eq=False)
class Epoch:
    """One pass over the training users; `number` counts from 1.

    `train_error` and `validation_error` are what the loss is, averaged over weighted cells; `quality` is what chooses
    the best epoch, more is better; both None without a validation set. `best`: whether no epoch before was better.
    `replayed`: whether the epoch was read from a checkpoint instead of trained now. `checkpoint` takes one of the
    training as it stands when called, so it is to be called before the next epoch.
    """

    number: int
    train_error: float
    validation_error: float | None
    quality: float | None
    best: bool
    replayed: bool = False
    checkpoint: Callable[[], Checkpoint] | None = field(default=None, repr=False)

    @property
    def diverged(self) -> bool:
        """Whether the error is no longer a number; training stops here and keeps the last good weights."""
        return not math.isfinite(self.train_error)
