"""The query: what a user looks for, in words. What matches comes first, ordered by how well, and then by the rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["RELEVANCE_WEIGHT", "query_term"]

RELEVANCE_WEIGHT = 2.0
"""By `python -m benchmarks.query`: the smallest of those tried that finds titles about as well as BM25 alone."""


def query_term(
    relevance: NDArray[np.float32], others: NDArray[np.float32], weight: float = RELEVANCE_WEIGHT
) -> NDArray[np.float32]:
    """What a query adds to scores, of which the other terms make `others`: (users, items) each.

    span x (1 + weight x relevance) for an item that matches, and 0 for one that does not. The span is by how much the
    highest of a user's other scores is above the lowest, so that each item that matches comes before all that do not;
    and of two that match the other terms can put the less relevant one first only where their relevance, from 0 to 1,
    differs by less than 1 / weight.
    """
    spans = np.ptp(others, axis=1, keepdims=True) if others.shape[1] else np.ones((len(others), 1), dtype=np.float32)
    spans[spans == 0] = 1  # where all else is level, relevance alone orders
    term = spans * (1 + np.float32(weight) * relevance)
    return np.where(relevance > 0, term, np.float32(0)).astype(np.float32, copy=False)
