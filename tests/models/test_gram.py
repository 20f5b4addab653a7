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
