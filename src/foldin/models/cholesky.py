"""The inverse of a symmetric positive definite matrix, in its own memory. The only file that calls LAPACK."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foldin.errors import TrainingError

__all__ = ["invert_in_place"]

LARGEST_IN_ONE = 32_768
"""Rows up to which LAPACK is called on the whole matrix: its pair died with SIGSEGV at 40,981 (33,000 was fine)."""

BLOCK = 2_048


def invert_in_place(
    matrix: NDArray[np.float32], *, largest_in_one: int = LARGEST_IN_ONE, block: int = BLOCK
) -> NDArray[np.float32]:
    """Overwrites a symmetric positive definite matrix, in C order, with its inverse, and returns it.

    Cost: n^3 floating-point operations up to `largest_in_one` rows (Cholesky), twice that in blocks beyond it.

    Raises:
        TrainingError: the matrix is not positive definite.
    """
    if not len(matrix):  # LAPACK refuses a matrix of no rows
        return matrix
    if len(matrix) <= largest_in_one:
        _cholesky_inverse(matrix)
        _mirror_upper(matrix)
    else:
        _sweep(matrix, block)
    return matrix


def _cholesky_inverse(matrix: NDArray[np.float32]) -> None:
    from scipy.linalg.lapack import spotrf, spotri  # what only loads a model has no use for them, and starts sooner

    # C order seen as Fortran order is the transpose, and a symmetric matrix is its own: so no copy is made,
    # and LAPACK's lower triangle is the upper one here.
    transposed = matrix.T
    factor, failed_factor = spotrf(transposed, lower=1, clean=0, overwrite_a=1)
    inverse, failed_inverse = spotri(factor, lower=1, overwrite_c=1)
    # LAPACK passes over NaN, and an overflow leaves zeros
    diagonal = inverse.diagonal()
    if failed_factor or failed_inverse or not ((diagonal > 0) & (diagonal < np.inf)).all():
        raise TrainingError("the Gram matrix plus its penalty is not positive definite: raise l2")
    assert np.shares_memory(inverse, matrix)


def _mirror_upper(matrix: NDArray[np.float32], block: int = 256) -> None:
    for start in range(0, len(matrix), block):
        end = start + block
        corner = matrix[start:end, start:end]
        corner[:] = np.triu(corner) + np.triu(corner, 1).T
        matrix[end:, start:end] = matrix[start:end, end:].T


def _sweep(matrix: NDArray[np.float32], block: int) -> None:
    """Block Gauss-Jordan: after each pivot block k, A_kk -> P = A_kk^-1, A_ik -> A_ik P, A_ij -> A_ij - A_ik P A_kj."""
    n = len(matrix)
    for start in range(0, n, block):
        pivot = slice(start, min(start + block, n))
        inverse = matrix[pivot, pivot].copy()
        _cholesky_inverse(inverse)
        _mirror_upper(inverse)
        row = matrix[pivot].copy()
        for other in (slice(i, min(i + block, n)) for i in range(0, n, block) if i != start):
            swept = matrix[other, pivot] @ inverse
            matrix[other] -= swept @ row
            matrix[other, pivot] = swept
        matrix[pivot] = -(inverse @ row)
        matrix[pivot, pivot] = inverse
