"""Every model of the zoo on two tastes, with roles and topics; of the last three items, cold ones, one is like none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.coldstart.blend import TERMS, Blend, blended_scores, of_rows
from foldin.coldstart.cold_items import fit_cold_items
from foldin.coldstart.content import Content, fit_content
from foldin.coldstart.handover import Handover, spread_unit, usual_handover
from foldin.coldstart.prior import fit_prior
from foldin.data.catalog import Attributes, Catalog, ids_of
from foldin.data.splitting import Holdout
from foldin.models.autoencoder import AutoEncoder
from foldin.models.ease import EASE, EDLAE
from foldin.models.popularity import Popularity
from foldin.models.protocols import Estimator, LinearModel
from foldin.models.zoo import ESTIMATORS

UNKNOWN: Any = None  # a cell that is not known
USERS, WARM = 80, 12
SEA, HILLS, LONE = WARM, WARM + 1, WARM + 2
ITEMS = WARM + 3

SMALL: dict[str, Estimator] = {
    "popularity": Popularity(),
    "ease": EASE(l2=3),
    "edlae": EDLAE(l2=3, dropout=0.25),
    "autoencoder": AutoEncoder(hidden=(8,), latent=4, epochs=20, learning_rate=0.02, batch_size=16),
}
"""Every estimator, small enough for two tastes."""

ROLES: Attributes = {"role": ids_of(["sailor", "climber"] * (USERS // 2)), "age": ids_of(map(str, range(20, 100)))}
PEOPLE: Attributes = {
    "role": ids_of(["sailor", "climber", UNKNOWN, "pilot", "sailor", "climber"]),
    "age": ids_of(["30", UNKNOWN, "55", "?", UNKNOWN, "99"]),
    "interests": ids_of(["hills", "sea", UNKNOWN, "nothing", "sea and hills", UNKNOWN]),
}
HELD = [[0, 2, 4], [], [1, 6], [3], list(range(0, WARM, 2)), []]


def tastes() -> csr_array:
    alike = np.add.outer(np.arange(USERS), np.arange(ITEMS)) % 2 == 0
    rows = np.random.default_rng(0).random((USERS, ITEMS)) < np.where(alike, 0.7, 0.1)
    rows[:, WARM:] = False
    return csr_array(rows.astype(np.float32))


def histories() -> csr_array:
    rows = np.zeros((len(HELD), ITEMS), dtype=np.float32)
    for row, held in enumerate(HELD):
        rows[row, held] = 1 - 0.1 * np.arange(len(held))
    return csr_array(rows)


def content() -> Content:
    titles = [["the sea", "the hills"][item % 2] + f" part {item}" for item in range(WARM)]
    found = fit_content(Catalog(ids_of(map(str, range(ITEMS))), {"title": ids_of([*titles, "sea", "hills", "moon"])}))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def blends() -> dict[str, Blend]:
    warm, words = tastes(), content()
    fitted = replace(fit_prior(warm, ROLES, words), seen_attributes=("age", "interests", "role"))
    prior = fitted.with_weights(profile=2, content=0.5, resemblance=3)
    cold_items = fit_cold_items(words.item_vectors(), np.arange(ITEMS) >= WARM, history_weight=1.5)
    models = {name: estimator.fit(warm, seed=1) for name, estimator in SMALL.items()}
    return {
        name: Blend(model, prior, _parted(usual_handover(spread_unit(model.score(warm)))), cold_items)
        for name, model in models.items()
    }


def _parted(handover: Handover) -> Handover:
    """With other weights where the profile tells nothing, and such a scale that some tell half."""
    return replace(handover, untold=handover.weights * np.float32(0.25), usual_lead=4.0)


@pytest.fixture(params=SMALL)
def blend(request: pytest.FixtureRequest, blends: dict[str, Blend]) -> Blend:
    return blends[request.param]


def lean(blend: Blend, without: str) -> Blend:
    """The blend without one of its parts."""
    match without:
        case "profile":
            return replace(blend, prior=replace(blend.prior, profile=None))
        case "content":
            return replace(blend, prior=replace(blend.prior, content=None))
        case "cold items":
            return replace(blend, cold_items=None)
        case _:
            return blend


def lead(blend: Blend, person: Attributes) -> float:
    """How far above the mean item the best one is by what a profile says."""
    prior, said = blend.prior, np.zeros(ITEMS)
    if prior.profile is not None:
        said = said + prior.profile_weight * prior.profile.score(person, 1)[0] / prior.unit
    if prior.content is not None:
        said = said + prior.content_weight * prior.content.score(person, 1)[0]
    return float(said.max() - said.mean())


def slow_score(blend: Blend, row: csr_array, person: Attributes, item: int) -> float:
    """One cell, as the docstrings say it."""
    shares = {item: 1.0}
    resembled = 0.0
    if blend.cold_items is not None and blend.cold_items.reachable[item]:
        column = blend.cold_items.weights.toarray()[:, item]
        shares = {int(source): float(column[source]) for source in np.flatnonzero(column)}
        resembled = blend.cold_items.history_weight * float(row.toarray()[0] @ column)
    prior, known = blend.prior, row.nnz
    told, untold = (
        float(np.interp(np.log1p(known), np.log1p(blend.handover.lengths), weights))
        for weights in (blend.handover.weights, blend.handover.untold)
    )
    tells = min(1, lead(blend, person) / blend.handover.usual_lead)
    weight = tells * told + (1 - tells) * untold
    scores = blend.model.score(row)[0]
    model = (scores - scores[:WARM].mean()) * blend.handover.unit if known else np.zeros(ITEMS)
    before = prior.shares / prior.unit
    if prior.profile is not None:
        before = before + prior.profile_weight * prior.profile.score(person, 1)[0] / prior.unit
    total = sum(share * float(model[source] + weight * before[source]) for source, share in shares.items())
    if prior.content is not None:
        total += weight * prior.content_weight * float(prior.content.score(person, 1)[0, item])
        total += weight * prior.resemblance_weight * float(prior.content.resembling(row)[0, item])
    return total + resembled


def row_of(row: int) -> tuple[csr_array, Attributes]:
    return histories()[[row]], of_rows(PEOPLE, np.array([row]))


def test_the_suite_knows_every_estimator() -> None:
    assert {name: type(estimator) for name, estimator in SMALL.items()} == ESTIMATORS


# -- terms


@pytest.mark.parametrize("without", ["nothing", "profile", "content", "cold items"])
def test_scores_are_what_the_formula_says(without: str, blend: Blend) -> None:
    partial = lean(blend, without)
    scores = partial.score(histories(), PEOPLE)
    slow = [[slow_score(partial, *row_of(row), item) for item in range(ITEMS)] for row in range(len(HELD))]
    assert scores == pytest.approx(np.array(slow), abs=1e-4)
    assert scores.dtype == np.float32


@pytest.mark.parametrize("without", ["nothing", "profile", "content", "cold items"])
@pytest.mark.parametrize("attributes", [PEOPLE, {}], ids=["profiles", "no profiles"])
def test_terms_add_up_to_the_score(attributes: Attributes, without: str, blend: Blend) -> None:
    partial = lean(blend, without)
    terms = partial.terms(histories(), attributes)
    cells = np.repeat(np.arange(len(HELD)), ITEMS), np.tile(np.arange(ITEMS, dtype=np.int32), len(HELD))
    at = terms.at(*cells)
    assert tuple(at) == TERMS
    scores = partial.score(histories(), attributes)
    assert sum(at.values()) == pytest.approx(scores.ravel(), abs=1e-5)
    assert np.array_equal(terms.total(), scores)
    assert (terms.profile is None) == (without == "profile" or not attributes)
    assert (terms.content is None) == (without == "content")
    assert without != "profile" or not at["profile"].any()


def test_without_a_history_the_prior_speaks_alone(blend: Blend) -> None:
    terms = blend.terms(histories(), PEOPLE)
    empty = np.array([not held for held in HELD])
    assert (terms.history[empty] == 0).all()
    alone = blend.terms(csr_array(np.zeros((2, ITEMS), dtype=np.float32)), {})
    assert not alone.history.any()
    popularity = blend.handover.untold[0] * blend.prior.shares[:WARM] / blend.prior.unit
    assert alone.popularity[0, :WARM] == pytest.approx(popularity, rel=1e-6)


def test_totals_are_in_an_array_of_their_own(blend: Blend) -> None:
    terms = blend.terms(histories(), {})
    before = terms.popularity.copy(), terms.history.copy()
    terms.total()[:] = 99
    assert np.array_equal(terms.popularity, before[0])
    assert np.array_equal(terms.history, before[1])


def test_who_else_is_asked_for_plays_no_part(blend: Blend) -> None:
    together = blend.score(histories(), PEOPLE)
    alone = [blend.score(*row_of(row))[0] for row in range(len(HELD))]
    assert together == pytest.approx(np.array(alone), abs=1e-5)
    order = np.array([5, 3, 0, 4, 1, 2])
    turned = blend.score(histories()[order], of_rows(PEOPLE, order))
    assert turned == pytest.approx(together[order], abs=1e-5)


def test_held_out_users_are_scored_with_their_own_profiles(blend: Blend) -> None:
    people = np.array([4, 0, 1])
    holdout = Holdout(people, histories()[people], histories()[people])
    found = blended_scores(blend, PEOPLE, holdout)(slice(1, 3))
    scores = blend.score(histories()[people], of_rows(PEOPLE, people))[1:]
    assert found[:, :WARM] == pytest.approx(scores[:, :WARM], abs=1e-5)
    assert np.isneginf(found[:, WARM:]).all()  # what nobody had cannot be found


def test_a_model_that_does_not_look_at_histories_has_no_term(blends: dict[str, Blend]) -> None:
    blend = blends["popularity"]
    assert blend.handover.unit == 0
    terms = replace(blend, cold_items=None).terms(histories(), {})
    assert not terms.history.any()


def test_nobody_asked_for(blend: Blend) -> None:
    assert blend.score(histories()[:0], of_rows(PEOPLE, np.arange(0))).shape == (0, ITEMS)


# -- cold items


def test_reachable_are_warm_items_and_what_resembles_them(blend: Blend) -> None:
    assert np.flatnonzero(~blend.reachable).tolist() == [LONE]
    assert np.flatnonzero(~lean(blend, "cold items").reachable).tolist() == [SEA, HILLS, LONE]


@pytest.mark.parametrize("name", ["ease", "edlae", "autoencoder"])
def test_a_taste_gets_its_cold_item(name: str, blends: dict[str, Blend]) -> None:
    rows = np.zeros((2, ITEMS), dtype=np.float32)
    rows[0, [0, 2, 4, 6]] = rows[1, [1, 3, 5, 7]] = 1
    scores = blends[name].score(csr_array(rows), {})
    assert scores[0, SEA] > scores[0, HILLS] + 0.5
    assert scores[1, HILLS] > scores[1, SEA] + 0.5


def test_words_alone_say_what_resembles_a_cold_item(blend: Blend) -> None:
    history = csr_array(np.eye(ITEMS, dtype=np.float32)[[SEA]])
    terms = blend.resemblance(history)
    assert blend.prior.content is None or terms.content is not None
    if terms.content is not None:
        assert terms.content[0, 0] > terms.content[0, 1]  # of the sea, and of the hills
        assert terms.content[0, SEA] == 0
    assert not terms.history.any()
    assert not terms.popularity.any()


def test_without_the_prior_the_history_speaks_alone(blend: Blend) -> None:
    histories = csr_array(np.eye(ITEMS, dtype=np.float32)[[0, 3]])
    alone, whole = blend.without_prior(histories), blend.terms(histories, {})
    np.testing.assert_array_equal(alone.history, whole.history)
    np.testing.assert_array_equal(alone.total(), whole.history)


# -- what adds up


@pytest.mark.parametrize("name", ["ease", "edlae"])
@pytest.mark.parametrize("item", [0, 5, SEA, HILLS, LONE])
@pytest.mark.parametrize("row", range(len(HELD)))
def test_contributions_of_a_linear_models_items_add_up(
    row: int, item: int, name: str, blends: dict[str, Blend]
) -> None:
    blend = blends[name]
    assert isinstance(blend.model, LinearModel)
    history, person = row_of(row)
    (contributions,), additive = blend.item_contributions(history, [item])
    assert additive
    assert contributions.shape == (history.nnz,)
    assert contributions.sum() == pytest.approx(float(blend.terms(history, person).history[0, item]), abs=1e-5)


@pytest.mark.parametrize("item", [0, 5, SEA, LONE])
@pytest.mark.parametrize("row", range(len(HELD)))
def test_contributions_of_a_networks_items_are_what_goes_when_they_go(
    row: int, item: int, blends: dict[str, Blend]
) -> None:
    blend = blends["autoencoder"]
    history, _ = row_of(row)
    (contributions,), additive = blend.item_contributions(history, [item])
    assert additive == (history.nnz == 0)
    whole = blend.terms(history, {}).history[0, item]
    for place, held in enumerate(history.indices):
        fewer = history.toarray()
        fewer[0, held] = 0
        left = blend.terms(csr_array(fewer), {}).history[0, item]
        assert contributions[place] == pytest.approx(float(whole - left), abs=1e-4)


@pytest.mark.parametrize("item", [0, 5, SEA, HILLS, LONE])
@pytest.mark.parametrize("row", range(len(HELD)))
def test_contributions_of_attributes_add_up(row: int, item: int, blend: Blend) -> None:
    history, person = row_of(row)
    (contributions,) = blend.attribute_contributions(history, person, [item])
    term = blend.terms(history, person).profile
    assert term is not None
    assert sum(contributions.values()) == pytest.approx(float(term[0, item]), abs=1e-5)


def test_attributes_that_say_nothing_are_not_named(blend: Blend) -> None:
    named = [set(blend.attribute_contributions(*row_of(row), [0])[0]) for row in range(4)]
    assert named == [{"role", "age"}, {"role"}, {"age"}, set()]


@pytest.mark.parametrize("without", ["profile", "weight", "attributes"])
def test_without_profiles_there_are_no_contributions_of_theirs(without: str, blend: Blend) -> None:
    history, person = row_of(0)
    partial = lean(blend, without)
    if without == "weight":
        partial = replace(blend, prior=blend.prior.with_weights(profile=0))
    assert partial.attribute_contributions(history, {} if without == "attributes" else person, [0]) == [{}]


# -- the handover


@pytest.mark.parametrize("name", ["ease", "edlae", "autoencoder"])
def test_the_longer_the_history_the_less_the_prior_says(name: str, blends: dict[str, Blend]) -> None:
    falling = np.array([2, 0], dtype=np.float32)
    handover = Handover(1.0, np.array([0, 7]), falling, falling, 1.0)
    blend = replace(blends[name], prior=blends[name].prior.with_weights(resemblance=0), handover=handover)
    rows = np.zeros((4, ITEMS), dtype=np.float32)
    for row, length in enumerate((0, 1, 3, 7)):
        rows[row, :length] = 1
    terms = blend.terms(csr_array(rows), of_rows(PEOPLE, np.zeros(4, dtype=np.intp)))
    for term in (terms.popularity, terms.profile, terms.content):
        assert term is not None
        weights: NDArray[np.float64] = np.array([2, 4 / 3, 2 / 3, 0])
        assert term == pytest.approx(np.outer(weights / 2, term[0]), abs=1e-5)
