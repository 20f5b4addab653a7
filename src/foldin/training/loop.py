"""The one training loop. It knows no model: loss, validation and progress are callables."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from foldin.errors import TrainingError
from foldin.training.batches import SparseRows, batches
from foldin.training.epoch import Checkpoint, Epoch
from foldin.training.optimizers import optimizer_named
from foldin.training.state import State, Weights, restore, state_arrays, weights_of
from foldin.training.threads import threads_for

__all__ = ["Loss", "Plan", "Validation", "train"]

Loss = Callable[[Tensor, SparseRows], tuple[Tensor, Tensor]]
"""Outputs and the rows wanted -> (summed error, summed weight)."""
Validation = Callable[[Weights], tuple[float, float]]
"""Weights -> (error, quality); the epoch of the best quality is kept."""


@dataclass(frozen=True)
class Plan:
    """How to train. `patience`: epochs without a better one until training stops, where there is a validation."""

    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    l2: float
    patience: int


def train(
    module: nn.Module,
    rows: SparseRows,
    loss: Loss,
    plan: Plan,
    *,
    generator: torch.Generator,
    run: str,
    validate: Validation | None = None,
    resume: Checkpoint | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Weights:
    """Trains a module to give back its rows; the weights of the best epoch (of the last, without validation).

    The rows of a batch are both input and target. Without a change of threads, the same call gives the same bits,
    whether interrupted and resumed or not.

    Raises:
        CheckpointError: `resume` is of another run.
        TrainingError: the error is no number from the first epoch on.
    """
    optimizer = optimizer_named(plan.optimizer, module, learning_rate=plan.learning_rate, l2=plan.l2)
    state = State(module, optimizer, generator, weights_of(module))
    if resume is not None:
        restore(state, resume, run)
        for epoch in state.log:
            _tell(on_epoch, epoch)
    operations = 6 * plan.batch_size * sum(parameter.numel() for parameter in module.parameters())
    while not _finished(state, plan, validate is not None):
        with threads_for(operations):
            error = _one_epoch(state, rows, loss, plan)
        epoch = _judged(state, error, validate)
        state.log.append(epoch)
        if epoch.best:
            state.best_weights = weights_of(module)
        _tell(on_epoch, _with_checkpoint(epoch, state, run))
    if state.best is None:
        raise TrainingError("training diverged in its first epoch: lower learning_rate")
    return state.best_weights


def _one_epoch(state: State, rows: SparseRows, loss: Loss, plan: Plan) -> float:
    state.module.train()
    sums: list[Tensor] = []
    for batch in batches(rows, plan.batch_size, state.generator):
        total, weight = loss(state.module(batch), batch)
        state.optimizer.zero_grad()
        (total / len(batch)).backward()
        state.optimizer.step()
        sums.append(torch.stack([total.detach(), weight.detach()]))
    # fetched once, so that a GPU need not wait for every batch's figures
    error, weights = torch.stack(sums).cpu().double().sum(dim=0)
    return float(error / weights)


def _judged(state: State, train_error: float, validate: Validation | None) -> Epoch:
    number = len(state.log) + 1
    finite = math.isfinite(train_error) and all(np.isfinite(array).all() for array in weights_of(state.module).values())
    if not finite:
        return Epoch(number, math.nan, None, None, best=False)
    if validate is None:
        return Epoch(number, train_error, None, None, best=True)
    error, quality = _validated(weights_of(state.module), validate)
    if not (math.isfinite(error) and math.isfinite(quality)):
        return Epoch(number, math.nan, None, None, best=False)
    before = state.best
    best = before is None or before.quality is None or quality > before.quality
    return Epoch(number, train_error, error, quality, best)


def _validated(weights: Weights, validate: Validation) -> tuple[float, float]:
    # weights on their way to infinity are still numbers when scores no longer are
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            return validate(weights)
        except TrainingError:
            return math.nan, math.nan


def _finished(state: State, plan: Plan, validated: bool) -> bool:
    if not state.log:
        return False
    best = state.best
    waited = len(state.log) - (best.number if best else 0)
    return state.log[-1].diverged or len(state.log) >= plan.epochs or (validated and waited >= plan.patience)


def _tell(on_epoch: Callable[[Epoch], None] | None, epoch: Epoch) -> None:
    if on_epoch is not None:
        on_epoch(epoch)


def _with_checkpoint(epoch: Epoch, state: State, run: str) -> Epoch:
    return replace(epoch, checkpoint=lambda: Checkpoint(run, state_arrays(state)))
