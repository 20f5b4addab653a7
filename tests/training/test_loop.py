from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.splitting import Holdout
from foldin.errors import CheckpointError, TrainingError
from foldin.models.autoencoder import AutoEncoder
from foldin.models.network import Network
from foldin.training.checkpoint import load_checkpoint, save_checkpoint
from foldin.training.epoch import Checkpoint, Epoch

OPTIMIZERS = ["adam", "adamw", "rmsprop", "sgd"]
SMALL = AutoEncoder(hidden=(6,), latent=3, epochs=6, batch_size=8, learning_rate=0.01, l2=1e-4)


class UnpluggedError(Exception):
    pass


def bits(model: Network) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in model.arrays().items()}


def checkpoint_of(epoch: Epoch) -> Checkpoint:
    assert epoch.checkpoint is not None
    return epoch.checkpoint()


def interrupted_after(number: int, file: Path) -> Callable[[Epoch], None]:
    def on_epoch(epoch: Epoch) -> None:
        save_checkpoint(checkpoint_of(epoch), file)
        if epoch.number == number:
            raise UnpluggedError

    return on_epoch


def part(checkpoint: Checkpoint, prefix: str) -> Mapping[str, NDArray[np.generic]]:
    return {name.removeprefix(prefix): a for name, a in checkpoint.arrays.items() if name.startswith(prefix)}


# -- interrupted and resumed


@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_resumed_is_bitwise_the_uninterrupted(
    histories: csr_array, holdout: Holdout, tmp_path: Path, optimizer: str, validated: bool
) -> None:
    estimator, file = replace(SMALL, optimizer=optimizer), tmp_path / "kept" / "checkpoint.safetensors"
    validation = holdout if validated else None
    whole: list[Epoch] = []
    expected = estimator.fit(histories, validation=validation, seed=3, on_epoch=whole.append)
    with pytest.raises(UnpluggedError):
        estimator.fit(histories, validation=validation, seed=3, on_epoch=interrupted_after(3, file))
    told: list[Epoch] = []
    resumed = estimator.fit(
        histories, validation=validation, seed=3, resume=load_checkpoint(file), on_epoch=told.append
    )
    assert bits(resumed) == bits(expected)
    figures = [(e.number, e.train_error, e.validation_error, e.quality, e.best) for e in whole]
    assert [(e.number, e.train_error, e.validation_error, e.quality, e.best) for e in told] == figures
    assert [epoch.replayed for epoch in told] == [True] * 3 + [False] * (len(whole) - 3)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_checkpoint_stays_as_it_was_when_training_goes_on(histories: csr_array, optimizer: str) -> None:
    estimator = replace(SMALL, optimizer=optimizer)
    kept: list[Checkpoint] = []
    expected = estimator.fit(histories, on_epoch=lambda epoch: kept.append(checkpoint_of(epoch)))
    for _ in range(2):  # resuming must not change it either
        assert bits(estimator.fit(histories, resume=kept[1])) == bits(expected)


def test_the_checkpoint_of_the_end_resumes_to_the_end(histories: csr_array, holdout: Holdout) -> None:
    epochs: list[Epoch] = []
    kept: list[Checkpoint] = []

    def on_epoch(epoch: Epoch) -> None:
        epochs.append(epoch)
        kept.append(checkpoint_of(epoch))

    expected = SMALL.fit(histories, validation=holdout, on_epoch=on_epoch)
    told: list[Epoch] = []
    resumed = SMALL.fit(histories, validation=holdout, resume=kept[-1], on_epoch=told.append)
    assert bits(resumed) == bits(expected)
    assert all(epoch.replayed for epoch in told)


# -- of another run, or damaged


@pytest.fixture
def checkpoint(histories: csr_array, holdout: Holdout) -> Checkpoint:
    kept: list[Checkpoint] = []
    SMALL.fit(histories, validation=holdout, seed=1, on_epoch=lambda epoch: kept.append(checkpoint_of(epoch)))
    return kept[2]


def test_a_checkpoint_of_another_run_is_refused(histories: csr_array, holdout: Holdout, checkpoint: Checkpoint) -> None:
    other_data = histories.copy()
    other_data.data[0] = 2
    other_ratings = replace(holdout, ratings=holdout.targets * np.float32(0.5))
    for estimator, data, validation, seed in (
        (SMALL, histories, holdout, 2),
        (SMALL, other_data, holdout, 1),
        (SMALL, histories[:20], holdout, 1),
        (SMALL, histories, None, 1),
        (SMALL, histories, holdout.where(np.arange(8)), 1),
        (SMALL, histories, other_ratings, 1),
        (replace(SMALL, learning_rate=0.02), histories, holdout, 1),
        (replace(SMALL, epochs=7), histories, holdout, 1),
        (replace(SMALL, optimizer="sgd"), histories, holdout, 1),
    ):
        with pytest.raises(CheckpointError, match="of another run"):
            estimator.fit(data, validation=validation, seed=seed, resume=checkpoint)
    SMALL.fit(histories, validation=holdout, seed=1, resume=checkpoint)


