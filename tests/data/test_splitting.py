from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest
from scipy.sparse import csr_array

from foldin.data.catalog import Catalog
from foldin.data.feedback import Feedback, FeedbackRule
from foldin.data.interactions import Interactions
from foldin.data.matrix import user_item_matrix
from foldin.data.splitting import (
    PROTOCOLS,
    Holdout,
    Protocol,
    Split,
    last_out,
    random_per_user,
    strong_generalisation,
    time_cut,
)
from foldin.errors import ConfigurationError, DataError

LogOf = Callable[..., Interactions]
Drawing = Callable[[csr_array], list[str]]
Shuffled = Callable[[Interactions, int], Interactions]

IMPLICIT = FeedbackRule(Feedback())

WORLD = """
    Alice  o o . o o
    Bob    . o o o .
    Carol  o . o . o
"""

TIMED = """
    Alice  1 2 . 3 4
    Bob    . 5 1 2 .
    Carol  3 . 2 . 9
"""


def of(log: Interactions) -> tuple[Interactions, Catalog, FeedbackRule]:
    return log, Catalog(log.item_ids), IMPLICIT


def big_log(log_of: LogOf, users: int = 40, items: int = 15, seed: int = 5) -> Interactions:
    rng = np.random.default_rng(seed)
    cells = np.argwhere(rng.random((users, items)) < 0.4)
    return log_of(
        [(f"u{user:03}", f"i{item:02}") for user, item in cells],
        values=rng.integers(1, 6, len(cells)).tolist(),
        times=rng.integers(0, 1_000, len(cells)).tolist(),
    )


def rated(log: Interactions, form: str) -> FeedbackRule:
    return Feedback(form="explicit" if form == "explicit" else "implicit", positive_from=4).settle(log)


def same(one: Split, other: Split) -> bool:
    return all(identical(getattr(one, field.name), getattr(other, field.name)) for field in fields(Split))


def identical(one: object, other: object) -> bool:
    if isinstance(one, Holdout) and isinstance(other, Holdout):
        return all(identical(getattr(one, field.name), getattr(other, field.name)) for field in fields(Holdout))
    if isinstance(one, csr_array) and isinstance(other, csr_array):
        return one.shape == other.shape and bool((one.toarray() == other.toarray()).all()) and one.nnz == other.nnz
    return bool(np.array_equal(np.asarray(one), np.asarray(other)))


# -- each protocol as it is drawn


def test_strong_generalisation_as_drawn(drawn: LogOf, drawing: Drawing) -> None:
    # strong generalisation   train         validation             test
    #   Alice  o o . o o      o o . o o
    #   Bob    . o o o .                    . o o .|. . . o
    #   Carol  o . o . o                                           o . o . .|. . . . o
    def drawings(seed: int) -> list[list[str]]:
        split = strong_generalisation(*of(drawn(WORLD)), seed=seed)
        holdouts = (split.validation, split.test)
        return [drawing(split.train), *(drawing(part) for h in holdouts for part in (h.fold_in, h.targets))]

    # who is held out, and which of their items, is drawn: one of the seeds must draw this
    assert [["o o . o o"], [". o o . ."], [". . . o ."], ["o . o . ."], [". . . . o"]] in map(drawings, range(200))


