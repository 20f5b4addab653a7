"""Optimisers by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import nn, optim

__all__ = ["OPTIMIZERS", "optimizer_named"]

OPTIMIZERS: dict[str, Callable[..., optim.Optimizer]] = {
    "adam": optim.Adam,
    "adamw": optim.AdamW,
    "rmsprop": optim.RMSprop,
    "sgd": optim.SGD,
}


def optimizer_named(name: str, module: nn.Module, *, learning_rate: float, l2: float) -> optim.Optimizer:
    """An optimiser of a module's parameters that adds l2 ||W||^2 to the loss, of matrices only, not of biases.

    Torch's weight decay d adds d/2 ||W||^2, so d = 2 l2; AdamW decays the weights themselves, by learning rate x l2.
    """
    decay = l2 if name == "adamw" else 2 * l2
    groups = [
        {"params": _parameters(module, lambda tensor: tensor.ndim > 1), "weight_decay": decay},
        {"params": _parameters(module, lambda tensor: tensor.ndim <= 1), "weight_decay": 0.0},
    ]
    return OPTIMIZERS[name](groups, lr=learning_rate)


def _parameters(module: nn.Module, wanted: Callable[[torch.Tensor], bool]) -> Iterable[nn.Parameter]:
    return [parameter for parameter in module.parameters() if wanted(parameter)]
