"""Histories to measure on: some users do much and most do little, some items are known and most are not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

__all__ = ["skewed_histories"]


def skewed_histories(users: int, items: int, per_user: float, seed: int = 0) -> csr_array:
    """Binary histories, (users, items), with about `per_user` items each."""
    generator = np.random.default_rng(seed)
    popularity = 1 / (np.arange(items) + 20) ** 0.8
    activity = generator.gamma(1.2, size=users)
    rates = np.outer(activity / activity.mean(), per_user * popularity / popularity.sum())
    cells = generator.random((users, items)) < 1 - np.exp(-_matched(rates, per_user) * rates)
    return csr_array(cells.astype(np.float32))


def _matched(rates: NDArray[np.float64], per_user: float) -> float:
    """The factor with which histories have the length wanted, although no item counts twice."""
    factor = 1.0
    for _ in range(10):
        factor *= per_user / float((1 - np.exp(-factor * rates)).sum(axis=1).mean())
    return factor
