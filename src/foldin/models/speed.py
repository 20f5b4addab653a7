"""How fast this machine computes, measured by a few small matrix products."""

from __future__ import annotations

from functools import cache
from time import perf_counter

import numpy as np

__all__ = ["seconds_for"]

ROWS = 1_024
REPEATS = 3
NEGLIGIBLE_FLOPS = 10**10
"""What takes any machine less than ten seconds is not worth a measurement."""


def seconds_for(flops: int) -> float:
    """About how long so many floating-point operations of a fit take here; 0 where they are few.

    A large solve or network consists of matrix products. A small solve would be no measure: its threads wait for each
    other, and on a busy machine it is ten times slower for its size than a large one.
    """
    return 0.0 if flops < NEGLIGIBLE_FLOPS else flops / _flops_per_second()


@cache
def _flops_per_second() -> float:
    # the best of several: the first loads the library, and another process may interrupt any
    return 2 * ROWS**3 / min(_seconds_of_a_product() for _ in range(REPEATS))


def _seconds_of_a_product() -> float:
    matrix = np.ones((ROWS, ROWS), dtype=np.float32)
    start = perf_counter()
    np.matmul(matrix, matrix)
    return perf_counter() - start
