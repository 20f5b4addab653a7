from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.errors import ConfigurationError
from foldin.ranking import metrics
from foldin.ranking.top_k import Rankings, masked, top_k

#                       rank 1 2 3 4   targets
HITS = np.array([[True, False, True, False],  # 3
                 [False, True, False, False],  # 1
                 [True, True, True, True],  # 6
                 [False, False, False, False],  # 2
                 [False, False, False, True]])  # 5  # fmt: skip
RELEVANT = np.array([3, 1, 6, 2, 5])
SECOND, THIRD, FOURTH = 1 / math.log2(3), 1 / 2, 1 / math.log2(5)
IDEAL = [0, 1, 1 + SECOND, 1 + SECOND + THIRD, 1 + SECOND + THIRD + FOURTH]

BY_HAND = {
    "recall_capped": [2 / 3, 1, 1, 0, 1 / 4],
    "recall": [2 / 3, 1, 4 / 6, 0, 1 / 5],
    "precision": [2 / 4, 1 / 4, 1, 0, 1 / 4],
    "ndcg": [(1 + THIRD) / IDEAL[3], SECOND, 1, 0, FOURTH / IDEAL[4]],
    "hit_rate": [1, 1, 1, 0, 1],
    "map": [(1 + 2 / 3) / 3, 1 / 2, 1, 0, (1 / 4) / 4],
    "mrr": [1, 1 / 2, 1, 0, 1 / 4],
}


@pytest.mark.parametrize("name", metrics.FINDING)
def test_finding_by_hand(name: str) -> None:
    assert metrics.FINDING[name](HITS, RELEVANT) == pytest.approx(BY_HAND[name])


def test_a_user_without_targets_gets_nothing_and_no_warning() -> None:
    for metric in metrics.FINDING.values():
        assert metric(np.zeros((1, 3), dtype=np.bool_), np.array([0])).tolist() == [0]


#          item 0 in 1/2, 1 in 1/4, 2 in nobody's history, 3 in all
POPULARITY = np.array([0.5, 0.25, 0.0, 1.0])
RANKINGS = Rankings(np.array([0, 2, 3, 3, 5]), np.array([3, 0, 1, 2, 3], dtype=np.int32), np.zeros(5, dtype=np.float32))


def test_taste_by_hand() -> None:
    assert metrics.novelty(RANKINGS, POPULARITY).tolist() == [0.5, 2, 0, 1]  # nobody's item counts as the rarest: 1/4
    assert metrics.mean_popularity(RANKINGS, POPULARITY).tolist() == [0.75, 0.25, 0, 0.5]


def test_novelty_where_nobody_has_anything() -> None:
    assert metrics.novelty(RANKINGS, np.zeros(4)).tolist() == [0, 0, 0, 0]


def test_popularity_is_a_share_of_users_whatever_the_ratings() -> None:
    histories = csr_array(np.array([[0.2, 0, 1], [0.4, 0, 0], [0, 0, 0], [0.1, 0, 0.1]]))
    assert metrics.popularity_of(histories).tolist() == [0.75, 0, 0.5]


def test_spread_by_hand() -> None:
    counts = metrics.recommendation_counts(RANKINGS, 5)
    assert counts.tolist() == [1, 1, 1, 2, 0]
    assert metrics.coverage(counts) == 4 / 5
    # ascending 0 1 1 1 2, weights -4 -2 0 2 4: (-2 + 0 + 2 + 8) / (5 x 5)
    assert metrics.gini(counts) == pytest.approx(8 / 25)
    assert metrics.gini(np.array([3, 3, 3])) == 0
    assert metrics.gini(np.array([0, 0, 0, 7])) == pytest.approx(3 / 4)
    assert metrics.gini(np.array([0, 0])) == 0


def test_hits_stand_at_their_ranks() -> None:
    targets = csr_array(np.array([[1, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]))
    assert metrics.hits_of(RANKINGS, targets, 3).tolist() == [
        [True, True, False],
        [False, False, False],
        [False, False, False],
        [True, False, False],
    ]
    assert metrics.relevant_of(targets).tolist() == [2, 1, 1, 1]


def test_a_name_is_a_metric_and_a_cutoff() -> None:
    assert metrics.metric_and_cutoff("ndcg@100") == ("ndcg", 100)


@pytest.mark.parametrize("name", ["ndgc@10", "", "@10", "NDCG@10"])
def test_a_wrong_name_lists_the_right_ones(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"ndcg, recall_capped.*coverage, gini"):
        metrics.metric_and_cutoff(name)


@pytest.mark.parametrize(
    "name", ["ndcg", "ndcg@", "ndcg@0", "ndcg@-1", "ndcg@1.5", "ndcg@²", "ndcg@1@2", "ndcg@10001", "ndcg@" + 5000 * "9"]
)
def test_a_wrong_cutoff_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="needs a cutoff"):
        metrics.metric_and_cutoff(name)


def slow(ranking: list[int], targets: set[int], k: int) -> dict[str, float]:
    """The definitions, one user at a time, as one would say them."""
    first = ranking[:k]
    found = [item in targets for item in first]
    reachable = min(k, len(targets))
    gain = sum(1 / math.log2(rank + 2) for rank, hit in enumerate(found) if hit)
    best = sum(1 / math.log2(rank + 2) for rank in range(reachable))
    precisions = [sum(found[: rank + 1]) / (rank + 1) for rank, hit in enumerate(found) if hit]
    return {
        "recall_capped": sum(found) / reachable if targets else 0,
        "recall": sum(found) / len(targets) if targets else 0,
        "precision": sum(found) / k,
        "ndcg": gain / best if targets else 0,
        "hit_rate": float(any(found)),
        "map": sum(precisions) / reachable if targets else 0,
        "mrr": 1 / (found.index(True) + 1) if any(found) else 0,
    }


@st.composite
def worlds(draw: st.DrawFn) -> tuple[NDArray[np.float32], csr_array, csr_array, int]:
    users, items = draw(st.integers(1, 6)), draw(st.integers(1, 15))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scores = rng.choice(np.array([-np.inf, -1, 0, 0.5, 1], dtype=np.float32), (users, items))
    kinds = rng.choice(3, (users, items), p=[0.4, 0.3, 0.3])
    seen, targets = (csr_array((kinds == kind).astype(np.float32)) for kind in (1, 2))
    return scores, seen, targets, draw(st.integers(1, 20))


@given(worlds())
def test_equal_to_a_slow_obvious_reference(world: tuple[NDArray[np.float32], csr_array, csr_array, int]) -> None:
    scores, seen, targets, k = world
    hits = metrics.hits_of(top_k(masked(scores, seen), k), targets, k)
    rows = [
        slow(
            [item for item in sorted(range(scores.shape[1]), key=lambda item: -row[item]) if row[item] > -np.inf],
            set(wanted.nonzero()[0].tolist()),
            k,
        )
        for row, wanted in zip(scores.tolist(), targets.toarray(), strict=True)
    ]
    for name, metric in metrics.FINDING.items():
        assert metric(hits, metrics.relevant_of(targets)) == pytest.approx([row[name] for row in rows]), name
