"""EASE and EDLAE: full-rank linear autoencoders, each fitted by one matrix inversion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from foldin.data.splitting import Holdout
from foldin.models.gram import gram_matrix
from foldin.models.linear import (
    LinearAutoEncoder,
    check_penalties,
    closed_form_need,
    restore_linear,
    zero_diagonal_weights,
)
from foldin.models.protocols import Arrays, Need
from foldin.models.resources import refuse_beyond_memory
from foldin.training.epoch import Checkpoint, Epoch
from foldin.wording import counted

__all__ = ["EASE", "EDLAE"]


@dataclass(frozen=True)
class EASE:
    """Embarrassingly shallow autoencoder: min_B ||X - X B||^2 + l2 ||B||^2 with diag(B) = 0.

    `l2`: weight of the squared norm, above 0; usual: 10 (thousands of users) to 1000 (hundreds of thousands).
    Source: Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data".
    """

    l2: float = 100.0

    def __post_init__(self) -> None:
        check_penalties(self.l2, 0)

    def fit(
        self,
        histories: csr_array,
        *,
        validation: Holdout | None = None,
        seed: int = 0,
        device: str | None = None,
        resume: Checkpoint | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
    ) -> LinearAutoEncoder:
        """One inversion; seed, device and the rest of the contract play no part."""
        return _fit(self, histories, l2=self.l2, dropout=0.0)

    def restore(self, arrays: Arrays) -> LinearAutoEncoder:
        """The model of a file's arrays."""
        return restore_linear(arrays)

    def estimate(self, users: int, items: int, interactions: int) -> Need:
        """Memory of items x items, cost of items^3, where `items` are those with events."""
        return closed_form_need(users, items, interactions)


@dataclass(frozen=True)
class EDLAE:
    """Denoising linear autoencoder with the emphasis on what was dropped: EASE with a penalty that grows with an
    item's count, which holds back what popular items explain.

    `l2`: weight of the squared norm, above 0. `dropout`: share of the history that is dropped, from 0 (then it is
    EASE) to below 1; usual: .25 to .33. Both act on the diagonal: penalty_j = dropout / (1 - dropout) G_jj + l2.
    Source: Steck 2020, "Autoencoders that don't overfit towards the Identity", full rank, a = 1, b = 0.
    """

    l2: float = 100.0
    dropout: float = 0.25

    def __post_init__(self) -> None:
        check_penalties(self.l2, self.dropout)

    def fit(
        self,
        histories: csr_array,
        *,
        validation: Holdout | None = None,
        seed: int = 0,
        device: str | None = None,
        resume: Checkpoint | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
    ) -> LinearAutoEncoder:
        """One inversion; seed, device and the rest of the contract play no part."""
        return _fit(self, histories, l2=self.l2, dropout=self.dropout)

    def restore(self, arrays: Arrays) -> LinearAutoEncoder:
        """The model of a file's arrays."""
        return restore_linear(arrays)

    def estimate(self, users: int, items: int, interactions: int) -> Need:
        """Memory of items x items, cost of items^3, where `items` are those with events."""
        return closed_form_need(users, items, interactions)


def _fit(estimator: EASE | EDLAE, histories: csr_array, *, l2: float, dropout: float) -> LinearAutoEncoder:
    """Solves for the items with events only; this is the exact solution for the whole catalogue.

    Where item j has no event, column j of X is 0, and so are row and column j of G = X'X. With the warm items first,
    G + diag(penalties) = [[A, 0], [0, D]] with D diagonal, so its inverse is P = [[A^-1, 0], [0, D^-1]]. B_ij =
    -P_ij / P_jj is then 0 in every row and column of an item without events, and within the block of the warm items
    it is what A alone gives, as penalty_j depends on G_jj only.
    """
    warm = np.bincount(histories.indices, minlength=histories.shape[1]) > 0
    known = histories if warm.all() else csr_array(histories[:, np.flatnonzero(warm)])
    need = estimator.estimate(known.shape[0], known.shape[1], known.nnz)
    refuse_beyond_memory(need, f"{type(estimator).__name__} on {counted(known.shape[1], 'item')} with events")
    gram = gram_matrix(known)
    with np.errstate(invalid="ignore"):  # what is infinite cannot be inverted, and is refused there
        penalties = np.float32(dropout / (1 - dropout)) * gram.diagonal() + np.float32(l2)
    return LinearAutoEncoder(zero_diagonal_weights(gram, penalties), None if warm.all() else warm)
