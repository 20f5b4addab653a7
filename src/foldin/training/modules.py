"""Torch modules. A module's parameters bear the names of the arrays of the NumPy model it becomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from foldin.training.batches import SparseRows

__all__ = ["ACTIVATIONS", "Network"]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
}


class Network(nn.Module):
    """Fully connected layers of the given widths, the first one fed with sparse rows; gives logits.

    Weights are (in, out), drawn by Xavier's uniform rule; biases 0, but for the last, which is given.
    """

    def __init__(self, widths: Sequence[int], activation: str, last_bias: Tensor, generator: torch.Generator) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.weights = nn.ParameterList(
            nn.init.xavier_uniform_(torch.empty(width, following), generator=generator)
            for width, following in pairwise(widths)
        )
        self.biases = nn.ParameterList([*(torch.zeros(width) for width in widths[1:-1]), last_bias.clone()])

    def forward(self, rows: SparseRows) -> Tensor:
        """(rows, last width) logits."""
        lengths = rows.starts.diff()
        # x / sqrt(number of items): long histories do not saturate the first layer, and ratings keep their level
        scaled = rows.values / lengths.sqrt().repeat_interleave(lengths)
        hidden = functional.embedding_bag(
            rows.columns, self.weights[0], rows.starts[:-1], mode="sum", per_sample_weights=scaled
        )
        hidden = hidden + self.biases[0]
        for weight, bias in zip(list(self.weights)[1:], list(self.biases)[1:], strict=True):
            hidden = torch.addmm(bias, self.activation(hidden), weight)
        return hidden
