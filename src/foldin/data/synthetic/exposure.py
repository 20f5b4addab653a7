"""Exposure: how often labs are shown, which makes some of them popular, and the click chance of a position."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldin.data.synthetic.calendar import WEEKS
from foldin.data.synthetic.labs import Labs

__all__ = ["LOOKS", "Exposure", "expose"]

POSITIONS = 12  # labs on the page a visit begins with
# Chance that a position is looked at: the discount of NDCG, 1 / log2(position + 1), falling from 1 to 0.27
LOOKS = 1 / np.log2(np.arange(1, POSITIONS + 1) + 1)


@dataclass(frozen=True, eq=False)
class Exposure:
    """Shapes (weeks, items): `shares` of a week's places; `onward`, the mean share from a week to the log's end."""

    shares: NDArray[np.float64]
    onward: NDArray[np.float32]

    def pages(self, weeks: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
        """The labs shown at each visit, shape (visits, positions).

        Every place is drawn by itself (a page has several shelves, and a lab can stand on two), so that a lab's
        position says nothing of its popularity and the expected number of clicks is exact.
        """
        items = self.shares.shape[1]
        # week w's cumulated shares lie in (w, w + 1], so one sorted array serves all weeks
        edges = (np.cumsum(self.shares, axis=1) + np.arange(WEEKS)[:, None]).ravel()
        drawn = weeks[:, None] + rng.random((len(weeks), POSITIONS))
        found = np.searchsorted(edges, drawn, side="right") - weeks[:, None] * items
        labs: NDArray[np.intp] = np.minimum(found, items - 1)
        return labs


def expose(labs: Labs) -> Exposure:
    """Labs are shown in proportion to the attention they get, from their release on."""
    released = labs.released <= np.arange(WEEKS)[:, None]
    weights = np.where(released, labs.attention, 0)
    shares = weights / weights.sum(axis=1, keepdims=True)
    left = np.arange(WEEKS, 0, -1)[:, None]
    onward = np.cumsum(shares[::-1], axis=0)[::-1] / left
    return Exposure(shares, onward.astype(np.float32))