@pytest.mark.parametrize(
    "changed",
    [
        {"generator": None},
        {"log": None},
        {"weights.weights.0": None},
        {"weights.weights.0": np.zeros((2, 2), np.float32)},
        {"log": np.zeros(3)},
        {"generator": np.zeros(3, np.float32)},
        {"generator": np.zeros(3, np.uint8)},
    ],
    ids=repr,
)
def test_a_checkpoint_with_something_wrong_in_it_is_refused(
    histories: csr_array,
    holdout: Holdout,
    checkpoint: Checkpoint,
    changed: Mapping[str, NDArray[np.generic] | None],
) -> None:
    arrays = {name: array for name, array in {**checkpoint.arrays, **changed}.items() if array is not None}
    with pytest.raises(CheckpointError, match="damaged"):
        SMALL.fit(histories, validation=holdout, seed=1, resume=Checkpoint(checkpoint.run, arrays))


# -- early stopping


def test_the_best_epochs_weights_are_kept(histories: csr_array, holdout: Holdout) -> None:
    estimator = replace(SMALL, epochs=40, patience=3, learning_rate=0.3)
    kept: dict[int, tuple[Epoch, Checkpoint]] = {}

    def on_epoch(epoch: Epoch) -> None:
        kept[epoch.number] = (epoch, checkpoint_of(epoch))

    model = estimator.fit(histories, validation=holdout, on_epoch=on_epoch)
    qualities = [epoch.quality for epoch, _ in kept.values()]
    best = int(np.argmax(np.array(qualities, dtype=np.float64))) + 1
    assert best < len(kept) < 40
    assert len(kept) == best + 3
    assert kept[best][0].best
    of_best = part(kept[best][1], "weights.")
    assert {name: array.tobytes() for name, array in of_best.items()} == bits(model)
    of_last = part(kept[len(kept)][1], "weights.")
    assert {name: array.tobytes() for name, array in of_last.items()} != bits(model)


def test_without_validation_all_epochs_run_and_the_last_is_kept(histories: csr_array) -> None:
    kept: list[Checkpoint] = []
    model = SMALL.fit(histories, on_epoch=lambda epoch: kept.append(checkpoint_of(epoch)))
    assert len(kept) == 6
    assert {name: array.tobytes() for name, array in part(kept[-1], "weights.").items()} == bits(model)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_lowers_the_error(histories: csr_array, optimizer: str) -> None:
    epochs: list[Epoch] = []
    rate = {"sgd": 0.5}.get(optimizer, 0.01)
    estimator = replace(SMALL, optimizer=optimizer, epochs=30, learning_rate=rate)
    estimator.fit(histories, on_epoch=epochs.append)
    assert epochs[-1].train_error < 0.9 * epochs[0].train_error


# -- diverging


def test_training_that_diverges_stops_and_keeps_the_last_good_weights(histories: csr_array) -> None:
    # one step an epoch: the first one leaves finite weights, the second epoch overflows
    wild = replace(SMALL, activation="relu", optimizer="sgd", learning_rate=1e30, batch_size=64)
    epochs: list[Epoch] = []
    kept: list[Checkpoint] = []

    def on_epoch(epoch: Epoch) -> None:
        epochs.append(epoch)
        kept.append(checkpoint_of(epoch))

    model = wild.fit(histories, on_epoch=on_epoch)
    assert [epoch.diverged for epoch in epochs] == [False, True]
    assert {name: array.tobytes() for name, array in part(kept[0], "weights.").items()} == bits(model)
    assert all(np.isfinite(array).all() for array in model.arrays().values())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("validated", [False, True])
def test_training_that_diverges_at_once_is_an_error(
    histories: csr_array, holdout: Holdout, optimizer: str, validated: bool
) -> None:
    wild = replace(SMALL, activation="relu", optimizer=optimizer, learning_rate=1e30, l2=0.0, batch_size=4)
    with pytest.raises(TrainingError, match="lower learning_rate"):
        wild.fit(histories, validation=holdout if validated else None)


def test_weights_too_large_to_validate_have_diverged(histories: csr_array, holdout: Holdout) -> None:
    wild = replace(SMALL, activation="relu", optimizer="sgd", learning_rate=1e30, batch_size=64)
    with pytest.raises(TrainingError, match="lower learning_rate"):
        wild.fit(histories, validation=holdout)
