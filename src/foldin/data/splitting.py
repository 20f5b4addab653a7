"""Splitting a log into what is learned from, what is tuned on and what is touched once.

Every split takes merged pairs, so that no repeated event can leak from training into the targets; depends on the seed
and the ids only, never on the order of rows; and takes its targets from what users liked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.catalog import Catalog
from foldin.data.feedback import FeedbackRule
from foldin.data.interactions import NO_TIME, Interactions
from foldin.data.matrix import Pairs, merged_pairs
from foldin.errors import ConfigurationError, DataError
from foldin.wording import counted

__all__ = [
    "PROTOCOLS",
    "Holdout",
    "Protocol",
    "Split",
    "last_out",
    "random_per_user",
    "strong_generalisation",
    "time_cut",
]


@dataclass(frozen=True, eq=False)
class Holdout:
    """Users whose history is cut in what a model is shown and what it should find.

    Shapes: `fold_in` and `targets` are (users, items); `rows` says which rows of the whole matrix the users are.
    `targets` are always items the user liked. `ratings`, explicit feedback only, holds every withheld rating, liked or
    not, divided by the highest; there, users of whose withheld items none was liked are among the rows too, so that
    ratings are not judged by the liked ones alone. `ranked` leaves those out.
    """

    rows: NDArray[np.intp]
    fold_in: csr_array
    targets: csr_array
    ratings: csr_array | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def ranked(self) -> Holdout:
        """The users with something to find."""
        aimed = np.diff(self.targets.indptr) > 0
        return self if aimed.all() else self.where(aimed)

    def where(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> Holdout:
        """Some of the users."""
        ratings = None if self.ratings is None else self.ratings[keep]
        return Holdout(self.rows[keep], self.fold_in[keep], self.targets[keep], ratings)


@dataclass(frozen=True, eq=False)
class Split:
    """A log, split. `train_rows` says which rows of the whole matrix the rows of `train` are.

    `dropped_targets`: targets left out since their item has no training interactions.
    `dropped_users`: users left out of the holdouts since nothing to show or nothing to find remained of them.
    """

    protocol: str
    train: csr_array
    train_rows: NDArray[np.intp]
    validation: Holdout
    test: Holdout
    dropped_targets: int = 0
    dropped_users: int = 0


def strong_generalisation(
    log: Interactions,
    catalog: Catalog,
    rule: FeedbackRule,
    *,
    test_users: float = 0.1,
    validation_users: float = 0.1,
    withheld: float = 0.2,
    seed: int = 0,
    fold: int = 0,
) -> Split:
    """Holds out whole users, and of each of their histories a share, at random: int(withheld x n), at least 1.

    The users of `fold` f are the f-th `test_users` of the shuffled users, so that folds 0, 1, ... share none; the
    validation users follow them. Source: Liang et al. 2018, "Variational Autoencoders for Collaborative Filtering".

    Raises:
        ConfigurationError: a share is not between 0 and 1, or there is no such fold.
        DataError: too few users to hold any out.
    """
    _check_shares(test_users=test_users, validation_users=validation_users, withheld=withheld)
    pairs = _known_pairs(log, catalog, rule)
    users = np.random.default_rng(seed).permutation(_judged_users(pairs, rule, 2))
    tested, validated = _held_out_users(users, test_users, validation_users, fold)
    held_out = np.isin(pairs.rows, np.concatenate([tested, validated]))
    found = held_out & _withheld(pairs, withheld, seed)
    return _Cut(pairs, rule, "strong").split(
        train=~held_out,
        shown=(held_out & ~found, held_out & ~found),
        found=(found & np.isin(pairs.rows, validated), found & np.isin(pairs.rows, tested)),
    )


def last_out(log: Interactions, catalog: Catalog, rule: FeedbackRule) -> Split:
    """Holds out each user's last item to test on, and the one before to validate on; train on all before.

    Ties of time are broken by the catalogue's order. Users with fewer than 3 items are only trained on.

    Raises:
        DataError: the log has no times, or no user has 3 items.
    """
    pairs = _known_pairs(log, catalog, rule)
    # ~t falls as t rises, as -t does, but also where a time is missing and -t would overflow
    age = _rank_within_rows(pairs, ~_times(pairs, "last"))
    judged = np.isin(pairs.rows, _judged_users(pairs, rule, 3))
    last, before = judged & (age == 0), judged & (age == 1)
    return _Cut(pairs, rule, "last").split(
        train=~last & ~before, shown=(judged & (age > 1), judged & (age > 0)), found=(before, last)
    )


def time_cut(
    log: Interactions,
    catalog: Catalog,
    rule: FeedbackRule,
    *,
    test_share: float = 0.1,
    validation_share: float = 0.1,
) -> Split:
    """Cuts the log at two moments: the newest share of the pairs is to be found by the test, the share before by the
    validation, and what came before a cut is shown.

    Raises:
        ConfigurationError: a share is not between 0 and 1.
        DataError: the log has no times, or all events are of one moment.
    """
    _check_shares(test_share=test_share, validation_share=validation_share)
    _check_rest(test_share, validation_share)
    pairs = _known_pairs(log, catalog, rule)
    times = _times(pairs, "time")
    if times.min() == times.max():
        raise DataError("all events are of one moment; there is no before and after to cut", field="time")
    first, second = np.quantile(times, [1 - test_share - validation_share, 1 - test_share], method="lower")
    before, middle, after = times <= first, (times > first) & (times <= second), times > second
    return _Cut(pairs, rule, "time").split(train=before, shown=(before, before | middle), found=(middle, after))


def random_per_user(
    log: Interactions,
    catalog: Catalog,
    rule: FeedbackRule,
    *,
    test_share: float = 0.1,
    validation_share: float = 0.1,
    seed: int = 0,
) -> Split:
    """Withholds shares of every user's items at random (at least one each); train on the rest of the same users.

    Users with fewer than 3 items are only trained on.

    Raises:
        ConfigurationError: a share is not between 0 and 1.
        DataError: no user has 3 items.
    """
    _check_shares(test_share=test_share, validation_share=validation_share)
    _check_rest(test_share, validation_share)
    pairs = _known_pairs(log, catalog, rule)
    rank = _rank_within_rows(pairs, np.random.default_rng(seed).random(len(pairs.rows)))
    judged = np.isin(pairs.rows, _judged_users(pairs, rule, 3))
    sizes = np.bincount(pairs.rows, minlength=pairs.shape[0])[pairs.rows]
    tests, validations = _at_least_one(test_share * sizes), _at_least_one(validation_share * sizes)
    tested = judged & (rank < tests)
    validated = judged & (rank >= tests) & (rank < tests + validations)
    shown = judged & ~tested & ~validated
    return _Cut(pairs, rule, "random").split(
        train=~tested & ~validated, shown=(shown, shown | validated), found=(validated, tested)
    )


@dataclass(frozen=True, eq=False)
class _Cut:
    """Turns marks on pairs into a split."""

    pairs: Pairs
    rule: FeedbackRule
    protocol: str

    def split(
        self,
        *,
        train: NDArray[np.bool_],
        shown: tuple[NDArray[np.bool_], NDArray[np.bool_]],
        found: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    ) -> Split:
        rows = np.unique(self.pairs.rows[train]).astype(np.intp)
        if not len(rows):
            raise DataError("no user is left to train on; the log has too few users or interactions to split")
        trained = np.zeros(self.pairs.shape[1], dtype=np.bool_)
        trained[self.pairs.columns[train]] = True
        targets = [mark & self.rule.positive(self.pairs.values) for mark in found]
        warm = trained[self.pairs.columns]
        holdouts = [
            self._holdout(fold_in, mark & warm, target & warm)
            for fold_in, mark, target in zip(shown, found, targets, strict=True)
        ]
        wanted = sum(len(np.unique(self.pairs.rows[mark])) for mark in found)
        return Split(
            self.protocol,
            self.pairs.where(train).matrix()[rows],
            rows,
            holdouts[0],
            holdouts[1],
            dropped_targets=sum(int((target & ~warm).sum()) for target in targets),
            dropped_users=wanted - len(holdouts[0]) - len(holdouts[1]),
        )

    def _holdout(self, shown: NDArray[np.bool_], withheld: NDArray[np.bool_], targets: NDArray[np.bool_]) -> Holdout:
        judged = withheld if self.rule.explicit else targets
        rows = np.intersect1d(self.pairs.rows[shown], self.pairs.rows[judged]).astype(np.intp)
        ratings = self.pairs.where(withheld).matrix()[rows] if self.rule.explicit else None
        return Holdout(rows, self.pairs.where(shown).matrix()[rows], self.pairs.where(targets).matrix()[rows], ratings)


def _known_pairs(log: Interactions, catalog: Catalog, rule: FeedbackRule) -> Pairs:
    pairs = merged_pairs(log, catalog, rule)
    return pairs.where(pairs.values > 0)


def _judged_users(pairs: Pairs, rule: FeedbackRule, minimum: int) -> NDArray[np.intp]:
    """Users with at least `minimum` items, one of them liked."""
    items = np.bincount(pairs.rows, minlength=pairs.shape[0])
    liked = np.bincount(pairs.rows[rule.positive(pairs.values)], minlength=pairs.shape[0])
    users = np.flatnonzero((items >= minimum) & (liked > 0))
    if not len(users):
        raise DataError(f"no user has {minimum} items or more, one of them liked; there is nothing to hold out")
    return users


def _held_out_users(
    users: NDArray[np.intp], test_users: float, validation_users: float, fold: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    tests, validations = max(1, int(test_users * len(users))), max(1, int(validation_users * len(users)))
    if tests + validations >= len(users):
        raise DataError(f"{counted(len(users), 'user')} with at least 2 items: too few to hold any out")
    if not 0 <= fold < len(users) // tests:
        raise ConfigurationError(
            f"fold is {fold}; with {test_users} of the users there can be {counted(len(users) // tests, 'fold')}"
        )
    turned = np.roll(users, -fold * tests)
    return turned[:tests], turned[tests : tests + validations]


def _withheld(pairs: Pairs, share: float, seed: int) -> NDArray[np.bool_]:
    # a seed of its own, so that whose history is cut does not decide how
    draw = np.random.default_rng([seed, 1]).random(len(pairs.rows))
    sizes = np.bincount(pairs.rows, minlength=pairs.shape[0])[pairs.rows]
    return _rank_within_rows(pairs, draw) < _at_least_one(share * sizes)


def _at_least_one(sizes: NDArray[np.floating]) -> NDArray[np.int64]:
    return np.maximum(sizes.astype(np.int64), 1)


def _rank_within_rows(pairs: Pairs, keys: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.int64]:
    order = np.lexsort((pairs.columns, keys, pairs.rows))
    starts = np.searchsorted(pairs.rows, np.arange(pairs.shape[0]))
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order)) - starts[pairs.rows[order]]
    return ranks


def _times(pairs: Pairs, protocol: str) -> NDArray[np.int64]:
    if pairs.times is None or (pairs.times == NO_TIME).all():
        raise DataError(f"the '{protocol}' protocol needs a column of times, and the log has none", field="time")
    return pairs.times


def _check_shares(**shares: float) -> None:
    for name, share in shares.items():
        if not 0 < share < 1:
            raise ConfigurationError(f"{name} is {share}; a share is above 0 and below 1")


def _check_rest(test_share: float, validation_share: float) -> None:
    if test_share + validation_share >= 1:
        raise ConfigurationError(
            f"test_share {test_share} and validation_share {validation_share} leave nothing to train on"
        )


Protocol: TypeAlias = Callable[[Interactions, Catalog, FeedbackRule, int], Split]

PROTOCOLS: dict[str, Protocol] = {
    "strong": lambda log, catalog, rule, seed: strong_generalisation(log, catalog, rule, seed=seed),
    "last": lambda log, catalog, rule, _: last_out(log, catalog, rule),
    "time": lambda log, catalog, rule, _: time_cut(log, catalog, rule),
    "random": lambda log, catalog, rule, seed: random_per_user(log, catalog, rule, seed=seed),
}
"""Every way to split, by name; the last argument is the seed, which only those that draw have a use for."""
