"""A fitted network: a few arrays and a NumPy forward pass, no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.errors import BundleError
from foldin.models.arrays import matrix_named
from foldin.models.protocols import Arrays

__all__ = ["ACTIVATIONS", "Network", "restore_network"]


def sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 / (1 + exp(-x)), in an array of its own; twice as fast as SciPy's `expit`, and as exact near 0."""
    with np.errstate(over="ignore"):  # what is infinite becomes 0
        exponentials = np.exp(-x)
    exponentials += 1
    return np.reciprocal(exponentials, out=exponentials)


ACTIVATIONS: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
}


@dataclass(frozen=True, eq=False)
class Network:
    """Fully connected layers with a sigmoid at the end. Shapes: `weights` (in, out) each, `biases` (out,)."""

    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]
    activation: str

    def score(self, histories: csr_array) -> NDArray[np.float32]:
        """sigmoid(W_n h + b_n), (users, items), from 0 to 1."""
        scores = _product(self.encode(histories), self.weights[-1])
        scores += self.biases[-1]
        return sigmoid(scores)

    def encode(self, histories: csr_array) -> NDArray[np.float32]:
        """The last hidden layer, (users, d)."""
        hidden = _scaled(histories) @ self.weights[0]
        for bias, weight in zip(self.biases, self.weights[1:-1], strict=False):
            hidden = self._activated(hidden + bias) @ weight
        return self._activated(hidden + self.biases[-2])

    @property
    def item_factors(self) -> NDArray[np.float32]:
        """What each item asks of the last hidden layer, (items, d)."""
        return self.weights[-1].T

    @property
    def item_bias(self) -> NDArray[np.float32]:
        """The last layer's bias, (items,)."""
        return self.biases[-1]

    def arrays(self) -> Arrays:
        """Weights and biases, named as in the torch module they were trained in."""
        weights = {f"weights.{layer}": weight for layer, weight in enumerate(self.weights)}
        return weights | {f"biases.{layer}": bias for layer, bias in enumerate(self.biases)}

    def _activated(self, layer: NDArray[np.float32]) -> NDArray[np.float32]:
        return ACTIVATIONS[self.activation](layer)


def restore_network(arrays: Arrays, hidden: tuple[int, ...], activation: str) -> Network:
    """The network whose layers between the items are `hidden` wide.

    Raises:
        BundleError: an array is missing or does not fit.
    """
    layers = range(len(hidden) + 1)
    weights = tuple(matrix_named(f"weights.{layer}", arrays, dimensions=2) for layer in layers)
    biases = tuple(matrix_named(f"biases.{layer}", arrays, dimensions=1) for layer in layers)
    items = weights[0].shape[0]
    for layer, (width, following) in enumerate(pairwise((items, *hidden, items))):
        if weights[layer].shape != (width, following) or biases[layer].shape != (following,):
            raise BundleError(
                f"layer {layer} is {weights[layer].shape} with a bias of {biases[layer].shape}, "
                f"where the hyperparameters ask for {width} x {following}"
            )
    return Network(weights, biases, activation)


def _product(rows: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """rows @ weights, (rows, out)."""
    # BLAS takes four rows at a time, and for a rest it needs longer than for four; a single row it treats as a vector
    missing = -len(rows) % 4 if len(rows) > 1 else 0
    padded = np.pad(rows, ((0, missing), (0, 0))) if missing else rows
    return np.asarray(padded @ weights, dtype=np.float32)[: len(rows)]


def _scaled(histories: csr_array) -> csr_array:
    # x / sqrt(number of items), as in training; an empty history stays empty
    lengths = np.maximum(np.diff(histories.indptr), 1)
    scales = (1 / np.sqrt(lengths)).astype(np.float32)
    data = histories.data * np.repeat(scales, np.diff(histories.indptr))
    return csr_array((data, histories.indices, histories.indptr), shape=histories.shape)
