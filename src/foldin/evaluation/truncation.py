"""Held-out users of whom less is shown: what a model makes of the first few items somebody chooses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.splitting import Holdout
from foldin.errors import ConfigurationError

__all__ = ["LENGTHS", "Liked", "truncated"]

Liked: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.bool_]]
"""Which matrix values are of items the user liked: `FeedbackRule.positive`."""

LENGTHS = (0, 1, 2, 3, 5, 10, 20, 50)
"""History lengths to look at, in items: close together where a single item says much."""


def truncated(holdout: Holdout, length: int, *, liked: Liked, seed: int | NDArray[np.integer] = 0) -> Holdout:
    """The users who are shown at least `length` items, with `length` of these shown; 0 shows nothing, of all users.

    Which items stay is drawn for each user by the seed (one for all, or one for each), the user's row and the item
    alone, so that other users play no part, and what is shown at one length is shown at every greater one. An item no
    longer shown is one more to find if the user `liked` it, since it would be right to recommend it. With explicit
    feedback it is one more withheld rating, liked or not.

    Raises:
        ConfigurationError: `length` is below 0.
    """
    if length < 0:
        raise ConfigurationError(f"the history length is {length}; it is 0 or more")
    long_enough = np.diff(holdout.fold_in.indptr) >= length
    users = holdout.where(long_enough)
    shown = _ranks(users, np.broadcast_to(seed, len(holdout))[long_enough]) < length
    hidden = ~shown & liked(users.fold_in.data)
    return Holdout(
        users.rows,
        _kept(users.fold_in, shown),
        _with(users.targets, _kept(users.fold_in, hidden)),
        None if users.ratings is None else _with(users.ratings, _kept(users.fold_in, ~shown)),
    )


def _ranks(users: Holdout, seeds: NDArray[np.integer]) -> NDArray[np.int64]:  # seeds: (users,)
    """The place of each shown item in its user's random order, from 0, in the order of the stored cells."""
    sizes = np.diff(users.fold_in.indptr)
    at = np.repeat(np.arange(len(users)), sizes)
    draws = _draws(seeds[at], users.rows[at], users.fold_in.indices)
    order = np.lexsort((users.fold_in.indices, draws, at))
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order)) - users.fold_in.indptr[at]
    return ranks


def _draws(seeds: NDArray[np.integer], rows: NDArray[np.integer], columns: NDArray[np.integer]) -> NDArray[np.uint64]:
    # a hash rather than a generator: a generator's draws depend on all that was drawn before
    distinct, places = np.unique(seeds, return_inverse=True)
    starts = [np.random.SeedSequence(int(seed)).generate_state(1, np.uint64)[0] for seed in distinct]
    start = np.array(starts, dtype=np.uint64)[places]
    return _mixed(_mixed(start ^ rows.astype(np.uint64)) ^ columns.astype(np.uint64))


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's output function. Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom generators"."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _kept(matrix: csr_array, keep: NDArray[np.bool_]) -> csr_array:
    """The matrix with some of its stored cells."""
    starts = np.concatenate([[0], np.cumsum(keep)])[matrix.indptr].astype(matrix.indptr.dtype)
    return csr_array((matrix.data[keep], matrix.indices[keep], starts), shape=matrix.shape)


def _with(matrix: csr_array, more: csr_array) -> csr_array:
    # what is shown and what is withheld have no cell in common
    joined: csr_array = matrix + more
    return joined
