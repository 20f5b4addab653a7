"""The contract: an estimator is hyperparameters that can be fitted, a model is what was learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.splitting import Holdout
from foldin.models.item_weights import ItemWeights
from foldin.training.epoch import Checkpoint, Epoch

__all__ = ["Arrays", "Estimator", "FactorModel", "LinearModel", "Model", "Need"]

Arrays: TypeAlias = Mapping[str, NDArray[np.generic]]
"""What was learned, by name: all that a model file holds."""


@dataclass(frozen=True)
class Need:
    """What a fit will take: peak memory above the data in bytes, and floating-point operations."""

    bytes: int
    flops: int


class Model(Protocol):
    """Learned and immutable: NumPy and SciPy only; knows no ids, no files and no torch."""

    def score(self, histories: csr_array) -> NDArray[np.float32]:
        """One score per history and item, (users, items); higher is better. Any history can be folded in."""
        ...

    def arrays(self) -> Arrays:
        """What was learned; `Estimator.restore` makes the same model of it."""
        ...


@runtime_checkable
class LinearModel(Model, Protocol):
    """A model whose scores are histories @ item_weights."""

    @property
    def item_weights(self) -> ItemWeights:
        """(items, items): row i is what having item i in the history adds to every item's score."""
        ...


@runtime_checkable
class FactorModel(Model, Protocol):
    """A model whose ranking is that of encode(histories) @ item_factors.T + item_bias."""

    def encode(self, histories: csr_array) -> NDArray[np.float32]:
        """User vectors, (users, d)."""
        ...

    @property
    def item_factors(self) -> NDArray[np.float32]:
        """Item vectors, (items, d)."""
        ...

    @property
    def item_bias(self) -> NDArray[np.float32]:
        """(items,)."""
        ...


class Estimator(Protocol):
    """Hyperparameters, each a field of a frozen dataclass; immutable, so that it can be fitted any number of times."""

    def fit(
        self,
        histories: csr_array,
        *,
        validation: Holdout | None = None,
        seed: int = 0,
        device: str | None = None,
        resume: Checkpoint | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
    ) -> Model:
        """Learns from histories, (users, items). Networks stop early on `validation`; others have no use for it.

        Raises:
            ResourceError: the machine cannot hold what the fit needs.
            CheckpointError: `resume` is of another run.
        """
        ...

    def restore(self, arrays: Arrays) -> Model:
        """The model that a model's `arrays` came from.

        Raises:
            BundleError: an array is missing, or has a shape or type that does not fit.
        """
        ...

    def estimate(self, users: int, items: int, interactions: int) -> Need:
        """What a fit of that size will take; `items`: those with events."""
        ...
