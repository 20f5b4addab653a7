"""What changes from epoch to epoch, all of which a checkpoint holds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from foldin.errors import CheckpointError
from foldin.training.epoch import Checkpoint, Epoch

__all__ = ["State", "Weights", "restore", "state_arrays", "weights_of"]

Weights: TypeAlias = Mapping[str, NDArray[np.float32]]


@dataclass
class State:
    """A training in the making: the module, what moves it, and what came of it so far."""

    module: nn.Module
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    best_weights: Weights
    log: list[Epoch] = field(default_factory=list)

    @property
    def best(self) -> Epoch | None:
        """The best epoch so far; None before the first, or where no error was a number."""
        return next((epoch for epoch in reversed(self.log) if epoch.best), None)


def weights_of(module: nn.Module) -> Weights:
    """A copy of a module's parameters, by name."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in module.named_parameters()}


def state_arrays(state: State) -> dict[str, NDArray[np.generic]]:
    """A copy of the state, as arrays; `restore` takes them."""
    moments = state.optimizer.state_dict()["state"]
    return {
        **{f"weights.{name}": array for name, array in weights_of(state.module).items()},
        **{f"best.{name}": array for name, array in state.best_weights.items()},
        **{
            f"optimizer.{index}.{name}": tensor.detach().cpu().numpy().copy()
            for index, tensors in moments.items()
            for name, tensor in tensors.items()
            if isinstance(tensor, Tensor)
        },
        "generator": state.generator.get_state().numpy(),
        "log": _log_as_array(state.log),
    }


def restore(state: State, checkpoint: Checkpoint, run: str) -> None:
    """Puts a training back to where the checkpoint was taken.

    Raises:
        CheckpointError: the checkpoint is of another run, or something is missing from it.
    """
    if checkpoint.run != run:
        raise CheckpointError(
            "the checkpoint is of another run: its data, hyperparameters or seed differ; train without resuming"
        )
    try:
        _put_back(state, checkpoint.arrays)
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise CheckpointError(f"the checkpoint is damaged ({error}); train without resuming") from error


def _put_back(state: State, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    state.module.load_state_dict({name: torch.from_numpy(array) for name, array in _part(arrays, "weights.").items()})
    state.best_weights = {name: array.astype(np.float32) for name, array in _part(arrays, "best.").items()}
    # copied, since an optimiser takes over the tensors it is given and writes on them
    moments: dict[int, dict[str, Tensor]] = {}
    for name, array in _part(arrays, "optimizer.").items():
        index, key = name.split(".", 1)
        moments.setdefault(int(index), {})[key] = torch.from_numpy(array.copy())
    groups = state.optimizer.state_dict()["param_groups"]
    state.optimizer.load_state_dict({"state": moments, "param_groups": groups})
    state.generator.set_state(torch.from_numpy(arrays["generator"]))
    state.log = _log_from_array(arrays["log"])


def _part(arrays: Mapping[str, NDArray[np.generic]], prefix: str) -> dict[str, NDArray[np.generic]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _log_as_array(log: list[Epoch]) -> NDArray[np.float64]:
    nothing = math.nan
    rows = [
        (
            epoch.train_error,
            nothing if epoch.validation_error is None else epoch.validation_error,
            nothing if epoch.quality is None else epoch.quality,
            epoch.best,
        )
        for epoch in log
    ]
    return np.array(rows, dtype=np.float64)


def _log_from_array(array: NDArray[np.generic]) -> list[Epoch]:
    return [
        Epoch(
            number,
            float(train_error),
            None if math.isnan(validation_error) else float(validation_error),
            None if math.isnan(quality) else float(quality),
            best=bool(best),
            replayed=True,
        )
        for number, (train_error, validation_error, quality, best) in enumerate(array.astype(np.float64), start=1)
    ]
