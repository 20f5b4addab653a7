from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from foldin.models.gram import gram_matrix


@pytest.mark.parametrize("block", [1, 4, 13, 128])
def test_is_the_dense_product_whatever_the_block(block: int) -> None:
    rng = np.random.default_rng(3)
    dense = rng.integers(0, 4, (30, 13)).astype(np.float32) * (rng.random((30, 13)) < 0.4)
    dense[:, 5] = 0
    gram = gram_matrix(csr_array(dense), block)
    assert gram.dtype == np.float32
    assert gram.flags.c_contiguous
    assert np.array_equal(gram, dense.T @ dense)


def test_it_takes_one_product_for_a_block_of_items(monkeypatch: pytest.MonkeyPatch) -> None:
    histories = csr_array(np.eye(13, dtype=np.float32))
    products: list[int] = []
    multiply = csr_array.__matmul__

    def count_products(matrix: csr_array, other: csr_array) -> object:
        products.append(other.shape[1])
        return multiply(matrix, other)

    monkeypatch.setattr(csr_array, "__matmul__", count_products)
    monkeypatch.setattr("scipy.sparse.csc_array.__matmul__", count_products)
    gram_matrix(histories, 4)
    assert len(products) == 4
