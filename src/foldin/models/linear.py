"""The linear autoencoder: scores are histories @ weights, the weights known in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.errors import BundleError, ConfigurationError
from foldin.models.arrays import matrix_named
from foldin.models.cholesky import invert_in_place
from foldin.models.item_weights import ItemWeights
from foldin.models.protocols import Arrays, Need

__all__ = ["LinearAutoEncoder", "check_penalties", "closed_form_need", "restore_linear", "zero_diagonal_weights"]


@dataclass(frozen=True, eq=False)
class LinearAutoEncoder:
    """A model of one matrix over the items with events in training; all other items neither have scores nor give any.

    Shape: `weights` (warm items, warm items), zero on the diagonal: no item recommends itself. `warm` (items,): the
    items with events, in the catalogue's order; None where all have some.
    """

    weights: NDArray[np.float32]
    warm: NDArray[np.bool_] | None = None

    def score(self, histories: csr_array) -> NDArray[np.float32]:
        """X B, (users, items)."""
        return self.item_weights.scores(histories)

    @cached_property
    def item_weights(self) -> ItemWeights:
        """What an item of the history, the row, adds to the score of another, the column; (items, items)."""
        return ItemWeights(self.weights, self.warm)

    def arrays(self) -> Arrays:
        """The weights, and the items they are of."""
        return {"weights": self.weights} if self.warm is None else {"weights": self.weights, "warm": self.warm}


def zero_diagonal_weights(gram: NDArray[np.float32], penalties: NDArray[np.float32]) -> NDArray[np.float32]:
    """argmin_B ||X - X B||^2 + sum_j penalty_j ||B_j.||^2 with diag(B) = 0; overwrites `gram` with B.

    P = (G + diag(penalties))^-1, B_ij = -P_ij / P_jj. Source: Steck 2019, "Embarrassingly Shallow Autoencoders for
    Sparse Data", eq. 8.
    """
    gram.flat[:: len(gram) + 1] += penalties
    inverse = invert_in_place(gram)
    inverse /= -inverse.diagonal().copy()
    np.fill_diagonal(inverse, 0)
    return inverse


def closed_form_need(users: int, items: int, interactions: int) -> Need:
    """One matrix of items x items, a block of the Gram matrix, and the histories by item."""
    return Need(bytes=int(4.4 * items * items) + 8 * interactions, flops=items**3 + interactions**2 // max(users, 1))


def check_penalties(l2: float, dropout: float) -> None:
    """Refuses hyperparameters with which the weights are not defined.

    Raises:
        ConfigurationError: l2 is not above 0, or dropout not in [0, 1).
    """
    if not 0 < l2 < np.inf:
        raise ConfigurationError(f"l2 is {l2}; a closed form needs it above 0 (usual: 10 to 1000)")
    if not 0 <= dropout < 1:
        raise ConfigurationError(f"dropout is {dropout}; it is a share of the history, from 0 to below 1")


def restore_linear(arrays: Arrays) -> LinearAutoEncoder:
    """The model of a file's arrays.

    Raises:
        BundleError: an array is missing or has another shape or type.
    """
    weights, warm = matrix_named("weights", arrays, dimensions=2), arrays.get("warm")
    if warm is None:
        return LinearAutoEncoder(weights)
    if warm.dtype != np.bool_ or warm.ndim != 1 or weights.shape != (warm.sum(), warm.sum()):
        raise BundleError(f"the model's array 'warm' does not name the items of weights of shape {weights.shape}")
    return LinearAutoEncoder(weights, warm.astype(np.bool_, copy=False))
