"""Worlds in which it is known from when on the model is to be trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.coldstart.handover import (
    CELLS,
    FADES,
    FEW_USERS,
    LEAST,
    SHARES,
    STEP,
    WEIGHTS,
    Handover,
    Truncated,
    _held_back,
    _smoothest,
    learn_weights,
    ranking_quality,
    spread_unit,
    usual_handover,
    usual_weights,
)
from foldin.errors import BundleError
from foldin.evaluation.truncation import LENGTHS

ITEMS = 40
USUAL = dict(zip(LENGTHS, usual_weights().tolist(), strict=True))
TOLD, UNTOLD = np.ones(1, dtype=np.float32), np.zeros(1, dtype=np.float32)

At = Callable[[int], Iterable[Truncated]]


def handover(lengths: list[int], weights: list[float], untold: list[float] | None = None) -> Handover:
    told, nothing = (np.array(of, dtype=np.float32) for of in (weights, untold or weights))
    return Handover(0.5, np.array(lengths), told, nothing, 2.0)


# -- between the lengths


def test_the_weight_at_a_length_is_its_own() -> None:
    assert handover([0, 3, 9], [1, 0.4, 0.2]).weight(np.array([0, 3, 9]), TOLD) == pytest.approx([1, 0.4, 0.2])


def test_between_two_lengths_it_is_straight_in_the_logarithm() -> None:
    # 1 + n goes 1, 2, 4, 8, 16: each step as far as the other
    found = handover([0, 15], [1, 0.2]).weight(np.array([0, 1, 3, 7, 15]), TOLD)
    assert found == pytest.approx([1, 0.8, 0.6, 0.4, 0.2])


def test_beyond_the_ends_it_is_level() -> None:
    found = handover([1, 5], [0.8, 0.3]).weight(np.array([0, 1, 5, 6, 10**6]), TOLD)
    assert found == pytest.approx([0.8] * 2 + [0.3] * 3)


def test_a_profile_that_tells_nothing_has_weights_of_its_own() -> None:
    parted, known = handover([0, 15], [1, 0.2], untold=[0.5, 0.1]), np.array([0, 3, 15])
    assert parted.weight(known, np.array([1, 0, 0], dtype=np.float32)) == pytest.approx([1, 0.3, 0.1])
    assert parted.weight(known, UNTOLD) == pytest.approx([0.5, 0.3, 0.1])


def test_between_the_two_it_is_straight_in_how_much_a_profile_tells() -> None:
    parted = handover([0, 15], [1, 0.2], untold=[0.5, 0.1])
    telling = parted.telling(np.array([0, 0.5, 1, 2, 9], dtype=np.float32))
    assert telling == pytest.approx([0, 0.25, 0.5, 1, 1])  # by the usual lead, which is 2
    assert parted.weight(np.array([0]), telling) == pytest.approx([0.5, 0.625, 0.75, 1, 1])
    assert parted.weight(np.array([15]), telling) == pytest.approx([0.1, 0.125, 0.15, 0.2, 0.2])


def test_where_no_profile_told_anything_none_does() -> None:
    nowhere = replace(handover([0], [1]), usual_lead=0.0)
    assert nowhere.telling(np.array([0, 3], dtype=np.float32)).tolist() == [0, 0]


def test_weights_of_any_shape() -> None:
    known = np.arange(6, dtype=np.int32).reshape(2, 3)
    found = handover([0, 3], [1, 0]).weight(known, TOLD)
    assert found.shape == (2, 3)
    assert found.dtype == np.float32


# -- the path of least cost


def path_cost(path: Iterable[int], costs: NDArray[np.float64]) -> float:
    listed = list(path)
    stood = sum(costs[length, value] for length, value in enumerate(listed))
    walked = sum(((b - a) / STEP) ** 2 / 2 for a, b in pairwise(listed))
    return float(stood + walked)


@given(
    st.integers(1, 4).flatmap(
        lambda lengths: st.integers(1, 5).flatmap(
            lambda values: st.lists(
                st.lists(st.integers(0, 24), min_size=values, max_size=values), min_size=lengths, max_size=lengths
            )
        )
    )
)
def test_no_path_of_all_is_better_than_the_smoothest(grid: list[list[int]]) -> None:
    costs = np.array(grid) / 8  # so that sums are exact, and equally good paths are
    paths = list(product(range(costs.shape[1]), repeat=len(costs)))
    assert path_cost(_smoothest(costs), costs) == min(path_cost(path, costs) for path in paths)


def test_random_costs_have_one_smoothest_path() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        costs = rng.exponential(size=(4, 6))
        best = min(product(range(6), repeat=4), key=lambda path: path_cost(path, costs))
        assert tuple(_smoothest(costs)) == best


def test_of_equally_good_paths_it_is_that_of_the_smaller_weights() -> None:
    assert _smoothest(np.zeros((5, 7))).tolist() == [0] * 5
    assert _smoothest(np.array([[1.0, 0, 0, 1], [1, 0, 0, 1]])).tolist() == [1, 1]


# -- learned


def cells(liked: NDArray[np.bool_]) -> csr_array:
    return csr_array(liked.astype(np.float32))


def sides(
    length: int, *, model: float, prior: float = 0.5, users: int = 60, seed: int = 0, shown: int | None = None
) -> Truncated:
    """Users with 5 items to find; the two sides score these so much higher than chance does, in standard deviations."""
    rng = np.random.default_rng([seed, length])
    order = rng.permuted(np.tile(np.arange(ITEMS), (users, 1)), axis=1)
    targets, seen = np.zeros((2, users, ITEMS), dtype=np.bool_)
    np.put_along_axis(targets, order[:, :5], True, axis=1)
    np.put_along_axis(seen, order[:, 5 : 5 + min(length, 10)], True, axis=1)
    history, popular = (rng.normal(size=(users, ITEMS)) + lift * targets for lift in (model, prior))
    return Truncated(
        np.arange(users), history.astype(np.float32), popular.astype(np.float32), cells(seen), cells(targets)
    )


def nobody(length: int) -> Iterator[Truncated]:
    return iter(())


def learned(cut: At, whole: At = nobody) -> dict[int, float]:
    return dict(zip(LENGTHS, learn_weights(cut, whole).tolist(), strict=True))


def test_a_model_that_is_perfect_after_three_items_takes_over() -> None:
    def cut(length: int) -> list[Truncated]:
        return [sides(length, model=5 if length >= 3 else 0, prior=1.5)]

    weights = learned(cut)
    assert weights[1] >= weights[2] >= weights[3] >= weights[5] >= weights[10]
    assert weights[1] > 4 * weights[10]
    assert all(part.qualities([weights[length]]).mean() > 0.95 for length in (5, 10, 20, 50) for part in cut(length))


def test_of_a_model_that_is_noise_for_ever_hardly_anything_is_heard() -> None:
    weights = learned(lambda length: [sides(length, model=0, prior=3)])
    assert min(weights[length] for length in LENGTHS if length) >= WEIGHTS[-3]


def test_of_a_prior_that_is_noise_hardly_anything_is_heard() -> None:
    weights = learned(lambda length: [sides(length, model=2, prior=0)])
    assert max(weights[length] for length in LENGTHS if length) < 0.3
    assert weights[0] > 0  # it alone speaks there


def test_a_prior_that_harms_speaks_where_there_is_no_history_all_the_same() -> None:
    weights = learned(lambda length: [sides(length, model=4, prior=-4)])
    assert weights[0] > 0
    # later it only orders what the history tells nothing of
    assert all(weights[length] == LEAST for length in LENGTHS if length > 3)


def test_two_sides_that_are_as_good_share_the_say() -> None:
    weights = learned(lambda length: [sides(length, model=1.5, prior=1.5, users=200)])
    assert all(0.5 < weights[length] < 2 for length in LENGTHS if length)


def test_every_length_is_asked_for_but_none() -> None:
    asked = []

    def cut(length: int) -> list[Truncated]:
        asked.append(length)
        return [sides(length, model=1)]

    learned(cut, cut)
    assert sorted(asked) == sorted(LENGTHS[1:] * 2)


def loss(weights: dict[int, float], whole: At) -> float:
    """What the handover costs those with whole histories, in the mean of NDCG over all of them."""
    parts = [(part, weights[length]) for length in LENGTHS if length for part in whole(length)]
    gains = [np.subtract(*part.qualities([weight, 0])) for part, weight in parts]
    return float(-np.concatenate(gains).mean())


def test_where_whole_histories_would_lose_it_is_held_back() -> None:
    def cut(length: int) -> list[Truncated]:
        return [sides(length, model=0.5, prior=1.5)]

    def whole(length: int) -> list[Truncated]:
        return [sides(length, model=2, prior=0, seed=1)] if length >= 5 else []

    free, held = learned(cut), learned(cut, whole)
    assert loss(free, whole) > 0.05
    assert loss(held, whole) < 0.01
    # and still the first few items leave the prior its say
    assert held[0] == free[0]
    assert held[1] > 0.75 * free[1]
    assert held[1] > held[5] >= held[20] >= held[50] == LEAST


def test_it_is_held_back_no_more_than_it_takes() -> None:
    def cut(length: int) -> list[Truncated]:
        return [sides(length, model=0.5, prior=1.5)]

    def whole(length: int) -> list[Truncated]:
        return [sides(length, model=2, prior=0, seed=1)] if length == 50 else cut(length) if length < 20 else []

    free, held = learned(cut), learned(cut, whole)
    assert held == free  # the many gain more than the few lose

    def few(length: int) -> list[Truncated]:
        return [sides(length, model=2, prior=0, seed=1)] if length == 50 else []

    gently = learned(cut, few)
    assert gently[5] > 0.5 * free[5]
    assert gently[50] < 0.25 * free[50]


def mended(share: float, fade: float) -> NDArray[np.float64]:
    """Weights of 1 held back by a share, and from a length on."""
    return np.asarray(share / (1 + (np.array(LENGTHS) / fade) ** 4))


def dearer_than(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Costs, (lengths, weights): the farther from a path, the dearer; without a history, from 1, which it keeps."""
    costs = np.square(np.array(WEIGHTS) - path[:, None])
    costs[0] = 100 * np.square(np.array(WEIGHTS) - 1)
    return costs


