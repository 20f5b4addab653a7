"""Cold items: those without interactions get scores through the warm items they resemble."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from foldin.errors import BundleError
from foldin.ranking.top_k import joined, top_k
from foldin.wording import counted

__all__ = ["ColdItems", "fit_cold_items", "history_weight_of"]

# by `python -m benchmarks.cold_items`
NEIGHBOURS = 50
POWER = 2

CELLS = 4_000_000
"""Similarities held at once."""

ARRAYS = {"data": np.floating, "indices": np.integer, "indptr": np.integer, "history_weight": np.floating}


@dataclass(frozen=True, eq=False)
class ColdItems:
    """A cold item has the mean score of the warm items it resembles, weighted by how much it does.

    `weights`: (items, items); a column holds the shares of a cold item's warm neighbours, which add up to 1; all other
    columns are empty. `history_weight`: what an item counts beside its score where the history holds it, in the unit
    of the scores: resembling what someone chose says more than resembling what they would choose.
    """

    weights: csr_array
    history_weight: float = 0.0

    @cached_property
    def reachable(self) -> NDArray[np.bool_]:
        """Cold items that resemble a warm one, (items,)."""
        reachable = np.zeros(self.weights.shape[1], dtype=np.bool_)
        reachable[self.weights.indices] = True
        return reachable

    def filled(self, scores: NDArray[np.float32], histories: csr_array | None = None) -> NDArray[np.float32]:
        """Scores, (users, items), in a new array, those of reachable items made from the warm ones they resemble.

        Linear in scores and histories, so that terms filled one by one still add up; `histories` belong to the term
        of the history alone.
        """
        filled = scores.copy()
        filled[:, self._columns] = scores[:, self._sources] @ self._shares
        if histories is not None and self.history_weight:
            held = histories[:, self._sources] @ self._shares
            filled[:, self._columns] += np.float32(self.history_weight) * held.toarray()
        return filled

    def neighbours(self, item: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The warm items that a cold item resembles, and their shares; of a warm item, none."""
        by_item = self._by_item
        cells = slice(by_item.indptr[item], by_item.indptr[item + 1])
        return by_item.indices[cells].astype(np.intp), by_item.data[cells].astype(np.float64)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All there is, by name; `from_arrays` makes the same of it."""
        parts = {"data": self.weights.data, "indices": self.weights.indices, "indptr": self.weights.indptr}
        return {**parts, "history_weight": np.array([self.history_weight])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]], items: int) -> ColdItems:
        """The weights that `arrays` came from, for a catalogue of so many items.

        Raises:
            BundleError: an array is missing, or they are no weights from warm items to cold ones.
        """
        for name, kind in ARRAYS.items():
            if name not in arrays:
                raise BundleError(f"the cold items lack '{name}'; the bundle is damaged")
            if arrays[name].ndim != 1 or not np.issubdtype(arrays[name].dtype, kind):
                raise BundleError(f"the cold items' '{name}' has the wrong shape or type; the bundle is damaged")
        data, weight = arrays["data"].astype(np.float32), arrays["history_weight"].astype(np.float64)
        indices, indptr = arrays["indices"].astype(np.int64), arrays["indptr"].astype(np.int64)
        if not (_is_sparse(data, indices, indptr, items) and weight.shape == (1,) and np.isfinite(weight).all()):
            raise BundleError(
                f"the cold items' arrays are no weights between {counted(items, 'item')}; the bundle is damaged"
            )
        weights = csr_array((data, indices.astype(np.int32), indptr.astype(np.int32)), shape=(items, items))
        return cls(weights, float(weight[0]))

    @cached_property
    def _columns(self) -> NDArray[np.intp]:
        return np.flatnonzero(self.reachable)

    @cached_property
    def _sources(self) -> NDArray[np.intp]:
        return np.flatnonzero(np.diff(self.weights.indptr))

    @cached_property
    def _by_item(self) -> csc_array:
        """The weights by column: to select columns of rows reads all of them."""
        return csc_array(self.weights)

    @cached_property
    def _shares(self) -> csc_array:
        """The weights without empty rows and columns, (sources, columns)."""
        return csc_array(self.weights[self._sources][:, self._columns])


def fit_cold_items(vectors: csr_array, cold: NDArray[np.bool_], *, history_weight: float = 0.0) -> ColdItems | None:
    """The weights of the 50 most similar warm items, share_k = cos(j, k)^2 / sum of the same over the neighbours.

    `vectors`: what is known of the items, (items, words), each of norm 1 or 0, none negative. None where no cold item
    resembles a warm one.
    """
    columns, warm = np.flatnonzero(cold), np.flatnonzero(~cold)
    by_word = csr_array(vectors[warm].T)
    nearest = joined([top_k(block, NEIGHBOURS) for block in _similarities(vectors[columns], by_word)])
    if not len(nearest.items):
        return None
    strengths = nearest.scores.astype(np.float64) ** POWER
    shares = strengths / np.bincount(nearest.rows, strengths, len(columns))[nearest.rows]
    cells = (warm[nearest.items], columns[nearest.rows])
    return ColdItems(csr_array((shares.astype(np.float32), cells), shape=(len(cold), len(cold))), history_weight)


def history_weight_of(scores: NDArray[np.float32], histories: csr_array, warm: NDArray[np.bool_]) -> float:
    """How far the best score of a warm item outside the history is above the mean, averaged over users.

    To be taken as `ColdItems.history_weight`: an item of the history then counts as the best of the others would.
    `scores` and `histories`: (users, items), of users who had no part in the training. 0 where there is nobody.
    """
    outside = scores[:, warm].copy()
    rows, columns = histories[:, np.flatnonzero(warm)].nonzero()
    outside[rows, columns] = -np.inf
    gaps = outside.max(axis=1, initial=-np.inf) - scores[:, warm].mean(axis=1)
    gaps = gaps[np.isfinite(gaps)]
    return float(gaps.mean()) if len(gaps) else 0.0


def _similarities(cold: csr_array, by_word: csr_array) -> Iterator[NDArray[np.float32]]:
    """Cosines of cold and warm items, (block of cold, warm); -inf where there is no resemblance."""
    step = max(1, CELLS // max(1, by_word.shape[1]))
    for start in range(0, cold.shape[0], step):
        cosines = (cold[start : start + step] @ by_word).toarray().astype(np.float32, copy=False)
        yield np.where(cosines > 0, cosines, np.float32(-np.inf))


def _is_sparse(data: NDArray[np.float32], indices: NDArray[np.int64], indptr: NDArray[np.int64], items: int) -> bool:
    whole = len(indptr) == items + 1 and indptr[0] == 0 and indptr[-1] == len(indices) == len(data)
    if not (whole and (np.diff(indptr) >= 0).all() and np.isfinite(data).all() and (data >= 0).all()):
        return False
    return not len(indices) or bool(indices.min() >= 0 and indices.max() < items)
