from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from foldin.errors import TrainingError
from foldin.models.cholesky import invert_in_place


def positive_definite(n: int) -> NDArray[np.float32]:
    X = np.random.default_rng(n).normal(size=(2 * n, n))
    return (X.T @ X / n + np.eye(n)).astype(np.float32)


@pytest.mark.parametrize("n", [1, 2, 7, 40, 300])
def test_the_inverse_is_that_of_numpy(n: int) -> None:
    matrix = positive_definite(n)
    expected = np.linalg.inv(matrix.astype(np.float64))
    inverse = invert_in_place(matrix)
    assert inverse is matrix
    assert np.allclose(inverse, expected, atol=1e-5)
    assert np.array_equal(inverse, inverse.T)


@pytest.mark.parametrize("largest_in_one", [600, 100])
def test_it_takes_no_second_matrix_of_memory(largest_in_one: int) -> None:
    matrix = positive_definite(600)
    tracemalloc.start()
    invert_in_place(matrix, largest_in_one=largest_in_one, block=100)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 2 * matrix.nbytes


@pytest.mark.parametrize("n", [9, 16, 37])
@pytest.mark.parametrize("block", [1, 4, 8, 20, 64])
def test_in_blocks_it_is_the_same(n: int, block: int) -> None:
    matrix, whole = positive_definite(n), invert_in_place(positive_definite(n))
    swept = invert_in_place(matrix, largest_in_one=8, block=block)
    assert swept is matrix
    assert np.allclose(swept, whole, atol=1e-5)


@pytest.mark.parametrize("largest_in_one", [100, 2])
@pytest.mark.parametrize(
    "matrix",
    [-np.eye(5), np.ones((5, 5)) - 2 * np.eye(5), np.zeros((5, 5)), np.full((5, 5), np.nan)],
    ids=["negative", "indefinite", "zero", "nan"],
)
def test_a_matrix_that_is_not_positive_definite_is_refused(matrix: NDArray[np.float64], largest_in_one: int) -> None:
    with pytest.raises(TrainingError, match="raise l2"):
        invert_in_place(matrix.astype(np.float32), largest_in_one=largest_in_one, block=2)