@pytest.mark.parametrize(("share", "fade"), list(product(SHARES, [np.inf, 16.0, 4.0])))
def test_of_what_mends_it_the_cheapest_is_taken(share: float, fade: float) -> None:
    gains = np.zeros((len(LENGTHS), len(WEIGHTS)))  # whatever is taken, nobody loses
    held = _held_back(np.ones(len(LENGTHS)), dearer_than(mended(share, fade)), gains)
    assert held[1:] == pytest.approx(mended(share, fade)[1:])


def test_what_does_not_mend_it_is_not_taken_however_cheap() -> None:
    gains = np.where((np.array(LENGTHS)[:, None] >= 10) & (np.array(WEIGHTS) > 0.3), -1.0, 0.0)
    held = _held_back(np.ones(len(LENGTHS)), dearer_than(mended(1, np.inf)), gains)
    assert held[LENGTHS.index(10) :].max() < 0.35
    assert held[1 : LENGTHS.index(5)].min() > 0.8  # and of what mends it, what is nearest to none is taken


def test_where_nothing_mends_it_as_little_as_can_be_is_said_but_without_a_history() -> None:
    ruinous = np.full((len(LENGTHS), len(WEIGHTS)), -1.0)
    held = _held_back(np.ones(len(LENGTHS)), dearer_than(mended(1, np.inf)), ruinous)
    assert held[1:] == pytest.approx(mended(SHARES[-1], FADES[-1])[1:])
    # no history at all leaves the prior all its say, as nothing else speaks
    assert held[0] == 1


