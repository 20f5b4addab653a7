"""New items in a ranking: a few, as nothing has shown yet that anybody wants them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foldin.ranking.top_k import top_k

__all__ = ["MOST_NEW", "with_few_new"]

MOST_NEW = 0.2
"""What part of a ranking may be items that nobody had in training."""


def with_few_new(scores: NDArray[np.float32], new: NDArray[np.bool_], k: int) -> NDArray[np.float32]:
    """The same array, (users, items), with -inf for all but the best `MOST_NEW` x k of the new items, but at least one.

    `new`: which items are, (items,). Where there is too little else for k, all of them stay: a list of new items is
    better than a short one.
    """
    places, most = np.flatnonzero(new), max(1, int(MOST_NEW * k))
    if len(places) <= most:
        return scores
    of_new = scores[:, places]
    kept = top_k(of_new, most)
    capped = np.full_like(of_new, -np.inf)
    capped[kept.rows, kept.items] = kept.scores
    enough = np.isfinite(scores).sum(axis=1) - np.isfinite(of_new).sum(axis=1) >= k - most
    scores[:, places] = np.where(enough[:, None], capped, of_new)
    return scores
