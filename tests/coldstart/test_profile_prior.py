"""Against a plain ridge regression that really leaves each user out, on worlds small enough to be dense."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

import foldin.coldstart.profile_prior as module
from foldin.coldstart.encoding import ProfileEncoder, fit_encoder
from foldin.coldstart.profile_prior import PENALTIES, ProfilePrior, _Ridge, fit_profile_prior
from foldin.data.catalog import Attributes, ids_of

Dense = NDArray[np.float64]

UNKNOWN: Any = None  # a cell that is not known
USERS, ITEMS = 60, 7


def people(seed: int = 0, users: int = USERS) -> Attributes:
    """Roles and ages, of which some are not known, and several interests each."""
    rng = np.random.default_rng(seed)
    ages = rng.integers(20, 70, users)
    interests = [rng.choice(["sql", "disks", "clouds"], size, replace=False) for size in rng.integers(1, 4, users)]
    return {
        "role": ids_of(rng.choice(np.array(["admin", "builder", "chef", UNKNOWN], dtype=object), users)),
        "age": ids_of(UNKNOWN if age % 7 == 0 else str(age) for age in ages),
        "interests": ids_of("|".join(several) for several in interests),
    }


def likes(attributes: Attributes, strength: float, seed: int = 0) -> csr_array:
    """Admins like items 0 and 1 more than others do, by so much; what else is liked is chance."""
    rng = np.random.default_rng(seed)
    shares = np.full((len(attributes["role"]), ITEMS), 0.3)
    shares[attributes["role"] == "admin", :2] += strength
    values = rng.choice([0.5, 1.0], shares.shape)
    return csr_array(((rng.random(shares.shape) < shares) * values).astype(np.float32))


def plain_tastes(attributes: Attributes) -> csr_array:
    """Admins have items 0 and 1, others do not."""
    rows = np.zeros((len(attributes["role"]), ITEMS), dtype=np.float32)
    rows[attributes["role"] == "admin", :2] = 1
    return csr_array(rows)


def centred(encoder: ProfileEncoder, attributes: Attributes, users: int) -> Dense:
    """Features less their mean over the users of whom the attribute is known; 0 where it is not."""
    features = encoder.encode(attributes, users).toarray().astype(np.float64)
    start = 0
    for block in encoder.blocks:
        columns = slice(start, start + len(block.names))
        known = features[:, columns].any(axis=1)
        features[known, columns] -= features[known, columns].mean(axis=0)
        start = columns.stop
    return features


def ridge(features: Dense, targets: Dense, l2: float) -> Dense:
    return np.asarray(np.linalg.solve(features.T @ features + l2 * np.eye(features.shape[1]), features.T @ targets))


def errors_left_out(features: Dense, targets: Dense, l2: float) -> Dense:
    errors = np.zeros(len(features))
    for user in range(len(features)):
        others = np.arange(len(features)) != user
        errors[user] = np.square(targets[user] - features[user] @ ridge(features[others], targets[others], l2)).sum()
    return errors


def error_left_out(features: Dense, targets: Dense, l2: float) -> float:
    return float(errors_left_out(features, targets, l2).sum())


def dense(attributes: Attributes, histories: csr_array) -> tuple[Dense, Dense]:
    """Centred features, and by how much each history is above popularity."""
    rows = histories.toarray().astype(np.float64)
    return centred(fit_encoder(attributes), attributes, len(rows)), rows - rows.mean(axis=0)


def fitted(attributes: Attributes, histories: csr_array) -> ProfilePrior:
    prior = fit_profile_prior(attributes, histories)
    assert prior is not None
    return prior


def parts(features: Dense, size: int) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    for start in range(0, len(features), size):
        part = slice(start, min(start + size, len(features)))
        yield part, features[part].astype(np.float32)


@pytest.fixture(scope="module")
def attributes() -> Attributes:
    return people()


@pytest.fixture(scope="module")
def prior(attributes: Attributes) -> ProfilePrior:
    return fitted(attributes, likes(attributes, 0.6))


# -- the reference


def test_left_out_errors_are_those_of_really_leaving_each_user_out(attributes: Attributes) -> None:
    histories = likes(attributes, 0.6)
    features, targets = dense(attributes, histories)
    spectrum, basis = np.linalg.eigh(features.T @ features)
    popularity = histories.toarray().astype(np.float64).mean(axis=0)
    fast = _Ridge(np.maximum(spectrum, 0), basis, basis.T @ features.T @ targets, popularity)
    slow = [*(error_left_out(features, targets, l2) for l2 in PENALTIES), np.square(targets).sum()]
    assert fast.errors(parts(features, 17), histories).sum(axis=1) == pytest.approx(slow, rel=1e-4)


@pytest.mark.parametrize("l2", PENALTIES)
def test_weights_are_those_of_a_plain_ridge(l2: float, attributes: Attributes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PENALTIES", (l2,))
    histories = plain_tastes(attributes)
    prior = fitted(attributes, histories)
    assert prior.weights == pytest.approx(ridge(*dense(attributes, histories), l2), abs=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_the_penalty_is_the_one_that_does_best_for_users_left_out(seed: int) -> None:
    attributes = people(seed)
    histories = likes(attributes, 0.1 * seed, seed)
    features, targets = dense(attributes, histories)
    errors = [error_left_out(features, targets, l2) for l2 in PENALTIES]
    prior = fit_profile_prior(attributes, histories)
    if np.square(targets).sum() <= min(errors):
        assert prior is None
    else:
        assert prior is not None
        assert prior.weights == pytest.approx(ridge(features, targets, PENALTIES[np.argmin(errors)]), abs=1e-5)


def test_both_answers_come_up_in_these_worlds() -> None:
    found = [fit_profile_prior(people(seed), likes(people(seed), 0.1 * seed, seed)) for seed in range(8)]
    assert {prior is None for prior in found} == {True, False}


def test_blocks_of_users_add_up(attributes: Attributes, prior: ProfilePrior, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 7)
    assert fitted(attributes, likes(attributes, 0.6)).weights == pytest.approx(prior.weights, abs=1e-6)


# -- what it is worth


def test_profiles_that_decide_predict_users_who_were_not_there() -> None:
    many, others = people(seed=1, users=400), people(seed=2, users=400)
    histories = likes(many, 0.6)
    corrections = fitted(many, histories).score(others, 400)
    admins = others["role"] == "admin"
    # admins are about a quarter, and have .45 more of these than others do
    assert corrections[admins, :2].mean(axis=0) == pytest.approx([0.45 * 3 / 4] * 2, abs=0.1)
    assert (corrections[(others["role"] == "chef") | (others["role"] == "builder"), :2].mean(axis=0) < -0.05).all()
    assert np.abs(corrections[:, 2:].mean(axis=0)).max() < 0.02
    surprise = likes(others, 0.6, seed=2).toarray() - histories.toarray().mean(axis=0)
    assert np.square(surprise - corrections)[:, :2].sum() < 0.9 * np.square(surprise[:, :2]).sum()


def test_profiles_that_say_nothing_are_left_out_or_do_no_harm() -> None:
    found = [fit_profile_prior(people(seed), likes(people(seed + 100), 0, seed)) for seed in range(20)]
    assert sum(prior is None for prior in found) >= 10
    others = people(seed=1, users=400)
    # everybody has every item with a share of .225 and a variance of .137, whatever the profile
    harms = [np.square(prior.score(others, 400)).mean() / 0.137 for prior in found if prior is not None]
    assert max(harms) < 0.02


@pytest.mark.parametrize("seed", range(3))
def test_the_lead_is_in_standard_errors_over_users_left_out(seed: int) -> None:
    attributes = people(seed)
    histories = likes(attributes, 0.6, seed)
    features, targets = dense(attributes, histories)
    prior = fitted(attributes, histories)
    by_penalty = [errors_left_out(features, targets, l2) for l2 in PENALTIES]
    gains = np.square(targets).sum(axis=1) - min(by_penalty, key=lambda errors: float(errors.sum()))
    assert prior.lead == pytest.approx(gains.mean() / (gains.std(ddof=1) / np.sqrt(USERS)), rel=1e-3)


def test_chance_does_not_get_far_ahead() -> None:
    found = [fit_profile_prior(people(seed), likes(people(seed + 100), 0, seed)) for seed in range(40)]
    leads = [prior.lead for prior in found if prior is not None]
    assert len(leads) > 5
    assert sum(lead > 2 for lead in leads) <= 2
    assert np.median([fitted(people(seed), plain_tastes(people(seed))).lead for seed in range(10)]) > 4


def test_none_without_users_or_without_features(attributes: Attributes) -> None:
    nobody = {name: column[:0] for name, column in attributes.items()}
    assert fit_profile_prior(nobody, csr_array(np.zeros((0, ITEMS), dtype=np.float32))) is None
    alike = {"role": ids_of(["admin"] * USERS)}
    assert fit_profile_prior(alike, likes(attributes, 0.6)) is None
    assert fit_profile_prior({}, likes(attributes, 0.6)) is None


def test_users_without_any_history_do_no_harm(attributes: Attributes) -> None:
    assert fit_profile_prior(attributes, csr_array(np.zeros((USERS, ITEMS), dtype=np.float32))) is None


# -- what is not known


def one(**profile: str) -> Attributes:
    return {name: ids_of([cell]) for name, cell in profile.items()}


def test_what_is_not_known_adds_exactly_nothing(prior: ProfilePrior) -> None:
    assert not prior.score({}, 3).any()
    assert not prior.score(one(role="pilot"), 1).any()
    assert not prior.score(one(planet="mars"), 1).any()
    admin = prior.score(one(role="admin"), 1)
    for nothing in (one(role="admin", interests="fishing"), one(role="admin", age=UNKNOWN), one(role="admin", age="?")):
        assert np.array_equal(prior.score(nothing, 1), admin)


def test_what_one_user_lacks_does_not_touch_another(prior: ProfilePrior, attributes: Attributes) -> None:
    together = prior.score(attributes, USERS)
    for user in range(USERS):
        alone = prior.score({name: column[[user]] for name, column in attributes.items()}, 1)
        assert together[user] == pytest.approx(alone[0], abs=1e-6)


# -- what adds up


@pytest.mark.parametrize(
    "profile",
    [one(role="admin"), one(role="chef", age="33", interests="sql|disks"), one(role="pilot", age="60"), one(), {}],
    ids=["one", "all", "one unknown", "none", "no attribute"],
)
def test_contributions_add_up_to_the_score(prior: ProfilePrior, profile: Attributes) -> None:
    contributions = prior.contributions(profile)
    total = sum(contributions.values(), start=np.zeros(ITEMS))
    assert total == pytest.approx(prior.score(profile, 1)[0], abs=1e-6)


def test_contributions_name_the_attributes_that_say_something(prior: ProfilePrior) -> None:
    profile = one(role="admin", interests="fishing", age="40", planet="mars")
    assert set(prior.contributions(profile)) == {"role", "age"}
    assert prior.contributions(profile)["role"] == pytest.approx(prior.score(one(role="admin"), 1)[0])


def test_the_order_of_attributes_and_users_plays_no_part(prior: ProfilePrior, attributes: Attributes) -> None:
    order = np.random.default_rng(0).permutation(USERS)
    turned = {name: attributes[name][order] for name in reversed(list(attributes))}
    again = fitted(turned, likes(attributes, 0.6)[order])
    assert again.encoder == prior.encoder
    assert again.weights == pytest.approx(prior.weights, abs=1e-6)
    assert again.means == pytest.approx(prior.means, abs=1e-6)
