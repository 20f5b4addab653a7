from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.errors import ConfigurationError, TrainingError
from foldin.ranking import top_k as module
from foldin.ranking.top_k import joined, masked, top_k

# few distinct scores, so that ties are everywhere, also at the cut
tied_scores = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12),
    elements=st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 0.5, 2.0, np.inf]),
)


def sorted_fully(scores: NDArray[np.float32], k: int) -> list[list[int]]:
    rows = [sorted(range(len(row)), key=lambda item: -row[item]) for row in scores.tolist()]
    return [
        [item for item in row if values[item] > -np.inf][:k] for row, values in zip(rows, scores.tolist(), strict=True)
    ]


@given(tied_scores, st.integers(1, 15))
def test_equals_a_stable_full_sort(scores: NDArray[np.float32], k: int) -> None:
    rankings = top_k(scores, k)
    assert [items.tolist() for items, _ in rankings] == sorted_fully(scores, k)
    for row, (items, found) in enumerate(rankings):
        assert found.tolist() == scores[row, items].tolist()


def test_blocks_of_rows_equal_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = np.random.default_rng(0).integers(0, 4, (50, 20)).astype(np.float32)
    whole = top_k(scores, 7)
    monkeypatch.setattr(module, "_CELLS", 1)
    single = top_k(scores, 7)
    assert whole.items.tolist() == single.items.tolist()
    assert whole.starts.tolist() == single.starts.tolist()


def test_ties_are_broken_by_the_catalogue() -> None:
    scores = np.array([[0, 1, 1, 1, 0, 2], [5, 5, 5, 5, 5, 5]], dtype=np.float32)
    assert top_k(scores, 3).items.tolist() == [5, 1, 2, 0, 1, 2]


def test_a_short_ranking_is_short() -> None:
    scores = np.array([[-np.inf, 1, -np.inf], [-np.inf] * 3, [3, 2, 1]], dtype=np.float32)
    rankings = top_k(scores, 2)
    assert rankings.lengths.tolist() == [1, 0, 2]
    assert rankings.of(0)[0].tolist() == [1]
    assert rankings.of(1)[0].tolist() == []
    assert rankings.items.dtype == np.int32
    assert rankings.scores.dtype == np.float32


def test_an_infinite_score_is_best_and_the_least_number_still_counts() -> None:
    least = np.finfo(np.float32).min
    assert top_k(np.array([[least, 0, np.inf, -np.inf]], dtype=np.float32), 9).items.tolist() == [2, 1, 0]


@pytest.mark.parametrize("k", [1, 3, 4])
def test_a_score_that_is_no_number_names_its_row(k: int) -> None:
    scores = np.zeros((90_000, 3), dtype=np.float32)
    scores[89_998, 1] = np.nan
    with pytest.raises(TrainingError, match="row 89998 "):
        top_k(scores, k)


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_is_refused(k: int) -> None:
    with pytest.raises(ConfigurationError, match=f"k is {k}"):
        top_k(np.zeros((1, 3), dtype=np.float32), k)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_nobody_and_nothing(shape: tuple[int, int]) -> None:
    rankings = top_k(np.zeros(shape, dtype=np.float32), 3)
    assert len(rankings) == shape[0]
    assert rankings.items.tolist() == []


def test_masked_writes_on_every_stored_cell_also_on_a_zero() -> None:
    scores = np.ones((2, 3), dtype=np.float32)
    seen = csr_array((np.array([0.0, 1.0]), np.array([2, 0]), np.array([0, 1, 2])), shape=(2, 3))
    assert masked(scores, seen) is scores
    assert scores.tolist() == [[1, 1, -np.inf], [-np.inf, 1, 1]]


def test_best_shortens_every_ranking() -> None:
    scores = np.array([[3, 2, 1], [1, -np.inf, -np.inf], [1, 2, 3]], dtype=np.float32)
    shortened, direct = top_k(scores, 3).best(2), top_k(scores, 2)
    assert shortened.items.tolist() == direct.items.tolist()
    assert shortened.starts.tolist() == direct.starts.tolist()
    assert shortened.scores.tolist() == direct.scores.tolist()


def test_rows_and_ranks_say_where_an_item_stands() -> None:
    rankings = top_k(np.array([[3, 2], [-np.inf, 1]], dtype=np.float32), 2)
    assert rankings.rows.tolist() == [0, 0, 1]
    assert rankings.ranks.tolist() == [0, 1, 0]


def test_joined_of_nothing_is_empty() -> None:
    assert len(joined([])) == 0


@pytest.mark.parametrize("k", [0, -1, 2.5, float("nan"), True, "3", None])
def test_k_is_a_whole_number_above_zero(k: object) -> None:
    with pytest.raises(ConfigurationError, match="1 item or more"):
        top_k(np.zeros((1, 3), dtype=np.float32), k)  # type: ignore[arg-type]  # what untyped callers may give
