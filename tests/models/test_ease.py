from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.errors import BundleError, ConfigurationError, ResourceError, TrainingError
from foldin.models.ease import EASE, EDLAE
from foldin.models.linear import LinearAutoEncoder


def random_histories(users: int = 50, items: int = 14, seed: int = 0) -> csr_array:
    rng = np.random.default_rng(seed)
    strengths = rng.uniform(0.2, 3, (users, items)) * (rng.random((users, items)) < 0.3)
    return csr_array(strengths.astype(np.float32))


def slow_weights(histories: csr_array, l2: float, dropout: float) -> NDArray[np.float64]:
    """B = I - P diag(1 / diag(P)), P = (X'X + penalties)^-1, in float64 and dense."""
    X = histories.toarray().astype(np.float64)
    gram = X.T @ X
    penalties = dropout / (1 - dropout) * np.diag(gram) + l2
    inverse = np.linalg.inv(gram + np.diag(penalties))
    return np.eye(len(gram)) - inverse / np.diag(inverse)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("l2", "dropout"), [(1, 0), (30, 0), (5, 0.25), (0.5, 0.6)])
def test_weights_are_those_of_the_plain_formula(seed: int, l2: float, dropout: float) -> None:
    histories = random_histories(seed=seed)
    estimator = EDLAE(l2, dropout) if dropout else EASE(l2)
    assert np.allclose(estimator.fit(histories).weights, slow_weights(histories, l2, dropout), atol=2e-5)


@pytest.mark.parametrize(("l2", "dropout"), [(3, 0), (3, 0.3)])
def test_weights_are_at_the_minimum(l2: float, dropout: float) -> None:
    # off the diagonal, the gradient of ||X - X B||^2 + sum_j penalty_j ||B_j.||^2 is 0
    histories = random_histories()
    weights = EDLAE(l2, dropout).fit(histories).weights.astype(np.float64)
    X = histories.toarray().astype(np.float64)
    gram = X.T @ X
    penalties = dropout / (1 - dropout) * np.diag(gram) + l2
    gradient = (gram + np.diag(penalties)) @ weights - gram
    np.fill_diagonal(gradient, 0)
    assert np.abs(gradient).max() < 1e-3
    assert np.abs(np.diag(weights)).max() == 0


def test_penalties_of_edlae_grow_with_dropout_and_l2() -> None:
    histories = random_histories()
    sizes = [float(np.square(EDLAE(l2, p).fit(histories).weights).sum()) for l2, p in ((1, 0.1), (1, 0.5), (50, 0.5))]
    assert sizes == sorted(sizes, reverse=True)


def test_the_defaults_are_the_documented_ones() -> None:
    assert EASE() == EASE(l2=100)
    assert EDLAE() == EDLAE(l2=100, dropout=0.25)


def test_edlae_without_dropout_is_ease() -> None:
    histories = random_histories()
    assert np.array_equal(EDLAE(7, 0).fit(histories).weights, EASE(7).fit(histories).weights)


def test_weights_do_not_depend_on_the_order_of_users() -> None:
    # on counts the Gram matrix is of whole numbers, so that not even rounding tells
    histories = random_histories()
    histories.data[:] = np.ceil(histories.data)
    order = np.random.default_rng(1).permutation(50)
    assert np.array_equal(EDLAE().fit(histories).weights, EDLAE().fit(histories[order]).weights)


@pytest.mark.parametrize("share", [0.01, 0.5])
def test_scores_are_histories_times_weights(share: float) -> None:
    rng = np.random.default_rng(2)
    model = LinearAutoEncoder(rng.normal(size=(20, 20)).astype(np.float32))
    histories = csr_array((rng.random((600, 20)) < share).astype(np.float32))
    scores = model.score(histories)
    assert scores.dtype == np.float32
    assert np.allclose(scores, histories.toarray() @ model.weights, atol=1e-5)


def test_strengths_past_float32_when_multiplied_are_an_error() -> None:
    histories = random_histories()
    histories.data[:5] = 1e25
    with pytest.raises(TrainingError, match="not positive definite"):
        EASE().fit(histories)


@pytest.mark.parametrize("l2", [0, -1, float("nan"), float("inf")])
def test_a_closed_form_needs_a_penalty(l2: float) -> None:
    for kind in (EASE, EDLAE):
        with pytest.raises(ConfigurationError, match=f"l2 is {l2}"):
            kind(l2)


@pytest.mark.parametrize("dropout", [1, -0.1, 1.5, float("nan")])
def test_dropout_is_a_share(dropout: float) -> None:
    with pytest.raises(ConfigurationError, match=f"dropout is {dropout}"):
        EDLAE(dropout=dropout)


@pytest.mark.parametrize("estimator", [EASE(), EDLAE()], ids=["ease", "edlae"])
def test_two_million_items_are_refused_before_any_work(estimator: EASE | EDLAE) -> None:
    histories = csr_array(np.ones((1, 2_000_000), np.float32))
    with pytest.raises(ResourceError, match=r"on 2,000,000 items with events needs about 17,600\.0 GB of memory"):
        estimator.fit(histories)


# -- items without events


def with_cold_items(histories: csr_array, seed: int = 3) -> csr_array:
    """The same histories over a catalogue in which two of three items have no event."""
    items = 3 * histories.shape[1]
    places = np.sort(np.random.default_rng(seed).choice(items, histories.shape[1], replace=False))
    spread = np.zeros((histories.shape[0], items), dtype=np.float32)
    spread[:, places] = histories.toarray()
    return csr_array(spread)


@pytest.mark.parametrize("estimator", [EASE(3), EDLAE(2, 0.4)], ids=["ease", "edlae"])
def test_items_without_events_separate_from_the_others(estimator: EASE | EDLAE) -> None:
    histories = with_cold_items(random_histories())
    slow = slow_weights(histories, estimator.l2, getattr(estimator, "dropout", 0.0))
    model = estimator.fit(histories)
    assert model.weights.shape == (14, 14)
    everything, some = np.arange(histories.shape[1]), np.array([40, 3, 17, 2])
    np.testing.assert_allclose(model.item_weights.between(everything, everything), slow, atol=1e-6)
    np.testing.assert_allclose(model.item_weights.between(everything, some), slow[:, some], atol=1e-6)
    np.testing.assert_allclose(model.score(histories), histories.toarray() @ slow, atol=1e-5)
    vector = np.random.default_rng(0).random(histories.shape[1])
    np.testing.assert_allclose(model.item_weights @ vector, slow @ vector, atol=1e-6)


def test_a_model_with_items_without_events_comes_back_from_its_arrays() -> None:
    histories = with_cold_items(random_histories())
    model = EASE(3).fit(histories)
    arrays = model.arrays()
    again = EASE(3).restore(arrays)
    assert np.array_equal(again.score(histories), model.score(histories))
    assert sum(array.nbytes for array in arrays.values()) == 14 * 14 * 4 + histories.shape[1]
    for warm in (arrays["warm"][:-3], np.logical_not(arrays["warm"]), arrays["warm"].astype(np.int32)):
        with pytest.raises(BundleError, match="'warm' does not name the items"):
            EASE(3).restore({**arrays, "warm": warm})


def test_a_log_without_events_gives_no_weights() -> None:
    histories = csr_array(np.zeros((3, 5), dtype=np.float32))
    assert not EASE().fit(histories).score(histories).any()