def test_where_whole_histories_gain_nothing_is_held_back() -> None:
    def same(length: int) -> list[Truncated]:
        return [sides(length, model=1, prior=1)]

    assert learned(same, same) == learned(same)


# -- few users


@pytest.mark.parametrize("users", [0, 1, 2, 4])
def test_too_few_users_give_the_usual_handover(users: int) -> None:
    def cut(length: int) -> list[Truncated]:
        return [sides(length, model=0, prior=9, users=users)]

    assert learned(cut) == USUAL
    other = usual_weights() / np.float32(2)
    assert learn_weights(cut, nobody, other).tolist() == other.tolist()


@pytest.mark.parametrize("users", [5, 8, 15])
def test_few_users_give_a_smooth_curve(users: int) -> None:
    weights = learned(lambda length: [sides(length, model=1, prior=1, users=users)])
    places = [int(np.abs(np.array(WEIGHTS) - weights[length]).argmin()) for length in LENGTHS]
    assert max(abs(b - a) for a, b in pairwise(places)) <= 6


def usual_world(users: int, seed: int = 0) -> At:
    """People for whom the usual handover is the right one: it weighs two sides by what they know."""
    return lambda length: [sides(length, model=1.5, prior=1.5 * USUAL[length], users=users, seed=seed)]


