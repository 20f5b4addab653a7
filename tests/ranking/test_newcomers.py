"""New items in a ranking: the fast way against the obvious one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from foldin.ranking.newcomers import most_new, top_k_with_few_new
from foldin.ranking.top_k import top_k


def one_by_one(scores: NDArray[np.float32], new: NDArray[np.bool_], candidates: int, k: int) -> list[list[int]]:
    """Item for item down each ranking; no more new ones once there are enough, where there is enough else."""
    found = []
    for row in scores:
        order = [item for item in np.argsort(-row, kind="stable").tolist() if np.isfinite(row[item])]
        if sum(not new[item] for item in order) >= k - most_new(k):
            newest = [item for item in order if new[item]][most_new(k) :]
            order = [item for item in order if item not in newest]
        found.append(order[:candidates])
    return found


def ranked(scores: NDArray[np.float32], new: NDArray[np.bool_], candidates: int, k: int) -> list[list[int]]:
    return [items.tolist() for items, _ in top_k_with_few_new(scores, new, candidates, k=k)]


@settings(max_examples=300)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 3), st.floats(0, 1), st.floats(0, 1))
def test_as_item_for_item(seed: int, k: int, times: int, share: float, left_out: float) -> None:
    draws = np.random.default_rng(seed)
    scores = draws.integers(0, 8, (4, 20)).astype(np.float32)
    scores[draws.random(scores.shape) < left_out] = -np.inf
    new = draws.random(20) < share
    assert ranked(scores, new, times * k, k) == one_by_one(scores, new, times * k, k)


def test_a_fifth_is_new_and_at_least_one() -> None:
    scores = np.arange(40, 0, -1, dtype=np.float32)[None, :]
    new = np.arange(40) < 20
    assert ranked(scores, new, 10, 10) == [[0, 1, *range(20, 28)]]
    assert ranked(scores, new, 3, 3) == [[0, 20, 21]]


def test_where_there_is_little_else_new_items_stay() -> None:
    scores = np.arange(12, 0, -1, dtype=np.float32)[None, :]
    new = np.arange(12) < 10
    assert ranked(scores, new, 10, 10) == [list(range(10))]


def test_the_scores_stay_as_they_were() -> None:
    scores = np.arange(40, 0, -1, dtype=np.float32)[None, :]
    before = scores.copy()
    top_k_with_few_new(scores, np.arange(40) < 20, 10, k=10)
    assert np.array_equal(scores, before)
    assert np.array_equal(top_k_with_few_new(scores, np.zeros(40, bool), 10, k=10).items, top_k(scores, 10).items)
