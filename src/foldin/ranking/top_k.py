"""The best k of many scores: best first, ties in the catalogue's order, also at the cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.errors import ConfigurationError, TrainingError

__all__ = ["Rankings", "check_k", "joined", "masked", "top_k"]

_CELLS = 2**20  # scores looked at together; with fewer, starting again for each block takes longer than ranking it


@dataclass(frozen=True, eq=False)
class Rankings:
    """One ranking per user, best first, one after the other; a short ranking is short.

    Shapes: `starts` (users + 1,), where user u's ranking is `starts[u]:starts[u + 1]`; `items` (n,) catalogue indices;
    `scores` (n,).
    """

    starts: NDArray[np.int64]
    items: NDArray[np.int32]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __iter__(self) -> Iterator[tuple[NDArray[np.int32], NDArray[np.float32]]]:
        return (self.of(row) for row in range(len(self)))

    def of(self, row: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Items and scores of one user's ranking."""
        ranking = slice(self.starts[row], self.starts[row + 1])
        return self.items[ranking], self.scores[ranking]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many items each user's ranking holds, (users,)."""
        return np.diff(self.starts)

    @property
    def rows(self) -> NDArray[np.intp]:
        """Whose ranking each of the `items` is in, (n,)."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def ranks(self) -> NDArray[np.int64]:
        """Where in its ranking each of the `items` is, (n,); the best is at 0."""
        return np.arange(len(self.items)) - np.repeat(self.starts[:-1], self.lengths)

    def best(self, k: int) -> Rankings:
        """The first k of every ranking."""
        keep = self.ranks < k
        return Rankings(_starts(np.minimum(self.lengths, k)), self.items[keep], self.scores[keep])


def top_k(scores: NDArray[np.float32], k: int, *, first_row: int = 0) -> Rankings:
    """The best k of each row of scores, (users, items); a score of -inf leaves the item out.

    `first_row`: the number of the first row, where the scores are a block of more; for errors only.

    Raises:
        ConfigurationError: k is no whole number above 0.
        TrainingError: a score is NaN; the row is named.
    """
    check_k(k)
    users, items = scores.shape
    step = max(1, _CELLS // max(1, items))
    return joined(
        [_best(scores[first : first + step], min(k, items), first_row + first) for first in range(0, users, step)]
    )


def check_k(k: int) -> None:
    """Refuses what is no number of items.

    Raises:
        ConfigurationError: k is no whole number above 0.
    """
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise ConfigurationError(f"k is {k}; a ranking has 1 item or more, a whole number")


def masked(scores: NDArray[np.float32], seen: csr_array) -> NDArray[np.float32]:
    """The same array, (users, items), with -inf written over the stored cells of `seen`, whatever their value.

    To be done to the final score, since no other number stays below all others whatever is added or multiplied.
    """
    rows = np.repeat(np.arange(scores.shape[0]), np.diff(seen.indptr))
    scores[rows, seen.indices] = -np.inf
    return scores


def joined(blocks: Sequence[Rankings]) -> Rankings:
    """Rankings of blocks of users, as one."""
    lengths = [block.lengths for block in blocks]
    return Rankings(
        _starts(np.concatenate([np.empty(0, dtype=np.int64), *lengths])),
        np.concatenate([np.empty(0, dtype=np.int32), *(block.items for block in blocks)]),
        np.concatenate([np.empty(0, dtype=np.float32), *(block.scores for block in blocks)]),
    )


def _best(scores: NDArray[np.float32], k: int, first_row: int) -> Rankings:
    users, items = scores.shape
    if not items:
        return Rankings(_starts(np.zeros(users, dtype=np.int64)), np.empty(0, np.int32), np.empty(0, np.float32))
    cuts = _kth_largest(scores, k, first_row)
    cells = np.flatnonzero(scores >= cuts[:, None])
    rows = cells // items
    columns = cells - rows * items
    found = scores[rows, columns]
    counts = np.bincount(rows, minlength=users)
    if (counts > k).any():
        keep = _within_k(rows, found == cuts[rows], counts, k)
        rows, columns, found = rows[keep], columns[keep], found[keep]
    starts = _starts(np.minimum(counts, k))
    order = _best_first(found, starts, k)
    return Rankings(starts, columns[order].astype(np.int32), found[order])


def _best_first(found: NDArray[np.float32], starts: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """The order of cells that brings the best of each row first."""
    # sorting the rows of a table is several times faster than sorting all cells by row and score
    stored = np.arange(k) < np.diff(starts)[:, None]
    table = np.full(stored.shape, np.inf, dtype=found.dtype)
    table[stored] = -found
    order = np.argsort(table, axis=1, kind="stable")  # ties stay in the catalogue's order, and what is no cell is last
    return np.asarray((order + starts[:-1, None])[stored])


def _kth_largest(scores: NDArray[np.float32], k: int, first_row: int) -> NDArray[np.float32]:
    largest = np.partition(scores, -k, axis=1)[:, -k:]  # NaN sorts above all numbers
    broken = np.flatnonzero(np.isnan(largest).any(axis=1))
    if len(broken):
        raise TrainingError(
            f"scores of row {first_row + broken[0]} are not numbers (NaN); the model is broken: train it again, "
            "a network with a smaller learning rate"
        )
    return np.maximum(largest[:, 0], np.finfo(scores.dtype).min)  # the least number above -inf


def _within_k(rows: NDArray[np.intp], at_cut: NDArray[np.bool_], counts: NDArray[np.intp], k: int) -> NDArray[np.bool_]:
    """Which cells stay where more than k of a row reach its cut: all above it, then the first ones at it."""
    ties = np.cumsum(at_cut)
    ties_before_row = np.concatenate([[0], ties])[_starts(counts)[:-1]]
    places = k - (counts - np.bincount(rows[at_cut], minlength=len(counts)))
    keep: NDArray[np.bool_] = ~at_cut | (ties - ties_before_row[rows] <= places[rows])
    return keep


def _starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
