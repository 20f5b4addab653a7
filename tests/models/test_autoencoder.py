from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.errors import ConfigurationError, ResourceError
from foldin.models.autoencoder import AutoEncoder
from foldin.models.network import Network
from foldin.training.epoch import Epoch

HISTORIES = csr_array((np.random.default_rng(0).random((40, 10)) < 0.3).astype(np.float32))


def fitted(**settings: Any) -> Network:  # any field of AutoEncoder
    return AutoEncoder(**{"hidden": (5,), "latent": 3, "epochs": 5, "learning_rate": 0.01, **settings}).fit(HISTORIES)


def length(model: Network) -> float:
    return float(sum(np.square(weight).sum() for weight in model.weights))


NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[(field, value) for field in ("latent", "epochs", "batch_size", "patience") for value in (0, -1, NAN, 2.5)],
        *[("hidden", value) for value in ((0,), (4, -1), (2.5,))],
        *[("learning_rate", value) for value in (0, -1, NAN, INFINITY, 1e38)],
        *[("l2", value) for value in (-0.1, NAN, INFINITY)],
        *[("unobserved", value) for value in (-0.1, 1.1, NAN)],
        ("optimizer", "lion"),
        ("activation", "gelu"),
    ],
)
def test_hyperparameters_out_of_range_are_refused(field: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=field):
        AutoEncoder(**{field: value})  # type: ignore[arg-type]  # what is wrong with it is what is tested


def test_every_setting_matters() -> None:
    settings: list[dict[str, object]] = [
        {},
        {"hidden": ()},
        {"latent": 2},
        {"epochs": 6},
        {"learning_rate": 0.02},
        {"batch_size": 8},
        {"l2": 0.01},
        {"optimizer": "sgd"},
        {"activation": "relu"},
        {"unobserved": 0.5},
    ]
    assert len({fitted(**one).score(HISTORIES).tobytes() for one in settings}) == len(settings)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop", "sgd"])
def test_l2_shortens_the_weights(optimizer: str) -> None:
    lengths = [length(fitted(l2=l2, optimizer=optimizer, epochs=20)) for l2 in (0, 0.01, 1)]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[2] < 0.9 * lengths[0]


def test_unobserved_cells_pull_scores_down() -> None:
    means = [float(fitted(unobserved=weight, epochs=1).score(HISTORIES).mean()) for weight in (0.0, 0.1, 1.0)]
    assert means == sorted(means, reverse=True)
    assert means[0] > 0.9  # all that is observed is 1


def test_what_it_scores_before_it_has_learned_is_each_items_mean() -> None:
    model = fitted(epochs=1, learning_rate=1e-9, unobserved=1.0)
    shares = HISTORIES.toarray().mean(axis=0)
    at_rest: NDArray[np.float32] = model.score(csr_array(np.zeros((1, 10), dtype=np.float32)))[0]
    assert np.allclose(at_rest, shares, atol=0.03)


def test_every_epoch_is_told() -> None:
    epochs: list[Epoch] = []
    AutoEncoder(hidden=(5,), latent=3, epochs=4).fit(HISTORIES, on_epoch=epochs.append)
    assert [epoch.number for epoch in epochs] == [1, 2, 3, 4]
    assert all(0 < epoch.train_error < 1 for epoch in epochs)


def test_a_batch_of_empty_histories_is_no_trouble() -> None:
    histories = csr_array(np.array([[1, 1, 0], [0, 0, 0], [0, 0, 0], [0, 1, 1]], dtype=np.float32))
    for unobserved in (0.0, 0.3):
        model = AutoEncoder(hidden=(2,), latent=1, epochs=3, batch_size=1, unobserved=unobserved).fit(histories)
        assert np.isfinite(model.score(histories)).all()


def test_a_network_the_machine_cannot_hold_is_refused() -> None:
    histories = csr_array((np.ones(2, np.float32), ([0, 1], [0, 1_999_999])), shape=(2, 2_000_000))
    with pytest.raises(ResourceError, match=r"AutoEncoder on 2,000,000 items needs about .* GB"):
        AutoEncoder(hidden=(1_000_000,)).fit(histories)
