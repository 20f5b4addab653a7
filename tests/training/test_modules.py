from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from foldin.models.network import Network as Fitted
from foldin.models.network import restore_network
from foldin.training.batches import on_device
from foldin.training.modules import Network
from foldin.training.state import weights_of

HISTORIES = csr_array(
    np.array([[1, 0, 0.5, 0, 2], [0, 0, 0, 0, 0], [0.2, 1, 1, 1, 1], [0, 0, 0, 7, 0]], dtype=np.float32)
)


def pair(hidden: tuple[int, ...], activation: str) -> tuple[Network, Fitted]:
    generator = torch.Generator().manual_seed(1)
    module = Network((5, *hidden, 5), activation, torch.randn(5, generator=generator), generator)
    with torch.no_grad():
        for bias in module.biases:
            bias += torch.randn(bias.shape, generator=generator)
        for weight in module.weights:
            weight *= 2  # or the deeper ones hardly tell one history from another
    return module, restore_network(weights_of(module), hidden, activation)


@pytest.mark.parametrize("hidden", [(3,), (4, 2, 4), (6, 4, 3, 4, 6)])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
def test_numpy_scores_as_torch_does(hidden: tuple[int, ...], activation: str) -> None:
    module, fitted = pair(hidden, activation)
    with torch.no_grad():
        expected = torch.sigmoid(module(on_device(HISTORIES, torch.device("cpu")))).numpy()
    assert np.allclose(fitted.score(HISTORIES), expected, rtol=0, atol=1e-6)
    assert np.ptp(expected, axis=0).max() > 1e-3  # the histories matter


def test_the_same_generator_draws_the_same_module() -> None:
    one, other = (weights_of(pair((4, 2, 4), "tanh")[0]) for _ in range(2))
    assert all(np.array_equal(array, other[name]) for name, array in one.items())
