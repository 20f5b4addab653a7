"""New items in a ranking: a few, as nothing has shown yet that anybody wants them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foldin.ranking.top_k import Rankings, top_k

__all__ = ["MOST_NEW", "most_new", "top_k_with_few_new"]

MOST_NEW = 0.2
"""What part of a ranking may be items that nobody had in training."""


def most_new(k: int) -> int:
    """How many of the k items of a ranking may be new: `MOST_NEW` of them, but at least one."""
    return max(1, int(MOST_NEW * k))


def top_k_with_few_new(scores: NDArray[np.float32], new: NDArray[np.bool_], candidates: int, *, k: int) -> Rankings:
    """The best `candidates` of each row of scores, (users, items), of which the best k are to be shown.

    Only the best `most_new(k)` of the new items stay; `new`: which items are, (items,). Where there is too little else
    for k, all of them do: a list of new items is better than a short one.

    Raises:
        ConfigurationError, TrainingError: as from `top_k`.
    """
    rankings = top_k(scores, candidates)
    crowded = np.bincount(rankings.rows[new[rankings.items]], minlength=len(rankings)) > most_new(k)
    return top_k(_capped(scores, new, k), candidates) if crowded.any() else rankings


def _capped(scores: NDArray[np.float32], new: NDArray[np.bool_], k: int) -> NDArray[np.float32]:
    places, most = np.flatnonzero(new), most_new(k)
    of_new = scores[:, places]
    kept = top_k(of_new, most)
    capped = np.full_like(of_new, -np.inf)
    capped[kept.rows, kept.items] = kept.scores
    enough = np.isfinite(scores[:, ~new]).sum(axis=1) >= k - most
    all_capped = scores.copy()
    all_capped[:, places] = np.where(enough[:, None], capped, of_new)
    return all_capped
