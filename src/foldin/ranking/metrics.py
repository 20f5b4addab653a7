"""How good rankings are: every metric gives one number per user, and the caller takes the mean.

Metrics of finding take `hits`, (users, k), whether the item at each rank is a target (False past the end of a short
ranking), and `relevant`, (users,), how many targets there are; a user without targets gets 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.errors import ConfigurationError
from foldin.ranking.top_k import Rankings

__all__ = [
    "FINDING",
    "SPREAD",
    "TASTE",
    "Cutoff",
    "average_precision",
    "coverage",
    "gini",
    "hit_rate",
    "hits_of",
    "mean_popularity",
    "metric_and_cutoff",
    "ndcg",
    "novelty",
    "popularity_of",
    "precision",
    "recall",
    "recall_capped",
    "recommendation_counts",
    "reciprocal_rank",
    "relevant_of",
]

Hits: TypeAlias = NDArray[np.bool_]
Counts: TypeAlias = NDArray[np.int64]
PerUser: TypeAlias = NDArray[np.float64]
Cutoff: TypeAlias = tuple[str, int]

DEEPEST_CUTOFF = 10_000


def hits_of(rankings: Rankings, targets: csr_array, k: int) -> Hits:
    """Whether the item at each of the first k ranks is a target, (users, k)."""
    users, items = targets.shape
    target_rows = np.repeat(np.arange(users), np.diff(targets.indptr))
    wanted = target_rows * items + targets.indices
    first = rankings.best(k)
    hits = np.zeros((len(rankings), k), dtype=np.bool_)
    hits[first.rows, first.ranks] = np.isin(first.rows * items + first.items, wanted)
    return hits


def relevant_of(targets: csr_array) -> Counts:
    """How many targets each user has, (users,)."""
    counts: Counts = np.diff(targets.indptr).astype(np.int64)
    return counts


def recall_capped(hits: Hits, relevant: Counts) -> PerUser:
    """Hits over min(k, targets), so that a full ranking can reach 1. Source: Liang et al. 2018."""
    return _share(_hit_counts(hits), _capped(hits, relevant))


def recall(hits: Hits, relevant: Counts) -> PerUser:
    """Hits over all targets. Source: He et al. 2020 (LightGCN) and most libraries."""
    return _share(_hit_counts(hits), relevant)


def precision(hits: Hits, relevant: Counts) -> PerUser:  # noqa: ARG001 - all metrics of finding take the same
    """Hits over k, also where the ranking is shorter."""
    return _share(_hit_counts(hits), np.full(len(hits), hits.shape[1]))


def ndcg(hits: Hits, relevant: Counts) -> PerUser:
    """Discounted gain over that of the best ranking, sum of hit / log2(rank + 1) over the same of min(k, targets) hits.

    Gains are binary. Source: Järvelin and Kekäläinen 2002, as in Liang et al. 2018.
    """
    discounts = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discounts)])[_capped(hits, relevant)]
    return _share((hits * discounts).sum(axis=1), ideal)  # not a product: its last bits depend on the block


def hit_rate(hits: Hits, relevant: Counts) -> PerUser:  # noqa: ARG001
    """1 where any of the k is a target."""
    return _any_hit(hits).astype(np.float64)


def average_precision(hits: Hits, relevant: Counts) -> PerUser:
    """Mean over min(k, targets) of the precision at the rank of each hit; a target not found counts 0."""
    precisions = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return _share((precisions * hits).sum(axis=1), _capped(hits, relevant))


def reciprocal_rank(hits: Hits, relevant: Counts) -> PerUser:  # noqa: ARG001
    """1 / rank of the first hit; 0 where there is none."""
    return _share(_any_hit(hits), hits.argmax(axis=1) + 1)


def popularity_of(histories: csr_array) -> NDArray[np.float64]:
    """Share of the users who have each item, (items,)."""
    users, items = histories.shape
    return np.bincount(histories.indices, minlength=items) / max(1, users)


def novelty(rankings: Rankings, popularity: NDArray[np.float64]) -> PerUser:
    """Mean of -log2(popularity) over the user's ranking, in bits; `popularity` is the share of users, (items,).

    An item nobody has counts as the rarest that somebody has; an empty ranking counts 0.
    Source: Zhou et al. 2010, "Solving the apparent diversity-accuracy dilemma of recommender systems".
    """
    rarest = popularity[popularity > 0].min(initial=1.0)
    return _mean_over_rankings(rankings, -np.log2(np.maximum(popularity, rarest)))


def mean_popularity(rankings: Rankings, popularity: NDArray[np.float64]) -> PerUser:
    """Mean popularity over the user's ranking; an empty ranking counts 0."""
    return _mean_over_rankings(rankings, popularity)


