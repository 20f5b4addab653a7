from __future__ import annotations

import tracemalloc
import weakref

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.splitting import Holdout
from foldin.errors import ConfigurationError, DataError, TrainingError
from foldin.evaluation.evaluate import DEFAULT_METRICS, evaluate
from foldin.evaluation.scoring import Score, known_scores, model_scores


def holdout_of(kinds: NDArray[np.integer]) -> Holdout:
    """From 0 not known, 1 shown, 2 to be found; the users are rows 1, 3, 5, ... of a whole matrix."""
    shown, targets = (csr_array((kinds == kind).astype(np.float32)) for kind in (1, 2))
    return Holdout(np.arange(len(kinds)) * 2 + 1, shown, targets)


HOLDOUT = holdout_of(np.array([[1, 2, 0, 2], [0, 0, 1, 2]]))
SCORES = np.array([[9, 3, 2, 1], [1, 1, 5, 0]], dtype=np.float32)  # ranks 1 2 3 and 0 1 3
POPULARITY = np.array([0.5, 0.25, 0.25, 1.0])


def random_world(users: int = 60, items: int = 40) -> tuple[Score, Holdout, NDArray[np.float64]]:
    rng = np.random.default_rng(3)
    kinds = rng.choice(3, (users, items), p=[0.6, 0.2, 0.2])
    kinds[:, 0] = 2
    scores = rng.integers(0, 5, (users, items)).astype(np.float32)
    return lambda block: scores[block], holdout_of(kinds), rng.uniform(0.01, 1, items)


def test_by_hand() -> None:
    evaluation = evaluate(
        lambda block: SCORES[block],
        HOLDOUT,
        popularity=POPULARITY,
        metrics=("recall@2", "hit_rate@3", "mrr@3", "popularity@1", "novelty@2", "coverage@2", "gini@1"),
    )
    assert evaluation.values("recall@2").tolist() == [1 / 2, 0]
    assert evaluation.values("hit_rate@3").tolist() == [1, 1]
    assert evaluation.values("mrr@3") == pytest.approx([1, 1 / 3])
    assert evaluation.values("popularity@1").tolist() == [0.25, 0.5]
    assert evaluation.values("novelty@2").tolist() == [2, 1.5]
    assert evaluation.overall == pytest.approx({"coverage@2": 3 / 4, "gini@1": 1 / 2})


def test_mean_and_standard_error() -> None:
    evaluation = evaluate(lambda block: SCORES[block], HOLDOUT, popularity=POPULARITY, metrics=("mrr@3", "gini@1"))
    assert evaluation.mean("mrr@3") == pytest.approx(2 / 3)
    assert evaluation.standard_error("mrr@3") == pytest.approx(1 / 3)  # two values 2/3 apart
    assert evaluation.mean("gini@1") == pytest.approx(1 / 2)
    assert np.isnan(evaluation.standard_error("gini@1"))


def test_shown_items_are_never_recommended_and_the_scores_are_left_alone() -> None:
    truth = np.array([[9, 3, 2, 1], [1, 1, 5, 0]], dtype=np.float32)
    before = truth.copy()
    evaluation = evaluate(lambda block: truth[block], HOLDOUT, popularity=POPULARITY, metrics=("precision@1",))
    assert evaluation.values("precision@1").tolist() == [1, 0]
    assert np.array_equal(before, truth)


@pytest.mark.parametrize("block", [1, 7, 60, 1000])
def test_blocks_give_the_same_as_one_block(block: int) -> None:
    score, holdout, popularity = random_world()
    whole = evaluate(score, holdout, popularity=popularity, block=60)
    parts = evaluate(score, holdout, popularity=popularity, block=block)
    assert whole.metrics == parts.metrics == DEFAULT_METRICS
    assert whole.overall == parts.overall
    for metric, values in whole.per_user.items():
        assert values.tolist() == parts.values(metric).tolist(), metric


class Remembering:
    """A model whose scores are the histories."""

    def score(self, histories: csr_array) -> NDArray[np.float32]:
        return histories.toarray() * np.float32(2)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        return {}


def test_a_model_scores_what_it_is_shown() -> None:
    assert model_scores(Remembering(), HOLDOUT)(slice(1, 2)).tolist() == [[0, 0, 2, 0]]


def test_known_scores_are_taken_from_the_users_rows() -> None:
    affinity = np.arange(16, dtype=np.float64).reshape(4, 4)
    scores = known_scores(affinity, HOLDOUT)(slice(0, 2))
    assert scores.tolist() == affinity[[1, 3]].tolist()
    assert scores.dtype == np.float32


def test_never_more_than_one_block_of_scores() -> None:
    users, items, block = 4_000, 20_000, 256
    rows, ones = np.arange(users), np.ones(users, dtype=np.float32)
    shown, targets = (csr_array((ones, (rows, rows + shift)), shape=(users, items)) for shift in (0, 1))
    holdout = Holdout(rows, shown, targets)
    template = (np.arange(items, dtype=np.float32) * 7919) % items
    alive: list[weakref.ref[NDArray[np.float32]]] = []

    def score(block: slice) -> NDArray[np.float32]:
        assert all(scores() is None for scores in alive)
        scores = np.empty((block.stop - block.start, items), dtype=np.float32)
        scores[:] = template
        alive.append(weakref.ref(scores))
        return scores

    tracemalloc.start()
    evaluation = evaluate(score, holdout, popularity=np.full(items, 0.5), block=block)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(alive) == -(-users // block)
    assert len(evaluation.values("ndcg@10")) == users
    assert peak < 1.9 * block * items * 4


def test_wrong_input_is_refused() -> None:
    def score(block: slice) -> NDArray[np.float32]:
        return SCORES[block]

    with pytest.raises(ConfigurationError, match=r"popularity is of shape \(3,\)"):
        evaluate(score, HOLDOUT, popularity=POPULARITY[:3])
    with pytest.raises(ConfigurationError, match=r"shape \(2, 3\); these users and items need \(2, 4\)"):
        evaluate(lambda block: SCORES[block, :3], HOLDOUT, popularity=POPULARITY)
    with pytest.raises(ConfigurationError, match="block is 0"):
        evaluate(score, HOLDOUT, popularity=POPULARITY, block=0)
    with pytest.raises(ConfigurationError, match="no metric 'auc'"):
        evaluate(score, HOLDOUT, popularity=POPULARITY, metrics=("auc@10",))
    with pytest.raises(ConfigurationError, match="no metric was named"):
        evaluate(score, HOLDOUT, popularity=POPULARITY, metrics=())
    with pytest.raises(TrainingError, match=r"row 1 .*NaN"):
        evaluate(lambda block: np.where(SCORES == 0, np.nan, SCORES)[block], HOLDOUT, popularity=POPULARITY, block=1)
    with pytest.raises(DataError, match="no held-out users"):
        evaluate(score, HOLDOUT.where(np.array([], dtype=np.intp)), popularity=POPULARITY)
    with pytest.raises(DataError, match="row 4: a held-out user without targets"):
        evaluate(score, holdout_of(np.array([[2, 1], [0, 1]])), popularity=POPULARITY[:2])


def test_what_was_not_measured_is_not_there() -> None:
    evaluation = evaluate(lambda block: SCORES[block], HOLDOUT, popularity=POPULARITY, metrics=("mrr@3",))
    with pytest.raises(ConfigurationError, match=r"'ndcg@10' was not measured per user; there are: mrr@3"):
        evaluation.mean("ndcg@10")