@pytest.mark.parametrize(("users", "seed"), list(product([8, 15, 40], range(4))))
def test_few_users_do_not_lead_away_from_a_usual_path_that_is_right(users: int, seed: int) -> None:
    assert learned(usual_world(users, seed)) == USUAL


def test_few_users_who_gain_much_are_followed() -> None:
    weights = learned(lambda length: [sides(length, model=0, prior=3, users=15)])
    assert min(weights[length] for length in LENGTHS if length) > 2


def test_so_many_users_are_believed_whatever_they_gain() -> None:
    assert learned(usual_world(FEW_USERS - 1, seed=1)) == USUAL
    assert learned(usual_world(FEW_USERS, seed=1)) != USUAL
    # few have to be surer than of whatever else would be taken
    assert learn_weights(usual_world(FEW_USERS - 1, seed=1), nobody, usual_weights() * np.float32(32)).max() < 4


def test_the_usual_path_of_few_users_is_held_back_too() -> None:
    cut = usual_world(15)

    def whole(length: int) -> list[Truncated]:
        return [sides(length, model=2, prior=-4, users=15, seed=1)] if length == 5 else []

    assert learned(cut) == USUAL
    held = learned(cut, whole)
    assert held[0] == USUAL[0]
    assert held[5] < USUAL[5]
    assert loss(held, whole) < loss(USUAL, whole) / 10


def test_a_length_nobody_has_takes_after_its_neighbours() -> None:
    weights = learned(lambda length: [sides(length, model=1.5, prior=1.5)] if length in (3, 10) else [])
    assert min(weights[3], weights[10]) <= weights[5] <= max(weights[3], weights[10])
    assert weights[50] == weights[10] > 0
    assert weights[1] == weights[3] > 0


def test_weights_that_are_all_as_good_give_the_usual_handover() -> None:
    assert learned(lambda length: [sides(length, model=999, prior=0)]) == USUAL


def test_a_user_cut_in_several_ways_counts_once() -> None:
    def several(length: int) -> list[Truncated]:
        return [sides(length, model=1, prior=1, users=4, seed=seed) for seed in range(2)]

    assert learned(several) == USUAL


def test_parts_of_a_length_count_together() -> None:
    def one(length: int) -> Truncated:
        return sides(length, model=1, prior=1)

    def parts(length: int) -> Iterator[Truncated]:
        whole = one(length)
        for part in (slice(0, 7), slice(7, 60)):
            yield Truncated(
                whole.users[part], whole.history[part], whole.prior[part], whole.shown[part], whole.targets[part]
            )

    assert learned(parts) == learned(lambda length: [one(length)])


# -- what it is made of


