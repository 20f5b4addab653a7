"""Diversity: a ranking whose items say something new beside each other, for a little of its relevance."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.errors import ConfigurationError
from foldin.ranking.top_k import Rankings

__all__ = ["CANDIDATES", "MOST_DIVERSE", "check_diversity", "diverse", "diversified"]

CANDIDATES = 10
"""So many times the items wanted are looked at: what is further down is too far from what fits."""

MOST_DIVERSE = 100
"""Items of a diverse ranking, at most: every two of the candidates are compared."""


def diverse(rankings: Rankings, vectors: csr_array, k: int, diversity: float) -> Rankings:
    """The k items to show of each longer ranking; `vectors`, (items, words), of norm 1 and nowhere below 0, say what
    items resemble by their cosine.
    """
    chosen = [np.empty(0, dtype=np.intp)]
    for start, end in pairwise(rankings.starts.tolist()):
        of_items = vectors[rankings.items[start:end]]
        similarity = np.asarray((of_items @ of_items.T).toarray(), dtype=np.float32)
        chosen.append(start + diversified(rankings.scores[start:end], similarity, k, diversity))
    places = np.concatenate(chosen)
    starts = np.concatenate([[0], np.cumsum(np.minimum(rankings.lengths, k))])
    return Rankings(starts, rankings.items[places], rankings.scores[places])


def diversified(
    relevance: NDArray[np.float32],  # (n,)
    similarity: NDArray[np.float32],  # (n, n)
    k: int,
    diversity: float,
) -> NDArray[np.intp]:  # (min(k, n),)
    """The places of the k items to show of n, best first: each time the one that fits best and resembles least what
    stands above it (maximal marginal relevance, Carbonell & Goldstein 1998).

    next = argmax_i (1 - d) r_i - d max_{j shown} s_ij, with d the diversity, s the similarity from 0 to 1, and r the
    relevance, brought to 0 for the least of the n and 1 for the best. d = 0 keeps the order of relevance, ties in the
    order given.
    """
    span = np.ptp(relevance) if len(relevance) else 0
    r = (relevance - relevance.min()) / span if span > 0 else np.ones_like(relevance)
    nearest = np.zeros(len(r))  # max_{j shown} s_ij
    left = np.ones(len(r), dtype=np.bool_)
    shown = np.empty(min(k, len(r)), dtype=np.intp)
    for place in range(len(shown)):
        marginal = np.where(left, (1 - diversity) * r - diversity * nearest, -np.inf)
        shown[place] = chosen = int(np.argmax(marginal))
        left[chosen] = False
        nearest = np.maximum(nearest, similarity[chosen])
    return shown


def check_diversity(diversity: float, k: int) -> None:
    """Refuses what is no share, and long rankings that are to be diverse.

    Raises:
        ConfigurationError: it is not from 0 to 1, or k is above `MOST_DIVERSE`.
    """
    if isinstance(diversity, bool) or not isinstance(diversity, int | float) or not 0 <= diversity <= 1:
        raise ConfigurationError(
            f"diversity is {diversity}; it is from 0 (by score alone) to 1 (as different as can be)"
        )
    if diversity and k > MOST_DIVERSE:
        raise ConfigurationError(f"with diversity, k is at most {MOST_DIVERSE}")
