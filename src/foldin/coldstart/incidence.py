"""Which of many things each row has, as a sparse matrix of ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

__all__ = ["incidence"]


def incidence(rows: Sequence[Sequence[int]], width: int) -> csr_array:  # (rows, width)
    """1 at each of a row's places (from 0 to below `width`, each at most once in a row), float32."""
    ends = np.cumsum([0, *map(len, rows)])
    places = np.array([place for row in rows for place in row], dtype=np.int32)
    ones = np.ones(len(places), dtype=np.float32)
    return csr_array((ones, places, ends.astype(np.int32)), shape=(len(rows), width))
