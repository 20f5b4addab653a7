"""The Gram matrix G = X'X of the histories: which items go together, and how often."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

__all__ = ["gram_matrix"]

BLOCK = 128


def gram_matrix(histories: csr_array, block: int = BLOCK) -> NDArray[np.float32]:
    """G = X'X, (items, items), dense and in C order.

    Sparse products, written into the dense result by blocks of items: the whole product in sparse form would take
    twice the memory of the result.
    """
    items = histories.shape[1]
    by_item = csr_array(histories.T)
    gram = np.empty((items, items), dtype=np.float32)
    for start in range(0, items, block):
        (by_item[start : start + block] @ histories).toarray(out=gram[start : start + block])
    return gram
