"""The weights of a linear model: an items x items matrix of which only the block of items with events is stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

__all__ = ["ItemWeights"]

DENSE_FROM = 0.05
"""Share of stored cells from which a dense product (all cores) is faster than a sparse one (one core)."""

BLOCK = 512


@dataclass(frozen=True, eq=False)
class ItemWeights:
    """A square matrix W over the catalogue: what having the row's item adds to the score of the column's item.

    Shape: `block` (warm items, warm items); `warm` (items,), the items that the block's rows and columns stand for, in
    the catalogue's order. All cells outside the block are 0. None: the block is the whole matrix.
    """

    block: NDArray[np.float32]
    warm: NDArray[np.bool_] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(items, items)."""
        items = len(self.block) if self.warm is None else len(self.warm)
        return items, items

    def between(self, rows: NDArray[np.integer], columns: NDArray[np.integer]) -> NDArray[np.float32]:
        """The cells of some rows and columns, (rows, columns)."""
        at_rows, at_columns = self._places[rows], self._places[columns]
        cells = np.zeros((len(rows), len(columns)), dtype=np.float32)
        cells[np.ix_(at_rows >= 0, at_columns >= 0)] = self.block[
            np.ix_(at_rows[at_rows >= 0], at_columns[at_columns >= 0])
        ]
        return cells

    def __matmul__(self, vector: NDArray[np.floating]) -> NDArray[np.floating]:
        """W v, (items,)."""
        if self.warm is None:
            return np.asarray(self.block @ vector)
        product = np.zeros(len(self.warm), dtype=np.result_type(self.block, vector))
        product[self.warm] = self.block @ vector[self.warm]
        return product

    def scores(self, histories: csr_array) -> NDArray[np.float32]:
        """X W, (users, items)."""
        if self.warm is None:
            return _product(histories, self.block)
        if histories.shape[1] != len(self.warm):
            raise ValueError(f"histories of {histories.shape[1]} items, and weights of {len(self.warm)}")
        scores = np.zeros(histories.shape, dtype=np.float32)
        scores[:, self.warm] = _product(histories[:, self._items], self.block)
        return scores

    @cached_property
    def _items(self) -> NDArray[np.intp]:
        """The item of each row of the block."""
        return np.arange(len(self.block)) if self.warm is None else np.flatnonzero(self.warm)

    @cached_property
    def _places(self) -> NDArray[np.intp]:
        """The row of the block of each item, (items,); -1 for items outside it."""
        places = np.full(self.shape[0], -1, dtype=np.intp)
        places[self._items] = np.arange(len(self.block))
        return places


def _product(histories: csr_array, block: NDArray[np.float32]) -> NDArray[np.float32]:
    if histories.nnz < DENSE_FROM * histories.shape[0] * histories.shape[1]:
        return np.asarray(histories @ block, dtype=np.float32)
    scores = np.empty(histories.shape, dtype=np.float32)
    for start in range(0, histories.shape[0], BLOCK):
        rows = slice(start, start + BLOCK)
        np.matmul(histories[rows].toarray(), block, out=scores[rows])
    return scores