def test_quality_is_that_of_history_and_weighed_prior_without_what_was_shown() -> None:
    history = np.array([[9, 3, 2, 1, 0]], dtype=np.float32)
    prior = np.array([[0, 0, 0, 0, 5]], dtype=np.float32)
    shown, targets = cells(np.array([[1, 0, 0, 0, 0]]) > 0), cells(np.array([[0, 0, 0, 0, 1]]) > 0)
    part = Truncated(np.array([7]), history, prior, shown, targets)
    # the target's rank goes from fourth to third to first: 1 / log2(1 + rank)
    found = part.qualities([0, 0.3, 1])[:, 0].tolist()
    assert found == pytest.approx([1 / np.log2(5), 1 / np.log2(4), 1])
    assert ranking_quality(history, shown, targets) == pytest.approx([1 / np.log2(5)])


@pytest.mark.parametrize("at_once", [1, 5 * 60 * ITEMS, CELLS])
def test_weights_are_judged_together_as_one_by_one(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foldin.coldstart.handover.CELLS", at_once)
    part = sides(5, model=0.5, prior=0.5)
    alone = [
        ranking_quality(part.history + np.float32(weight) * part.prior, part.shown, part.targets) for weight in WEIGHTS
    ]
    np.testing.assert_array_equal(part.qualities(WEIGHTS), alone)


def test_the_unit_brings_scores_to_a_spread_of_one() -> None:
    scores = np.random.default_rng(0).normal(size=(50, 30)).astype(np.float32) * 7 + 100
    assert (scores * spread_unit(scores)).var(axis=1).mean() == pytest.approx(1, rel=1e-4)


def test_a_model_that_scores_all_users_alike_gets_no_unit() -> None:
    assert spread_unit(np.tile(np.arange(4, dtype=np.float32), (3, 1))) == 0
    assert spread_unit(np.zeros((0, 4), dtype=np.float32)) == 0
    level = np.repeat(np.arange(3, dtype=np.float32)[:, None], 4, axis=1)
    assert spread_unit(level) == 1


def test_the_usual_handover_falls_with_the_history() -> None:
    usual = usual_handover(0.3)
    assert usual.unit == 0.3
    assert usual.lengths.tolist() == list(LENGTHS)
    assert np.array_equal(usual.weights, usual.untold)
    weights = usual.weight(np.arange(100), TOLD)
    assert weights[0] == 1
    assert (np.diff(weights) <= 0).all()
    assert 0 < weights[-1] < 0.1


# -- as arrays


def test_it_comes_back_from_its_arrays() -> None:
    one = replace(usual_handover(0.37), untold=usual_weights() / np.float32(2))
    again = Handover.from_arrays(one.arrays())
    assert again.unit == one.unit
    for told in (TOLD, UNTOLD):
        assert np.array_equal(again.weight(np.arange(99), told), one.weight(np.arange(99), told))


@pytest.mark.parametrize("name", ["unit", "usual_lead", "lengths", "weights", "untold"])
def test_a_missing_array_is_named(name: str) -> None:
    arrays = usual_handover(1.0).arrays()
    del arrays[name]
    with pytest.raises(BundleError, match=f"lacks '{name}'"):
        Handover.from_arrays(arrays)


@pytest.mark.parametrize(
    "harm",
    [
        {"unit": np.array([1.0, 2.0])},
        {"unit": np.array(1.0)},
        {"unit": np.array([np.nan])},
        {"lengths": np.array([0, 1, 1, 3, 5, 10, 20, 50])},
        {"lengths": np.array([0, 1])},
        {"weights": np.full(8, np.nan)},
        {"weights": np.full((8, 1), 0.5)},
        {"untold": np.full(8, np.inf)},
        {"usual_lead": np.array([np.nan])},
        {"usual_lead": np.array([1.0, 1.0])},
        {"usual_lead": np.array([-1.0])},
        {"untold": np.full(7, 0.5)},
        {"lengths": np.empty(0, dtype=np.int64), "weights": np.empty(0), "untold": np.empty(0)},
    ],
)
def test_arrays_that_are_no_handover_are_refused(harm: dict[str, NDArray[np.generic]]) -> None:
    with pytest.raises(BundleError, match="no weights at ascending lengths"):
        Handover.from_arrays({**usual_handover(1.0).arrays(), **harm})
