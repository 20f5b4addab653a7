"""The classic autoencoder: a history squeezed through a narrow code and given back completed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.splitting import Holdout
from foldin.errors import ConfigurationError
from foldin.models.network import ACTIVATIONS, Network, restore_network
from foldin.models.protocols import Arrays, Need
from foldin.models.resources import refuse_beyond_memory, require_torch
from foldin.models.validation import heldout_error, heldout_quality, targets_and_weights
from foldin.training.epoch import Checkpoint, Epoch

__all__ = ["AutoEncoder"]

UNOBSERVED = 0.1
FASTEST = 1e30
"""Learning rates beyond it are no steps that float32 can take."""
OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd")


@dataclass(frozen=True)
class AutoEncoder:
    """Items-hidden-latent-hidden-items, sigmoid at the output, weighted mean square error.

    min (1/B) sum_u sum_i w_ui (sigmoid(f(x_u))_i - t_ui)^2 + l2 sum ||W||^2, w = `unobserved` where x_ui is not known.

    `hidden`: widths of the encoder's layers before the code; the decoder mirrors them. `latent`: width of the code.
    `activation`: of the hidden layers: sigmoid, tanh or relu. `epochs`: passes over the users, at most.
    `learning_rate`, `batch_size` (users), `optimizer`: adam, adamw, rmsprop or sgd. `l2`: usual: 0 or 0.01.
    `unobserved`: weight of the error on cells without an interaction, from 0 to 1; ratings need 0 (the error is then
    taken on observed cells only), interest needs more; None takes 0 on ratings and 0.1 on implicit feedback.
    `patience`: epochs without a better validation before training stops.
    Source: Sedhain et al. 2015, "AutoRec: Autoencoders Meet Collaborative Filtering", here deeper and with a sigmoid
    output.

    Raises:
        ConfigurationError: a hyperparameter is out of its range.
    """

    hidden: tuple[int, ...] = (128,)
    latent: int = 64
    epochs: int = 50
    learning_rate: float = 2e-3
    batch_size: int = 64
    l2: float = 0.0
    optimizer: str = "adam"
    activation: str = "tanh"
    unobserved: float | None = None
    patience: int = 5

    def __post_init__(self) -> None:
        for width in (*self.hidden, self.latent, self.epochs, self.batch_size, self.patience):
            if not (isinstance(width, int) and width >= 1):
                raise ConfigurationError(
                    f"{width} does not fit: hidden, latent, epochs, batch_size and patience are whole, 1 or more"
                )
        if not 0 < self.learning_rate <= FASTEST:
            raise ConfigurationError(
                f"learning_rate is {self.learning_rate}; it must be above 0 and at most {FASTEST:g} (usual: 0.001)"
            )
        if not 0 <= self.l2 < np.inf:
            raise ConfigurationError(f"l2 is {self.l2}; it must be 0 or more")
        if self.unobserved is not None and not 0 <= self.unobserved <= 1:
            raise ConfigurationError(f"unobserved is {self.unobserved}; it is a weight from 0 to 1")
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        _one_of("activation", self.activation, tuple(ACTIVATIONS))

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths of the layers between the items: hidden, latent, hidden."""
        return (*self.hidden, self.latent, *reversed(self.hidden))

    def fit(
        self,
        histories: csr_array,
        *,
        validation: Holdout | None = None,
        seed: int = 0,
        device: str | None = None,
        resume: Checkpoint | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
    ) -> Network:
        """Trains on users' histories; with `validation`, stops early and keeps the best epoch's weights.

        The best epoch is that of the highest NDCG@100, on ratings (`unobserved` = 0) that of the lowest error.

        Raises:
            ConfigurationError: torch is not installed, or there is no such device.
            ResourceError: the machine cannot hold what the fit needs.
            CheckpointError: `resume` is of another run.
            TrainingError: training diverged from the first epoch on.
        """
        require_torch()
        need = self.estimate(histories.shape[0], histories.shape[1], histories.nnz)
        refuse_beyond_memory(need, f"AutoEncoder on {histories.shape[1]:,} items")
        import torch

        from foldin.training.batches import on_device
        from foldin.training.devices import chosen_device
        from foldin.training.loop import Plan, train
        from foldin.training.losses import square_error
        from foldin.training.modules import Network as Module

        place = chosen_device(device)
        generator = torch.Generator().manual_seed(seed)
        bias = torch.from_numpy(_best_constant(histories, self._unobserved))
        module = Module((histories.shape[1], *self.widths, histories.shape[1]), self.activation, bias, generator)
        weights = train(
            module.to(place),
            on_device(histories, place),
            lambda outputs, rows: square_error(outputs, rows, self._unobserved),
            Plan(self.epochs, self.batch_size, self.optimizer, self.learning_rate, self.l2, self.patience),
            generator=generator,
            run=self._run(histories, validation, seed),
            validate=None if validation is None else lambda arrays: self._judge(self.restore(arrays), validation),
            resume=resume,
            on_epoch=on_epoch,
        )
        return self.restore(weights)

    def error(self, model: Network, holdout: Holdout) -> float:
        """The training loss's mean square error on held-out users: on ratings of those withheld, else of all cells."""
        return heldout_error(model, holdout, self._unobserved)

    def restore(self, arrays: Arrays) -> Network:
        """The network of a file's arrays."""
        return restore_network(arrays, self.widths, self.activation)

    def estimate(self, users: int, items: int, interactions: int) -> Need:
        """Weights, gradients and Adam's two moments, and a batch's outputs with what their gradients need."""
        layers = (items, *self.widths, items)
        parameters = sum(width * following for width, following in pairwise(layers))
        outputs = 6 * self.batch_size * items
        return Need(
            bytes=4 * (6 * parameters + outputs) + 24 * interactions,
            flops=6 * users * parameters * self.epochs,
        )

    @property
    def _unobserved(self) -> float:
        return UNOBSERVED if self.unobserved is None else self.unobserved

    def _judge(self, model: Network, validation: Holdout) -> tuple[float, float]:
        error = self.error(model, validation)
        return error, (-error if self._unobserved == 0 else heldout_quality(model, validation))

    def _run(self, histories: csr_array, validation: Holdout | None, seed: int) -> str:
        matrices = [histories]
        if validation is not None:
            withheld = validation.targets if validation.ratings is None else validation.ratings
            matrices += [validation.fold_in, validation.targets, withheld]
        digest = hashlib.sha256(f"{self!r} {seed} {[matrix.shape for matrix in matrices]}".encode())
        for matrix in matrices:
            for array in (matrix.indptr, matrix.indices, matrix.data):
                digest.update(array.tobytes())
        return digest.hexdigest()


def _one_of(field: str, name: str, names: tuple[str, ...]) -> None:
    if name not in names:
        raise ConfigurationError(f"{field} '{name}' is not one of: {', '.join(names)}")


def _best_constant(histories: csr_array, unobserved: float) -> NDArray[np.float32]:
    """The output bias with which a network that knows nothing errs least: the logit of each item's weighted mean."""
    items = histories.shape[1]
    targets, weights = targets_and_weights(histories.data, unobserved)
    stored = np.bincount(histories.indices, minlength=items)
    total = np.bincount(histories.indices, weights, items) + unobserved * (histories.shape[0] - stored)
    wanted = np.bincount(histories.indices, targets * weights, items)
    # one imagined user with the mean of all items keeps the mean of a rare item within bounds
    overall = wanted.sum() / max(total.sum(), 1)
    mean = np.clip((wanted + overall) / (total + 1), 1e-4, 1 - 1e-4)
    logits: NDArray[np.float32] = np.log(mean / (1 - mean)).astype(np.float32)
    return logits
