"""How a network in the making is judged on held-out users, in blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.splitting import Holdout
from foldin.models.protocols import Model
from foldin.ranking.metrics import hits_of, ndcg, relevant_of
from foldin.ranking.top_k import masked, top_k

__all__ = ["heldout_error", "heldout_qualities", "heldout_quality", "targets_and_weights"]

BLOCK = 512
CUTOFF = 100


def heldout_quality(model: Model, holdout: Holdout) -> float:
    """Mean NDCG@100 over the users, all items ranked but those shown."""
    return float(heldout_qualities(model, holdout).mean())


def heldout_qualities(model: Model, holdout: Holdout) -> NDArray[np.float64]:
    """NDCG@100 of each user with something to find, (users,), all items ranked but those shown."""
    qualities = [_qualities(model, part) for part in _blocks(holdout.ranked())]
    return np.concatenate([np.empty(0), *qualities])


def heldout_error(model: Model, holdout: Holdout, unobserved: float) -> float:
    """Weighted mean square error of scores from 0 to 1.

    With `unobserved` = 0 over the withheld cells, ratings; else over all cells, where shown and withheld interactions
    are to be 1, weighted by their strength, and all other cells, weighted by `unobserved`, 0.
    """
    error = weight = 0.0
    for part in _blocks(holdout):
        withheld = part.targets if part.ratings is None else part.ratings
        wanted = csr_array(withheld if unobserved == 0 else part.fold_in + withheld)
        scores = model.score(part.fold_in)
        rows = np.repeat(np.arange(len(part)), np.diff(wanted.indptr))
        stored = scores[rows, wanted.indices].astype(np.float64)
        targets, weights = targets_and_weights(wanted.data, unobserved)
        error += float((weights * (stored - targets) ** 2).sum())
        error += unobserved * float(np.square(scores, dtype=np.float64).sum() - np.square(stored).sum())
        weight += float(weights.sum()) + unobserved * (scores.size - stored.size)
    return error / weight


def targets_and_weights(
    values: NDArray[np.float32], unobserved: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What stored cells are to be, and how much they count: t and w of `training.losses.square_error`."""
    if unobserved:
        return np.ones_like(values), np.maximum(values, np.float32(unobserved))
    return np.minimum(values, np.float32(1)), np.maximum(values, np.float32(1))


def _qualities(model: Model, part: Holdout) -> NDArray[np.float64]:
    rankings = top_k(masked(model.score(part.fold_in), part.fold_in), CUTOFF)
    return ndcg(hits_of(rankings, part.targets, CUTOFF), relevant_of(part.targets))


def _blocks(holdout: Holdout) -> Iterator[Holdout]:
    return (
        holdout.where(np.arange(start, min(start + BLOCK, len(holdout)))) for start in range(0, len(holdout), BLOCK)
    )
