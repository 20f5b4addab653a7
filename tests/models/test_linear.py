from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, random_array

from foldin.models.item_weights import DENSE_FROM
from foldin.models.linear import LinearAutoEncoder


def histories_of_density(density: float, users: int = 40, items: int = 200) -> csr_array:
    rng = np.random.default_rng(5)
    return csr_array(random_array((users, items), density=density, rng=rng, dtype=np.float32))


@pytest.mark.parametrize(("density", "is_dense"), [(DENSE_FROM / 2, False), (2 * DENSE_FROM, True)])
def test_the_dense_product_is_taken_from_a_density_on(
    density: float, is_dense: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    histories = histories_of_density(density)
    weights = np.random.default_rng(6).normal(size=(200, 200)).astype(np.float32)
    expected = histories.toarray() @ weights
    rows_made_dense: list[int] = []
    to_dense = csr_array.toarray

    def count_rows(matrix: csr_array) -> object:
        rows_made_dense.append(matrix.shape[0])
        return to_dense(matrix)

    monkeypatch.setattr(csr_array, "toarray", count_rows)
    np.testing.assert_allclose(LinearAutoEncoder(weights).score(histories), expected, rtol=1e-4, atol=1e-4)
    assert sum(rows_made_dense) == (40 if is_dense else 0)