@pytest.mark.parametrize("seed", range(8))
def test_strong_generalisation_cuts_whole_users_off(log_of: LogOf, seed: int) -> None:
    log = big_log(log_of)
    whole = user_item_matrix(*of(log)).histories.toarray()
    split = strong_generalisation(*of(log), test_users=0.25, validation_users=0.2, withheld=0.5, seed=seed)
    assert (split.train.toarray() == whole[split.train_rows]).all()
    everyone = np.concatenate([split.train_rows, split.validation.rows, split.test.rows])
    assert sorted(everyone) == list(range(40))
    assert (len(split.validation), len(split.test)) == (8, 10)
    for holdout in (split.validation, split.test):
        shown, wanted = holdout.fold_in.toarray(), holdout.targets.toarray()
        assert (shown + wanted == whole[holdout.rows]).all()
        sizes = np.count_nonzero(whole[holdout.rows], axis=1)
        assert (np.count_nonzero(wanted, axis=1) == np.maximum(sizes // 2, 1)).all()


def test_last_out_as_drawn(drawn: LogOf, drawing: Drawing) -> None:
    #           times          train        validation             test
    #   Alice   1 2 . 3 4      o o . . .    o o . . .|. . . o .    o o . o .|. . . . o
    #   Bob     . 5 1 2 .      . . o . .    . . o . .|. . . o .    . . o o .|. o . . .
    #   Carol   3 . 2 . 9      . . o . .    . . o . .|o . . . .    o . o . .|. . . . o
    #   Dave    1 . . . 2      o . . . o    (fewer than 3 items)
    split = last_out(*of(drawn(TIMED + "    Dave   1 . . . 2", "times")))
    assert drawing(split.train) == ["o o . . .", ". . o . .", ". . o . .", "o . . . o"]
    assert split.train_rows.tolist() == [0, 1, 2, 3]
    assert split.test.rows.tolist() == [0, 1, 2]
    assert drawing(split.test.targets) == [". . . . o", ". o . . .", ". . . . o"]
    assert drawing(split.test.fold_in) == ["o o . o .", ". . o o .", "o . o . ."]
    # item 4 is in nobody's training, so Alice and Bob have nothing to find in the validation
    assert split.validation.rows.tolist() == [2]
    assert drawing(split.validation.fold_in) == [". . o . ."]
    assert drawing(split.validation.targets) == ["o . . . ."]
    assert (split.dropped_targets, split.dropped_users) == (2, 2)


def test_time_cut_as_drawn(drawn: LogOf, drawing: Drawing) -> None:
    # ten pairs; up to time 3 is training, time 4 the validation, 5 and 9 the test
    #           times          train        validation             test
    #   Alice   1 2 . 3 4      o o . o .    o o . o .|. . . . o    (nothing left)
    #   Bob     . 5 1 2 .      . . o o .    (nothing)              . . o o .|. o . . .
    #   Carol   3 . 2 . 9      o . o . .    (nothing)              o . o . .|. . . . o
    #   Dave    . . . . 1      . . . . o
    log = drawn(TIMED + "    Dave   . . . . 1", "times")
    split = time_cut(*of(log), test_share=0.2, validation_share=0.1)
    assert drawing(split.train) == ["o o . o .", ". . o o .", "o . o . .", ". . . . o"]
    assert split.validation.rows.tolist() == [0]
    assert drawing(split.validation.fold_in) == ["o o . o ."]
    assert drawing(split.validation.targets) == [". . . . o"]
    assert split.test.rows.tolist() == [1, 2]
    assert drawing(split.test.fold_in) == [". . o o .", "o . o . ."]
    assert drawing(split.test.targets) == [". o . . .", ". . . . o"]
    assert split.dropped_targets == 0


@pytest.mark.parametrize("seed", range(8))
def test_random_per_user_cuts_every_history(drawn: LogOf, seed: int) -> None:
    #   Alice  o o . o o     two stay, one to validate on, one to test on
    #   Bob    . o o o .     one stays
    #   Carol  o . o . o     one stays
    #   Dave   o o . . .     both stay: fewer than 3 items
    log = drawn(WORLD + "    Dave   o o . . .\n" + "    Eve    o o o o o\n" * 1)
    whole = user_item_matrix(*of(log)).histories.toarray()
    split = random_per_user(*of(log), seed=seed)
    assert np.count_nonzero(split.train.toarray(), axis=1).tolist() == [2, 1, 1, 2, 3]
    for holdout, shown in ((split.validation, [2, 1, 1, 2, 3]), (split.test, [3, 2, 2, 2, 4])):
        assert set(holdout.rows) <= {0, 1, 2, 4}
        assert np.count_nonzero(holdout.fold_in.toarray(), axis=1).tolist() == [shown[row] for row in holdout.rows]
        assert set(np.count_nonzero(holdout.targets.toarray(), axis=1)) <= {1}
        assert (holdout.fold_in.toarray() + holdout.targets.toarray() <= whole[holdout.rows]).all()
    both = np.intersect1d(split.validation.rows, split.test.rows)
    validated = split.validation.targets.toarray()[np.isin(split.validation.rows, both)]
    assert (split.test.fold_in.toarray()[np.isin(split.test.rows, both)] >= validated).all()


# -- what every protocol keeps to


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
class TestEveryProtocol:
    def test_is_the_same_every_time_and_for_shuffled_rows(
        self, log_of: LogOf, shuffled: Shuffled, protocol: Protocol
    ) -> None:
        log = big_log(log_of)
        first = protocol(*of(log), 0)
        assert same(first, protocol(*of(log), 0))
        for seed in range(3):
            assert same(first, protocol(*of(shuffled(log, seed)), 0))

    def test_the_same_log_twice_is_the_same_split(self, log_of: LogOf, protocol: Protocol) -> None:
        log = big_log(log_of)
        twice = log.where(np.concatenate([np.arange(len(log)), np.arange(len(log))]))
        assert same(protocol(*of(log), 0), protocol(*of(twice), 0))

    def test_no_pair_is_on_both_sides(self, log_of: LogOf, protocol: Protocol) -> None:
        log = big_log(log_of)
        split = protocol(*of(log), 0)
        whole = np.zeros((40, 15))
        whole[split.train_rows] = split.train.toarray()
        for holdout in (split.validation, split.test):
            assert len(holdout)
            assert not (holdout.fold_in.toarray() * holdout.targets.toarray()).any()
            assert not (whole[holdout.rows] * holdout.targets.toarray()).any()

    def test_every_held_out_user_has_something_to_show_and_to_find(self, log_of: LogOf, protocol: Protocol) -> None:
        split = protocol(*of(big_log(log_of)), 0)
        for holdout in (split.validation, split.test):
            assert np.diff(holdout.fold_in.indptr).min() > 0
            assert np.diff(holdout.targets.indptr).min() > 0

    @pytest.mark.parametrize("form", ["implicit", "explicit"])
    def test_targets_are_liked(self, log_of: LogOf, protocol: Protocol, form: str) -> None:
        log = big_log(log_of)
        ratings = np.zeros((40, 15))
        ratings[log.user_codes, log.item_codes] = log.values if log.values is not None else 0
        split = protocol(log, Catalog(log.item_ids), rated(log, form), 0)
        for holdout in (split.validation, split.test):
            rows, columns = holdout.targets.nonzero()
            assert len(rows)
            assert ratings[holdout.rows[rows], columns].min() >= 4

    def test_explicit_holdouts_hold_every_withheld_rating(self, log_of: LogOf, protocol: Protocol) -> None:
        log = big_log(log_of)
        split = protocol(log, Catalog(log.item_ids), rated(log, "explicit"), 0)
        for holdout in (split.validation, split.test):
            assert holdout.ratings is not None
            ratings, targets = holdout.ratings.toarray(), holdout.targets.toarray()
            assert (np.where(ratings >= np.float32(0.8), ratings, 0) == targets).all()
            assert not (ratings * holdout.fold_in.toarray()).any()

    def test_targets_without_training_are_dropped_and_counted(self, log_of: LogOf, protocol: Protocol) -> None:
        # every user has one item that nobody else has
        pairs = [(f"u{u:02}", f"i{i}") for u in range(20) for i in range(4)] + [
            (f"u{u:02}", f"x{u:02}") for u in range(20)
        ]
        log = log_of(pairs, times=[*range(80), *range(100, 120)])
        split = next(split for seed in range(20) if (split := protocol(*of(log), seed)).dropped_targets)
        trained = np.asarray(split.train.sum(axis=0)) > 0
        for holdout in (split.validation, split.test):
            assert not holdout.targets.toarray()[:, ~trained].any()

    def test_items_the_catalogue_lacks_are_left_out(self, log_of: LogOf, protocol: Protocol) -> None:
        log = big_log(log_of)
        half = Catalog(log.item_ids[::2])
        smaller = log.where(np.isin(log.item_codes, np.arange(0, 15, 2)))
        assert protocol(log, half, IMPLICIT, 0).train.shape[1] == 8
        assert identical(protocol(log, half, IMPLICIT, 0).train, protocol(*of(smaller), 0).train)

    def test_a_log_too_small_is_refused(self, log_of: LogOf, protocol: Protocol) -> None:
        with pytest.raises(DataError):
            protocol(*of(log_of([("u", "i")], times=[1])), 0)

    def test_only_seen_items_are_on_neither_side(self, log_of: LogOf, protocol: Protocol) -> None:
        log = big_log(log_of)
        rule = rated(log, "implicit")
        split = protocol(log, Catalog(log.item_ids), rule, 0)
        for matrix in (split.train, split.validation.fold_in, split.test.fold_in):
            assert matrix.data.min() > 0


# -- options


def test_folds_share_no_test_users_and_cover_them(log_of: LogOf) -> None:
    log = big_log(log_of)
    folds = [strong_generalisation(*of(log), test_users=0.2, fold=fold) for fold in range(5)]
    tested = np.concatenate([split.test.rows for split in folds])
    assert sorted(tested) == list(range(40))
    for split in folds:
        assert not set(split.test.rows) & (set(split.validation.rows) | set(split.train_rows))


@pytest.mark.parametrize("fold", [-1, 5])
def test_a_fold_that_is_none_is_refused(log_of: LogOf, fold: int) -> None:
    with pytest.raises(ConfigurationError, match="5 folds"):
        strong_generalisation(*of(big_log(log_of)), test_users=0.2, fold=fold)


def test_ratings_of_what_is_not_liked_are_withheld_too(log_of: LogOf) -> None:
    log = big_log(log_of)
    split = strong_generalisation(log, Catalog(log.item_ids), rated(log, "explicit"), withheld=0.5)
    assert split.test.ratings is not None
    assert split.test.ratings.data.min() < 0.8
    assert split.test.ratings.nnz > split.test.targets.nnz


def test_the_seed_decides_who_is_held_out(log_of: LogOf) -> None:
    log = big_log(log_of)
    assert not same(strong_generalisation(*of(log), seed=1), strong_generalisation(*of(log), seed=2))
    assert not same(random_per_user(*of(log), seed=1), random_per_user(*of(log), seed=2))


def test_shares_are_options(log_of: LogOf) -> None:
    log = big_log(log_of)
    split = random_per_user(*of(log), test_share=0.3, validation_share=0.25)
    sizes = np.bincount(log.user_codes)
    withheld = sum(max(1, int(size * 0.3)) + max(1, int(size * 0.25)) for size in sizes)
    assert split.train.nnz == len(log) - withheld
    newest = time_cut(*of(log), test_share=0.5, validation_share=0.1)
    assert 0.35 * len(log) < newest.train.nnz < 0.45 * len(log)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_a_share_out_of_range_is_refused(log_of: LogOf, share: float) -> None:
    log = big_log(log_of)
    with pytest.raises(ConfigurationError, match="withheld is"):
        strong_generalisation(*of(log), withheld=share)
    with pytest.raises(ConfigurationError, match="test_share is"):
        time_cut(*of(log), test_share=share)
    with pytest.raises(ConfigurationError, match="validation_share is"):
        random_per_user(*of(log), validation_share=share)


@pytest.mark.parametrize("protocol", [time_cut, random_per_user])
def test_shares_that_leave_nothing_to_train_on_are_refused(log_of: LogOf, protocol: Callable[..., Split]) -> None:
    with pytest.raises(ConfigurationError, match="nothing to train on"):
        protocol(*of(big_log(log_of)), test_share=0.6, validation_share=0.6)


def test_too_few_users_are_refused(drawn: LogOf) -> None:
    with pytest.raises(DataError, match="too few"):
        strong_generalisation(*of(drawn("Alice o o\nBob o o")))
    with pytest.raises(DataError, match="no user has 2 items"):
        strong_generalisation(*of(drawn("Alice o .\nBob . o\nCarol o .")))
    for protocol in (random_per_user, last_out):
        with pytest.raises(DataError, match="no user has 3 items"):
            protocol(*of(drawn("Alice 1 2\nBob 1 2", "times")))


@pytest.mark.parametrize("protocol", [last_out, time_cut])
def test_protocols_of_time_need_times(drawn: LogOf, log_of: LogOf, protocol: Callable[..., Split]) -> None:
    with pytest.raises(DataError, match=r"field 'time'.*needs a column of times"):
        protocol(*of(drawn(WORLD)))
    with pytest.raises(DataError, match=r"field 'time'.*needs a column of times"):
        protocol(*of(log_of([("u", "1"), ("u", "2"), ("u", "3")], times=[None, None, None])))


def test_events_of_one_moment_cannot_be_cut(log_of: LogOf) -> None:
    with pytest.raises(DataError, match="one moment"):
        time_cut(*of(log_of([("u", "1"), ("u", "2"), ("v", "3")], times=[7, 7, 7])))


def test_an_event_without_a_time_is_the_oldest(log_of: LogOf) -> None:
    pairs = [("u", item) for item in "abcd"] + [("v", item) for item in "abcd"]
    log = log_of(pairs, times=[None, 5, 6, 7, 4, 5, 6, 7])
    split = last_out(log, Catalog(log.item_ids), IMPLICIT)
    assert split.train.toarray().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0]]


