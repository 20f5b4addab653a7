"""Explicit feedback: ratings from 1 to 5, normal around affinity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foldin.data.synthetic.calendar import WEEKS, moments
from foldin.data.synthetic.labs import Labs
from foldin.data.synthetic.people import People

__all__ = ["Ratings", "draw_ratings"]

MEAN_RATINGS = 20.0  # of a person, over the time of the log
RATINGS_SPREAD = 0.6  # of the log of the number of ratings
MOST_RATED = 0.8  # no lab is rated by a person with more than this chance
SELECTION = 0.30  # per standard deviation of affinity: people rate what they like a little more often

CENTRE = 3.2  # stars a middling lab gets from a middling person; selection lifts the mean of what is rated
STARS = 0.55  # per standard deviation of affinity
NOISE = 0.70  # stars: the same person on the same lab another day
LOWEST, HIGHEST = 1, 5


@dataclass(frozen=True, eq=False)
class Ratings:
    """One entry per rating: person, lab, stars, and microseconds since the epoch, UTC."""

    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    stars: NDArray[np.float32]
    times: NDArray[np.int64]

    @classmethod
    def joined(cls, parts: Sequence[Ratings]) -> Ratings:
        """All ratings, part after part."""
        return cls(
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.columns for part in parts]),
            np.concatenate([part.stars for part in parts]),
            np.concatenate([part.times for part in parts]),
        )

    def shifted(self, rows: int) -> Ratings:
        """The ratings of people who stand `rows` further down."""
        return replace(self, rows=self.rows + np.int32(rows))


def draw_ratings(people: People, labs: Labs, affinity: NDArray[np.float32], rng: np.random.Generator) -> Ratings:
    """Who rates what, how and when; nobody rates a lab twice, or before it is released."""
    rows, columns = np.nonzero(rng.random(affinity.shape, dtype=np.float32) < _chances(affinity, rng))
    # r = round(N(c + leniency + s a, noise)), cut at the ends of the scale
    middle = CENTRE + people.leniency[rows] + STARS * affinity[rows, columns]
    stars = np.clip(np.rint(rng.normal(middle, NOISE)), LOWEST, HIGHEST)
    weeks = rng.integers(np.maximum(people.joined[rows], labs.released[columns]), WEEKS)
    return Ratings(rows.astype(np.int32), columns.astype(np.int32), stars.astype(np.float32), moments(weeks, rng))


def _chances(affinity: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    spread = rng.normal(-(RATINGS_SPREAD**2) / 2, RATINGS_SPREAD, size=len(affinity))
    numbers = (MEAN_RATINGS * np.exp(spread)).astype(np.float32)
    liking = np.exp(np.float32(SELECTION) * affinity)
    chances: NDArray[np.float32] = numbers[:, None] * liking / liking.sum(axis=1, keepdims=True)
    np.minimum(chances, np.float32(MOST_RATED), out=chances)
    return chances
