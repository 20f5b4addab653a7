"""Histories cut short: who stays, what is shown, what is to be found."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.feedback import Feedback, FeedbackRule
from foldin.data.splitting import Holdout
from foldin.errors import ConfigurationError
from foldin.evaluation.truncation import LENGTHS, truncated

IMPLICIT = FeedbackRule(Feedback())
RATED = FeedbackRule(Feedback(form="explicit", positive_from=4), rating_range=(1, 5))


def matrix(cells: NDArray[np.number]) -> csr_array:
    return csr_array(cells.astype(np.float32))


def world(users: int = 40, items: int = 60) -> Holdout:
    """Users with 0, 1, 2, ... shown items and 3 to find, in every third row of a whole matrix."""
    rng = np.random.default_rng(5)
    kinds = np.zeros((users, items), dtype=np.int64)
    for user in range(users):
        columns = rng.permutation(items)
        kinds[user, columns[:user]], kinds[user, columns[user : user + 3]] = 1, 2
    return Holdout(np.arange(users) * 3, matrix(kinds == 1), matrix(kinds == 2))


def cells(matrix: csr_array) -> list[set[int]]:
    return [set(map(int, columns)) for columns in np.split(matrix.indices, matrix.indptr[1:-1])]


@pytest.mark.parametrize("length", LENGTHS)
def test_users_who_have_as_many_are_shown_exactly_so_many(length: int) -> None:
    cut = truncated(world(), length, liked=IMPLICIT.positive)
    assert cut.rows.tolist() == [3 * user for user in range(length, 40)]
    assert np.diff(cut.fold_in.indptr).tolist() == [length] * len(cut)


def test_what_is_no_longer_shown_is_to_be_found() -> None:
    whole = world()
    cut = truncated(whole, 2, liked=IMPLICIT.positive)
    kept = whole.where(np.arange(2, 40))
    for shown, found, before, targets in zip(
        cells(cut.fold_in), cells(cut.targets), cells(kept.fold_in), cells(kept.targets), strict=True
    ):
        assert shown < before or len(before) == 2
        assert found == targets | (before - shown)


def test_the_items_of_a_shorter_history_are_among_those_of_a_longer() -> None:
    shown = [cells(truncated(world(), length, liked=IMPLICIT.positive).fold_in)[-1] for length in (1, 2, 3, 10, 20)]
    assert all(fewer < more for fewer, more in pairwise(shown))


def test_a_user_is_shown_the_same_whoever_else_is_there_and_wherever_the_user_stands() -> None:
    whole = world()
    together = truncated(whole, 5, liked=IMPLICIT.positive)
    alone = truncated(whole.where(np.array([30])), 5, liked=IMPLICIT.positive)
    at = together.rows.tolist().index(90)
    assert cells(alone.fold_in) == [cells(together.fold_in)[at]]
    backwards = truncated(whole.where(np.arange(40)[::-1]), 5, liked=IMPLICIT.positive)
    assert cells(backwards.fold_in) == cells(together.fold_in)[::-1]


def test_the_seed_decides_and_users_of_the_same_items_differ() -> None:
    same = Holdout(np.arange(50), matrix(np.ones((50, 30))), matrix(np.zeros((50, 30))))
    first, again, other = (cells(truncated(same, 3, liked=IMPLICIT.positive, seed=seed).fold_in) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert len(set(map(frozenset, first))) > 40


def test_every_item_is_as_likely_as_any_other() -> None:
    users, items = 4000, 10
    everything = Holdout(np.arange(users), matrix(np.ones((users, items))), matrix(np.zeros((users, items))))
    shown = truncated(everything, 2, liked=IMPLICIT.positive).fold_in
    counts = np.bincount(shown.indices, minlength=items)
    assert counts.sum() == 2 * users
    # 800 expected, with a standard deviation of 25
    assert np.abs(counts - 800).max() < 100


def test_a_rating_no_longer_shown_is_withheld_and_to_be_found_only_if_liked() -> None:
    ratings = np.array([[5, 2, 4, 1, 0, 0]]) / 5
    withheld = np.array([[0, 0, 0, 0, 3, 5]]) / 5
    holdout = Holdout(np.array([7]), matrix(ratings), matrix(withheld * (withheld >= 0.8)), matrix(withheld))
    cut = truncated(holdout, 0, liked=RATED.positive)
    assert cut.fold_in.nnz == 0
    assert cells(cut.targets) == [{0, 2, 5}]
    assert cut.ratings is not None
    assert cut.ratings.toarray() == pytest.approx(ratings + withheld)
    kept = truncated(holdout, 4, liked=RATED.positive)
    assert kept.fold_in.toarray() == pytest.approx(ratings)
    assert cells(kept.targets) == [{5}]


def test_nobody_may_be_left() -> None:
    nobody = truncated(world(), 50, liked=IMPLICIT.positive)
    assert len(nobody) == nobody.fold_in.shape[0] == nobody.targets.shape[0] == 0


def test_a_negative_length_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="the history length is -1"):
        truncated(world(), -1, liked=IMPLICIT.positive)