def test_ties_of_time_are_broken_by_the_catalogue(log_of: LogOf) -> None:
    log = log_of([("u", item) for item in "abc"] + [("v", item) for item in "abc"], times=[1] * 6)
    one, other = (
        last_out(log, Catalog(log.item_ids[order]), IMPLICIT) for order in (slice(None), slice(None, None, -1))
    )
    assert one.train.toarray().tolist() == other.train.toarray().tolist()


def test_users_with_nothing_liked_to_find_are_counted(log_of: LogOf) -> None:
    # everyone's last item is rated low, but for Zoe's
    pairs = [(user, item) for user in ("Ann", "Bob", "Zoe") for item in "abcd"]
    log = log_of(pairs, values=[5, 5, 5, 1, 5, 5, 5, 1, 5, 5, 5, 5], times=[1, 2, 3, 4] * 3)
    rule = Feedback(form="explicit", positive_from=4).settle(log)
    split = last_out(log, Catalog(log.item_ids), rule)
    assert len(split.test) == 0
    assert split.dropped_targets == 4  # c thrice and d once: nobody trains on them
    assert split.dropped_users == 6


def test_every_withheld_rating_is_judged_not_only_those_of_liked_items(log_of: Callable[..., Interactions]) -> None:
    rated = {"Alice": [5, 4, 5, 5], "Bob": [5, 4, 5, 1], "Carol": [4, 5, 5, 4]}
    once = [(user, f"i{item}", value, item) for user, row in rated.items() for item, value in enumerate(row)]
    # two more users keep the last item among those trained on
    rows = [*once, ("x0", "i3", 5, 9), ("x1", "i3", 5, 9)]
    log = log_of([row[:2] for row in rows], values=[row[2] for row in rows], times=[row[3] for row in rows])
    rule = Feedback(form="explicit", positive_from=4).settle(log)
    test = last_out(log, Catalog(log.item_ids), rule).test
    assert test.ratings is not None
    assert [log.user_ids[row] for row in test.rows] == ["Alice", "Bob", "Carol"]
    assert (test.ratings.data * 5).tolist() == [5, 1, 4]
    assert [log.user_ids[row] for row in test.ranked().rows] == ["Alice", "Carol"]
