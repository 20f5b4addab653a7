"""EASE in plain NumPy, with metrics of its own and nothing of foldin: what foldin's EASE is checked against.

Histories are dense, (users, items), 1 where the user liked the item. Source: Steck 2019, "Embarrassingly Shallow
Autoencoders for Sparse Data".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def fit(histories: Matrix, l2: float) -> Matrix:
    """Weights, (items, items): B_ij = -P_ij / P_jj with P = (X'X + l2 I)^-1, zero on the diagonal."""
    gram = histories.T @ histories
    inverse = np.linalg.inv(gram + l2 * np.eye(len(gram)))
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


def hits(scores: Matrix, shown: Matrix, targets: Matrix, k: int) -> NDArray[np.bool_]:
    """Whether the item at each of the best k ranks is a target, (users, k); shown items are left out."""
    ranked = np.argsort(np.where(shown > 0, np.inf, -scores), axis=1, kind="stable")[:, :k]
    return np.take_along_axis(targets > 0, ranked, axis=1)


def recall(found: NDArray[np.bool_], targets: Matrix) -> Matrix:
    """Hits over min(k, targets), (users,)."""
    shares: Matrix = found.sum(axis=1) / np.minimum((targets > 0).sum(axis=1), found.shape[1])
    return shares


def ndcg(found: NDArray[np.bool_], targets: Matrix) -> Matrix:
    """Sum of 1 / log2(rank + 1) over the hits, divided by that of the best ranking, (users,)."""
    gains = 1 / np.log2(np.arange(found.shape[1]) + 2)
    best = [gains[:count].sum() for count in (targets > 0).sum(axis=1)]
    shares: Matrix = (found @ gains) / np.array(best)
    return shares
