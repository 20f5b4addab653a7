"""Affinity: how well a lab suits a person, from latent topics, level and chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foldin.data.synthetic.labs import Labs
from foldin.data.synthetic.people import People

__all__ = ["affinities", "interest"]

LEVEL_WEIGHT = 0.15  # what a lab loses per level it is off a person's skill; a lab's main topic is 1
NOISE = 0.10  # standard deviation of what neither topics, tastes nor level explain

INTERESTING_FROM = 1.9  # affinity (standard deviations) at which every second look becomes a click
SHARPNESS = 1.8  # per standard deviation: how fast looks turn into clicks around it


def affinities(people: People, labs: Labs, rng: np.random.Generator) -> NDArray[np.float32]:
    """Shape (users, items), each row with mean 0 and standard deviation 1: people compare labs with labs."""
    # a = p . q - w |skill - level| + noise
    raw: NDArray[np.float32] = people.factors @ labs.factors.T
    raw -= LEVEL_WEIGHT * np.abs(people.skill[:, None] - labs.levels.astype(np.float32))
    raw += NOISE * rng.standard_normal(raw.shape, dtype=np.float32)
    raw -= raw.mean(axis=1, keepdims=True)
    raw /= raw.std(axis=1, keepdims=True)
    return raw


def interest(affinity: NDArray[np.float32]) -> NDArray[np.float32]:
    """The probability that a person who looks at a lab opens it."""
    # sigmoid(s (a - a0)), from the odds against: they cannot overflow, for nothing is liked that little
    against = np.exp(np.float32(-SHARPNESS) * (affinity - np.float32(INTERESTING_FROM)))
    chance: NDArray[np.float32] = np.reciprocal(against + np.float32(1))
    return chance
