from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import expit

from foldin.errors import BundleError
from foldin.models.autoencoder import AutoEncoder
from foldin.models.network import Network, restore_network
from foldin.models.protocols import FactorModel

RNG = np.random.default_rng(0)
ARRAYS = {
    "weights.0": RNG.normal(size=(4, 3)).astype(np.float32),
    "weights.1": RNG.normal(size=(3, 2)).astype(np.float32),
    "weights.2": RNG.normal(size=(2, 4)).astype(np.float32),
    "biases.0": RNG.normal(size=3).astype(np.float32),
    "biases.1": RNG.normal(size=2).astype(np.float32),
    "biases.2": RNG.normal(size=4).astype(np.float32),
}
HISTORIES = csr_array(np.array([[1, 0, 0, 0.5], [0, 0, 0, 0], [1, 1, 2, 1]], dtype=np.float32))


@pytest.fixture
def network() -> Network:
    return restore_network(ARRAYS, (3, 2), "tanh")


def test_scores_by_hand(network: Network) -> None:
    X = HISTORIES.toarray() / np.sqrt([[2], [1], [4]])
    hidden = np.tanh(X @ ARRAYS["weights.0"] + ARRAYS["biases.0"])
    hidden = np.tanh(hidden @ ARRAYS["weights.1"] + ARRAYS["biases.1"])
    expected = expit(hidden @ ARRAYS["weights.2"] + ARRAYS["biases.2"])
    assert np.allclose(network.score(HISTORIES), expected, atol=1e-6)


@pytest.mark.parametrize("users", range(10))
def test_any_number_of_histories_scores_as_each_of_them_alone(network: Network, users: int) -> None:
    histories = csr_array(RNG.random((users, 4), dtype=np.float32))
    alone = [network.score(csr_array(histories[[row]])) for row in range(users)]
    together = network.score(histories)
    assert together.shape == (users, 4)
    assert np.allclose(together, np.concatenate([np.empty((0, 4)), *alone]), atol=1e-6)


def test_factors_rank_as_scores_do(network: Network) -> None:
    assert isinstance(network, FactorModel)
    logits = network.encode(HISTORIES) @ network.item_factors.T + network.item_bias
    assert np.allclose(expit(logits), network.score(HISTORIES), atol=1e-6)


@pytest.mark.parametrize(
    "changed",
    [
        {"weights.1": None},
        {"biases.2": None},
        {"weights.1": np.zeros((2, 3), np.float32)},
        {"weights.2": np.zeros((2, 5), np.float32)},
        {"biases.0": np.zeros(4, np.float32)},
        {"biases.0": np.zeros((3, 1), np.float32)},
        {"weights.0": ARRAYS["weights.0"].astype(np.float64)},
        {"weights.0": np.full((4, 3), np.nan, np.float32)},
        {"biases.1": np.full(2, np.inf, np.float32)},
    ],
    ids=repr,
)
def test_arrays_that_do_not_fit_are_refused(changed: Mapping[str, NDArray[np.generic] | None]) -> None:
    arrays = {name: array for name, array in {**ARRAYS, **changed}.items() if array is not None}
    with pytest.raises(BundleError):
        restore_network(arrays, (3, 2), "tanh")


def test_the_hyperparameters_say_the_widths() -> None:
    with pytest.raises(BundleError):
        restore_network(ARRAYS, (3, 3), "tanh")
    assert AutoEncoder(hidden=(128, 32), latent=8).widths == (128, 32, 8, 32, 128)
