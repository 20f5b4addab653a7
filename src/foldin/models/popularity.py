"""Popularity: what most users chose, the same for everyone. The baseline every model must beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.splitting import Holdout
from foldin.models.arrays import matrix_named
from foldin.models.protocols import Arrays, Need
from foldin.training.epoch import Checkpoint, Epoch

__all__ = ["Popularity", "PopularityModel"]


@dataclass(frozen=True, eq=False)
class PopularityModel:
    """One score per item, whatever the history. Shape: `shares` (items,), the mean of the items' columns."""

    shares: NDArray[np.float32]

    def score(self, histories: csr_array) -> NDArray[np.float32]:
        """The shares, once per history."""
        return np.tile(self.shares, (histories.shape[0], 1))

    def arrays(self) -> Arrays:
        """The shares."""
        return {"shares": self.shares}


@dataclass(frozen=True)
class Popularity:
    """Scores an item by the sum of its column divided by the number of users; no hyperparameters."""

    def fit(
        self,
        histories: csr_array,
        *,
        validation: Holdout | None = None,
        seed: int = 0,
        device: str | None = None,
        resume: Checkpoint | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
    ) -> PopularityModel:
        """One pass over the matrix."""
        totals = np.asarray(histories.sum(axis=0), dtype=np.float64)
        return PopularityModel((totals / max(histories.shape[0], 1)).astype(np.float32))

    def restore(self, arrays: Arrays) -> PopularityModel:
        """The model of a file's arrays."""
        return PopularityModel(matrix_named("shares", arrays, dimensions=1))

    def estimate(self, users: int, items: int, interactions: int) -> Need:
        """A few numbers per item."""
        return Need(bytes=16 * items, flops=interactions)
