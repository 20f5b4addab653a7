"""A world of two roles: admins have the even items, builders the odd ones; titles say which is which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.coldstart.content import Content, fit_content
from foldin.coldstart.prior import (
    CONTENT_WEIGHTS,
    PROFILE_WEIGHTS,
    RESEMBLANCE_WEIGHTS,
    Prior,
    fit_prior,
    recent_shares,
    weighed,
    weighed_resemblance,
)
from foldin.data.catalog import Attributes, Catalog, ids_of
from foldin.data.interactions import NO_TIME
from foldin.data.matrix import Pairs
from foldin.errors import BundleError, ConfigurationError

UNKNOWN: Any = None  # a cell that is not known
USERS, ITEMS = 80, 10
DAY = 86_400_000_000
ROLES: Attributes = {"role": ids_of(["admin", "builder"] * (USERS // 2))}

Quality = Callable[[Prior], NDArray[np.float64]]


def tastes(seed: int = 0) -> csr_array:
    rng = np.random.default_rng(seed)
    alike = np.add.outer(np.arange(USERS), np.arange(ITEMS)) % 2 == 0
    rows = rng.random((USERS, ITEMS)) < np.where(alike, 0.7, 0.1)
    rows[:, -1] = False  # nobody has the last one
    return csr_array(rows.astype(np.float32))


@pytest.fixture(scope="module")
def content() -> Content:
    topics = ["disks for the admin", "bricks for the builder"] * (ITEMS // 2)
    found = fit_content(Catalog(ids_of(f"i{item}" for item in range(ITEMS)), {"title": ids_of(topics)}))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def prior(content: Content) -> Prior:
    return replace(fit_prior(tastes(), ROLES, content), seen_attributes=("role", "wish"))


def blank(users: int) -> csr_array:
    """Histories in which nothing is."""
    return csr_array(np.zeros((users, ITEMS), dtype=np.float32))


def one(**profile: str) -> Attributes:
    return {name: ids_of([cell]) for name, cell in profile.items()}


# -- terms


def test_popularity_is_the_share_of_users_in_units_of_its_spread(prior: Prior) -> None:
    shares = tastes().toarray().mean(axis=0)
    assert prior.shares == pytest.approx(shares)
    assert prior.warm.tolist() == [True] * (ITEMS - 1) + [False]
    assert prior.unit == pytest.approx(shares[:-1].std())
    terms = prior.terms({}, blank(3))
    assert terms.popularity[0] == pytest.approx(shares / shares[:-1].std(), rel=1e-5)
    assert terms.popularity[:, prior.warm].std() == pytest.approx(1)
    assert terms.profile is None
    assert terms.content is None
    assert terms.total() is not None
    assert np.array_equal(terms.total(), terms.popularity)


def test_terms_add_up_with_their_weights(prior: Prior, content: Content) -> None:
    assert prior.profile is not None
    weighing = prior.with_weights(profile=0.5, content=3)
    people: Attributes = {"role": ids_of(["admin", "builder", UNKNOWN, "pilot"])}
    total = weighing.terms(people, blank(4)).total()
    wanted = prior.shares / prior.unit + 0.5 * prior.profile.score(people, 4) / prior.unit
    assert total == pytest.approx(wanted + 3 * content.score(people, 4), abs=1e-5)
    assert total.shape == (4, ITEMS)
    assert total.dtype == np.float32


def test_a_role_gets_its_items(prior: Prior) -> None:
    terms = prior.terms({"role": ids_of(["admin", "builder"])}, blank(2))
    assert terms.profile is not None
    assert (terms.profile[0, 0:-1:2] > 0).all()
    assert (terms.profile[1, 0:-1:2] < 0).all()
    ranking = np.argsort(-terms.total(), axis=1)
    assert set(ranking[0, :5] % 2) == {0}
    assert set(ranking[1, :4] % 2) == {1}


@pytest.mark.parametrize("block", [1, 2, 64])
def test_how_far_profiles_put_the_best_item_above_the_mean(
    block: int, prior: Prior, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foldin.coldstart.prior.BLOCK", block)
    people: Attributes = {
        "role": ids_of(["admin", UNKNOWN, "pilot", "builder", UNKNOWN]),
        "wish": ids_of([UNKNOWN, "bricks", "planes", "disks", UNKNOWN]),
    }
    terms = prior.terms(people, blank(5))
    assert terms.profile is not None
    assert terms.content is not None
    leads, said = prior.leads(people, 5), terms.profile + terms.content
    assert leads == pytest.approx(said.max(axis=1) - said.mean(axis=1), rel=1e-5)
    assert leads == pytest.approx(terms.leads())
    assert (leads > 0).tolist() == [True, True, False, True, False]
    assert not prior.with_weights(profile=0, content=0).leads(people, 5).any()
    assert prior.leads({}, 5).tolist() == [0] * 5
    # a history says nothing of a profile
    resembling = prior.with_weights(resemblance=4).terms({}, csr_array(np.eye(ITEMS, dtype=np.float32)[:2]))
    assert resembling.leads().tolist() == [0]


def test_a_term_that_weighs_nothing_is_left_out(prior: Prior) -> None:
    terms = prior.with_weights(profile=0, content=0).terms(one(role="admin"), blank(1))
    assert terms.profile is None
    assert terms.content is None


def test_what_resembles_the_history_has_a_term_of_its_own(prior: Prior, content: Content) -> None:
    held = csr_array(np.eye(ITEMS, dtype=np.float32)[[0, 1]])
    assert prior.terms({}, held).resemblance is None
    terms = prior.with_weights(resemblance=4).terms({}, held)
    assert terms.resemblance is not None
    assert terms.resemblance == pytest.approx(4 * content.resembling(held))
    assert (terms.resemblance[0, 2::2] == 4).all()
    assert terms.resemblance[0, 0] == 0
    assert (terms.resemblance[1, 3::2] > terms.resemblance[1, 2::2].max()).all()
    assert terms.total() == pytest.approx(terms.popularity + terms.resemblance, abs=1e-5)
    assert prior.with_weights(resemblance=4).terms({}, blank(2)).resemblance is None


def test_terms_of_weight_one_are_weighed_as_the_prior_does_it(prior: Prior) -> None:
    held = csr_array(np.eye(ITEMS, dtype=np.float32)[:1])
    plain = prior.with_weights(profile=1, content=1, resemblance=1).terms(one(role="admin"), held)
    for weighing in (prior.with_weights(profile=2, content=0.5, resemblance=4), prior.with_weights(profile=0)):
        wanted = weighing.terms(one(role="admin"), held)
        assert plain.weighed(weighing).total() == pytest.approx(wanted.total(), abs=1e-5)
    assert plain.weighed(prior.with_weights(profile=0)).profile is None


def test_a_weight_that_is_not_given_stays(prior: Prior) -> None:
    assert prior.with_weights(profile=2).content_weight == prior.content_weight
    assert prior.with_weights(profile=2).with_weights(content=4).profile_weight == 2
    assert prior.with_weights(content=0).profile_weight == prior.profile_weight


def test_shares_may_be_given() -> None:
    shares = np.linspace(0, 1, ITEMS).astype(np.float32)
    prior = fit_prior(tastes(), {}, None, shares)
    assert prior.shares is shares
    assert not prior.warm[-1]
    assert prior.profile is None


@pytest.mark.parametrize(
    ("shares", "warm", "unit"),
    [
        ([0.1, 0.5, 0.9], [True, True, False], 0.2),
        ([0.4, 0.4, 0.0], [True, True, False], 0.4),
        ([0.5, 0.5 + 1e-7, 0.0], [True, True, False], 0.5),
        ([0.0, 0.0, 0.0], [False, False, False], 1),
        ([], [], 1),
    ],
    ids=["spread", "level", "level but for rounding", "nobody", "no item"],
)
def test_the_unit(shares: list[float], warm: list[bool], unit: float) -> None:
    prior = Prior(np.array(shares, dtype=np.float32), np.array(warm, dtype=np.bool_))
    assert prior.unit == pytest.approx(unit)


def test_of_nobody_everything_is_zero(content: Content) -> None:
    prior = fit_prior(csr_array(np.zeros((0, ITEMS), dtype=np.float32)), {}, content)
    assert not prior.warm.any()
    terms = prior.terms(one(like="bricks"), blank(1))
    assert not terms.popularity.any()
    assert terms.total()[0] == pytest.approx([0, 1] * (ITEMS // 2))


# -- what weighs how much


def wanted(target: NDArray[np.float32]) -> Quality:
    """How near the totals of all users are to what they should be."""
    return lambda prior: np.asarray(-np.square(prior.terms(ROLES, blank(USERS)).total() - target).sum(axis=1))


def target_of(prior: Prior, profile: float, content: float) -> NDArray[np.float32]:
    total = prior.with_weights(profile=profile, content=content).terms(ROLES, blank(USERS)).total()
    return np.array(np.broadcast_to(total, (USERS, ITEMS)))


@pytest.mark.parametrize("of_profile", PROFILE_WEIGHTS)
@pytest.mark.parametrize("of_content", CONTENT_WEIGHTS)
def test_the_weights_that_do_best_are_taken(prior: Prior, of_profile: float, of_content: float) -> None:
    # the second is weighed when the first is settled, so the first is given what the second will weigh
    chosen = weighed(prior.with_weights(content=of_content), wanted(target_of(prior, of_profile, of_content)))
    assert (chosen.profile_weight, chosen.content_weight) == (of_profile, of_content)


@pytest.mark.parametrize("weight", RESEMBLANCE_WEIGHTS)
def test_resemblance_weighs_what_does_best(prior: Prior, weight: float) -> None:
    held = tastes()
    target = prior.with_weights(resemblance=weight).terms({}, held).total()

    def near(prior: Prior) -> NDArray[np.float64]:
        return np.asarray(-np.square(prior.terms({}, held).total() - target).sum(axis=1))

    assert weighed_resemblance(prior, near).resemblance_weight == weight


def test_without_words_nothing_resembles_anything() -> None:
    def never(prior: Prior) -> NDArray[np.float64]:
        raise AssertionError("asked")

    wordless = fit_prior(tastes(), ROLES)
    assert weighed_resemblance(wordless, never) is wordless


def test_a_gain_within_two_standard_errors_lets_no_term_in(prior: Prior) -> None:
    sure = weighed(prior, wanted(target_of(prior, 0, 0)))
    assert (sure.profile_weight, sure.content_weight) == (0, 0)

    def lucky(prior: Prior) -> NDArray[np.float64]:
        return np.array([5.0, -4.9, 5.0, -4.9]) * (prior.profile_weight > 0)

    def certain(prior: Prior) -> NDArray[np.float64]:
        return np.array([0.06, 0.05, 0.04, 0.05]) * (prior.profile_weight > 0)

    def half_certain(prior: Prior) -> NDArray[np.float64]:
        return np.array([0.0, 0.3, 0.0, 0.3]) * (prior.profile_weight > 0)  # 1.7 standard errors

    assert weighed(prior, lucky).profile_weight == 0
    assert weighed(prior, half_certain).profile_weight == 0
    assert weighed(prior, certain).profile_weight == 0.5  # the smallest of those that do as well


def test_one_user_lets_no_term_in(prior: Prior) -> None:
    def better(prior: Prior) -> NDArray[np.float64]:
        return np.array([prior.profile_weight + prior.content_weight])

    chosen = weighed(prior, better)
    assert (chosen.profile_weight, chosen.content_weight) == (0, 0)


def test_a_term_that_is_not_there_is_not_weighed() -> None:
    prior = fit_prior(tastes(), {})

    def never(prior: Prior) -> NDArray[np.float64]:
        raise AssertionError("asked")

    found = weighed(prior, never)
    # what a later training finds of profiles has been judged by nobody
    assert found.profile_weight == 0
    assert found.profile is None


# -- recent popularity


def pairs_of(cells: list[tuple[int, int, float, int | None]], shape: tuple[int, int] = (4, 3)) -> Pairs:
    rows, columns, values, days = zip(*sorted(cells, key=lambda cell: cell[:2]), strict=True)
    times = [NO_TIME if day is None else day * DAY for day in days]
    return Pairs(
        shape,
        np.array(rows, dtype=np.int32),
        np.array(columns, dtype=np.int32),
        np.array(values, dtype=np.float32),
        np.array(times, dtype=np.int64),
    )


CELLS: list[tuple[int, int, float, int | None]] = [
    (0, 0, 1.0, 100),
    (0, 1, 0.5, 90),
    (1, 0, 1.0, 40),
    (1, 2, 1.0, None),
    (2, 1, 0.25, 70),
    (3, 2, 1.0, 101),
]


def slow_shares(cells: list[tuple[int, int, float, int | None]], rows: list[int], half_life: float) -> list[float]:
    kept = [cell for cell in cells if cell[0] in rows]
    known = [day for *_, day in kept if day is not None]
    shares = [0.0] * 3
    for _, column, value, day in kept:
        age = max(known) - (min(known) if day is None else day)
        shares[column] += value * 0.5 ** (age / half_life)
    scale = sum(value for _, _, value, _ in kept) / sum(shares)
    return [share * scale / len(rows) for share in shares]


@pytest.mark.parametrize("rows", [[0, 1, 2, 3], [0, 1], [1, 2]])
@pytest.mark.parametrize("half_life", [0.5, 7.0, 1000.0])
def test_recent_shares_are_those_of_a_plain_loop(rows: list[int], half_life: float) -> None:
    pairs = pairs_of([cell for cell in CELLS if cell[0] in rows])
    shares = recent_shares(pairs, len(rows), half_life)
    assert shares == pytest.approx(slow_shares(CELLS, rows, half_life), rel=1e-5)
    assert shares.dtype == np.float32


def test_recent_shares_are_as_large_in_all_as_plain_ones() -> None:
    pairs = pairs_of(CELLS)
    assert recent_shares(pairs, 4, 3).sum() == pytest.approx(pairs.values.sum() / 4)
    assert recent_shares(pairs, 4, 1e9) == pytest.approx(pairs.matrix().toarray().mean(axis=0), rel=1e-4)


def test_what_is_newer_counts_more() -> None:
    shares = recent_shares(pairs_of([(0, 0, 1.0, 0), (1, 1, 1.0, 10), (2, 2, 1.0, 20)]), 4, 10)
    assert shares[1] == pytest.approx(2 * shares[0])
    assert shares[2] == pytest.approx(2 * shares[1])


def test_however_old_it_is_there_are_no_numbers_too_small() -> None:
    ages: list[tuple[int, int, float, int | None]] = [(0, 0, 1.0, 0), (1, 1, 1.0, 100_000)]
    shares = recent_shares(pairs_of(ages), 4, 1e-3)
    assert shares == pytest.approx([0, 0.5, 0])


def test_what_has_no_time_counts_as_the_oldest() -> None:
    cells: list[tuple[int, int, float, int | None]] = [(0, 0, 1.0, None), (1, 1, 1.0, 0), (2, 2, 1.0, 10)]
    shares = recent_shares(pairs_of(cells), 4, 10)
    assert shares[0] == shares[1] == pytest.approx(shares[2] / 2)


def test_nobody_makes_no_share_infinite() -> None:
    assert np.isfinite(recent_shares(pairs_of(CELLS), 0, 5)).all()


@pytest.mark.parametrize("half_life", [0.0, -1.0, float("nan")])
def test_a_half_life_is_above_0(half_life: float) -> None:
    with pytest.raises(ConfigurationError, match="a number of days above 0"):
        recent_shares(pairs_of(CELLS), 4, half_life)


def test_recent_popularity_needs_times() -> None:
    timeless = pairs_of([(row, column, value, None) for row, column, value, _ in CELLS])
    for pairs in (timeless, replace(timeless, times=None)):
        with pytest.raises(ConfigurationError, match="needs a column of times"):
            recent_shares(pairs, 4, 5)


# -- as arrays


def test_a_prior_comes_back_from_its_arrays(prior: Prior, content: Content) -> None:
    assert prior.profile is not None
    again = Prior.from_arrays(prior.arrays(), prior.profile.encoder, ITEMS, content)
    people: Attributes = {"role": ids_of(["admin", "builder", "pilot"])}
    assert again.terms(people, blank(3)).total().tobytes() == prior.terms(people, blank(3)).total().tobytes()
    assert again.warm.tolist() == prior.warm.tolist()
    assert again.warm.dtype == np.bool_


def test_a_prior_without_profiles_comes_back_too() -> None:
    plain = fit_prior(tastes(), {})
    again = Prior.from_arrays(plain.arrays(), None, ITEMS, None)
    assert again.profile is None
    assert again.content is None
    assert again.shares.tobytes() == plain.shares.tobytes()


@pytest.mark.parametrize("name", ["shares", "warm", "means", "weights"])
@pytest.mark.parametrize("harm", ["missing", "short", "flat", "nan"])
def test_damaged_arrays_are_refused(name: str, harm: str, prior: Prior) -> None:
    arrays = dict(prior.arrays())
    array = arrays.pop(name).astype(np.float32)
    if harm == "short":
        arrays[name] = array[:-1]
    elif harm == "flat":
        arrays[name] = array[None]
    elif harm == "nan":
        arrays[name] = np.where(np.arange(array.size).reshape(array.shape) == 1, np.float32(np.nan), array)
    assert prior.profile is not None
    with pytest.raises(BundleError, match=f"the prior's '{name}'"):
        Prior.from_arrays(arrays, prior.profile.encoder, ITEMS, None)
