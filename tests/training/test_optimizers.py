from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from foldin.training.optimizers import OPTIMIZERS, optimizer_named


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[1.0, -2.0]]))
        self.bias = nn.Parameter(torch.tensor([3.0]))


def one_step(name: str, l2: float, loss: Tensor | None = None) -> Layer:
    layer = Layer()
    optimizer = optimizer_named(name, layer, learning_rate=0.1, l2=l2)
    (0 * (layer.weight.sum() + layer.bias.sum())).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    optimizer.step()
    return layer


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_l2_draws_matrices_to_zero_and_leaves_biases(name: str) -> None:
    layer = one_step(name, 0.5)
    assert (layer.weight.detach().abs() < torch.tensor([[1.0, 2.0]])).all()
    assert layer.bias.tolist() == [3]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_without_l2_nothing_moves_by_itself(name: str) -> None:
    assert one_step(name, 0.0).weight.tolist() == [[1, -2]]


def test_l2_by_hand() -> None:
    # gradient of l2 ||W||^2 = 2 l2 W = W, times 0.1
    assert np.allclose(one_step("sgd", 0.5).weight.detach().numpy(), [[0.9, -1.8]])
    # adamw decays the weights themselves by learning rate x l2
    assert np.allclose(one_step("adamw", 0.5).weight.detach().numpy(), [[0.95, -1.9]])
    # adam's first step is as long as the learning rate, whatever the gradient
    assert np.allclose(one_step("adam", 0.5).weight.detach().numpy(), [[0.9, -1.9]])
