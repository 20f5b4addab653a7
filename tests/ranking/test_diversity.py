from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from foldin.errors import ConfigurationError
from foldin.ranking.diversity import MOST_DIVERSE, check_diversity, diverse, diversified
from foldin.ranking.top_k import top_k

TWINS = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=np.float32)
"""The first two items are the same thing twice."""


def ranking(relevance: list[float], diversity: float, k: int = 3) -> list[int]:
    shown: list[int] = diversified(np.array(relevance, dtype=np.float32), TWINS, k, diversity).tolist()
    return shown


def test_without_diversity_the_score_decides() -> None:
    assert ranking([3, 2, 1], 0) == [0, 1, 2]
    assert ranking([1, 1, 1], 0) == [0, 1, 2]


def test_a_twin_gives_way_once_diversity_outweighs_what_it_is_ahead() -> None:
    # beside item 0, item 1 has (1 - d) .9 - d, and item 2 has 0: they are even at d = .9 / 1.9
    assert ranking([1, 0.9, 0], 0.47) == [0, 1, 2]
    assert ranking([1, 0.9, 0], 0.48) == [0, 2, 1]


def test_the_best_stays_first() -> None:
    assert ranking([1, 0.9, 0], 0.99, k=1) == [0]


def test_a_short_list_stays_short() -> None:
    assert diversified(np.empty(0, dtype=np.float32), np.empty((0, 0), dtype=np.float32), 5, 0.5).tolist() == []
    assert len(ranking([3, 2, 1], 0.5, k=9)) == 3


def test_each_user_is_shown_something_else_by_the_same_rule() -> None:
    vectors = csr_array(np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32))
    rankings = top_k(np.array([[1, 0.9, 0], [0, 1, 0.9], [-np.inf, -np.inf, -np.inf]], dtype=np.float32), 3)
    shown = diverse(rankings, vectors, 2, 0.6)
    assert [items.tolist() for items, _ in shown] == [[0, 2], [1, 2], []]
    assert shown.scores.tolist() == pytest.approx([1, 0, 1, 0.9])


@given(st.lists(st.floats(-5, 5, width=32), min_size=1, max_size=8), st.floats(0, 1), st.integers(1, 9))
def test_it_is_what_the_formula_says_word_for_word(scores: list[float], d: float, k: int) -> None:
    relevance = np.array(scores, dtype=np.float32)
    similarity = np.abs(np.cos(np.subtract.outer(relevance, relevance))).astype(np.float32)
    span = relevance.max() - relevance.min()
    r = [(one - relevance.min()) / span if span > 0 else np.float32(1) for one in relevance]
    shown: list[int] = []
    while len(shown) < min(k, len(r)):
        left = [i for i in range(len(r)) if i not in shown]
        marginal = {i: (1 - d) * r[i] - d * max((similarity[i, j] for j in shown), default=0) for i in left}
        shown.append(max(left, key=lambda i: (marginal[i], -i)))
    assert diversified(relevance, similarity, k, d).tolist() == shown


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan"), True, "much"])
def test_what_is_no_share_is_refused(wrong: float) -> None:
    with pytest.raises(ConfigurationError, match="from 0"):
        check_diversity(wrong, 10)


def test_a_long_ranking_is_not_made_diverse() -> None:
    check_diversity(0.5, MOST_DIVERSE)
    check_diversity(0, MOST_DIVERSE + 1)
    with pytest.raises(ConfigurationError, match="with diversity, k is at most 100"):
        check_diversity(0.5, MOST_DIVERSE + 1)
