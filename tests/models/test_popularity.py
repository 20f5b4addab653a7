from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from foldin.models.popularity import Popularity


def test_shares_by_hand() -> None:
    model = Popularity().fit(csr_array(np.array([[1, 0, 1], [1, 0, 0], [1, 0, 0.5], [0, 0, 0]], dtype=np.float32)))
    assert model.shares.tolist() == [0.75, 0, 0.375]
    assert model.score(csr_array(np.zeros((2, 3), dtype=np.float32))).tolist() == [[0.75, 0, 0.375]] * 2