def recommendation_counts(rankings: Rankings, items: int) -> Counts:
    """In how many rankings each item of the catalogue is, (items,)."""
    return np.bincount(rankings.items, minlength=items)


def coverage(counts: Counts) -> float:
    """Share of the catalogue that is in any ranking, from `recommendation_counts`."""
    return float(np.mean(counts > 0)) if len(counts) else 0.0


def gini(counts: Counts) -> float:
    """Gini coefficient of `recommendation_counts`: 0 where all items are in as many rankings, near 1 where few are."""
    total, items = counts.sum(), len(counts)
    if not total:
        return 0.0
    # G = sum over i of (2 i - n - 1) c_i / (n sum c), c ascending, i from 1
    weights = 2 * np.arange(1, items + 1) - items - 1
    return float(weights @ np.sort(counts) / (items * total))


FINDING: dict[str, Callable[[Hits, Counts], PerUser]] = {
    "ndcg": ndcg,
    "recall_capped": recall_capped,
    "recall": recall,
    "precision": precision,
    "hit_rate": hit_rate,
    "map": average_precision,
    "mrr": reciprocal_rank,
}
"""Whether rankings find the targets, one value per user."""

TASTE: dict[str, Callable[[Rankings, NDArray[np.float64]], PerUser]] = {
    "novelty": novelty,
    "popularity": mean_popularity,
}
"""How well known what is recommended is, one value per user."""

SPREAD: dict[str, Callable[[Counts], float]] = {"coverage": coverage, "gini": gini}
"""How the catalogue shares the recommendations, one value over all users' rankings."""


def metric_and_cutoff(name: str) -> Cutoff:
    """A name such as "ndcg@10" as ("ndcg", 10).

    Raises:
        ConfigurationError: there is no such metric, or the cutoff is no whole number from 1 to 10,000.
    """
    metric, _, cutoff = name.partition("@")
    known = [*FINDING, *TASTE, *SPREAD]
    if metric not in known:
        raise ConfigurationError(f"no metric '{metric}'; there are: {', '.join(known)}, each with a cutoff, as ndcg@10")
    if not (cutoff.isascii() and cutoff.isdecimal() and len(cutoff) < 6 and 0 < int(cutoff) <= DEEPEST_CUTOFF):
        raise ConfigurationError(
            f"metric '{metric}' needs a cutoff, a whole number from 1 to {DEEPEST_CUTOFF}, as in {metric}@10"
        )
    return metric, int(cutoff)


def _hit_counts(hits: Hits) -> Counts:
    counts: Counts = np.count_nonzero(hits, axis=1)
    return counts


def _any_hit(hits: Hits) -> NDArray[np.bool_]:
    return _hit_counts(hits) > 0


def _share(part: NDArray[np.generic], whole: NDArray[np.generic]) -> PerUser:
    shares = np.zeros(len(part), dtype=np.float64)
    np.divide(part, whole, out=shares, where=whole.astype(np.bool_))
    return shares


def _capped(hits: Hits, relevant: Counts) -> Counts:
    return np.minimum(relevant, hits.shape[1])


def _mean_over_rankings(rankings: Rankings, values: NDArray[np.float64]) -> PerUser:
    sums = np.bincount(rankings.rows, weights=values[rankings.items], minlength=len(rankings))
    return _share(sums, rankings.lengths)
