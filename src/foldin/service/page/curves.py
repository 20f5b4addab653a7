"""The handover as a curve: how much the prior counts, by how many items of a history the model knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from foldin.coldstart.handover import Handover

__all__ = ["Curve", "curve_of"]

WIDTH, HEIGHT, MARGIN = 240.0, 64.0, 5.0
MARKS = (0, 1, 3, 10, 30, 100)
ROOM = 0.8
"""Of the height, for the weights beside a history."""


@dataclass(frozen=True)
class Curve:
    """Points of a line in a box of 240 by 64, where the person stands on it, and marks below it: a number and its x.

    `ahead`: what the weight does with more items, as far as two decimals tell.
    """

    points: str
    x: float
    y: float
    weight: float
    known: int
    marks: tuple[tuple[int, float], ...]
    ahead: Literal["falls", "level", "other"]


def curve_of(handover: Handover, known: int, *, telling: float) -> Curve | None:
    """The curve with a person of so many known items on it; None for a model that looks at no history.

    `telling`: how much the person's profile tells, from 0 to 1.
    """
    if not handover.unit:
        return None
    longest = max(int(handover.lengths[-1]), known, 1)
    lengths = np.unique(np.append(handover.lengths, [1, known, longest]))
    weights = handover.weight(lengths, np.array(telling, dtype=np.float32))
    beside = handover.lengths > 0
    highest = max(*(float(of[beside].max(initial=1e-9)) for of in (handover.weights, handover.untold)))

    def x(length: float) -> float:
        return round(MARGIN + (WIDTH - 2 * MARGIN) * float(np.log1p(length) / np.log1p(longest)), 1)

    def y(length: int, weight: float) -> float:
        # beside no item the prior speaks alone, whatever it weighs: above all that it ever weighs beside some
        height = 1 if length == 0 else ROOM * weight / highest
        return round(MARGIN + (HEIGHT - 2 * MARGIN) * (1 - height), 1)

    here = float(weights[lengths == known][0])
    points = " ".join(f"{x(n)},{y(n, w)}" for n, w in zip(lengths.tolist(), weights.tolist(), strict=True))
    marks = tuple((n, x(n)) for n in MARKS if n <= longest)
    return Curve(points, x(known), y(known, here), here, known, marks, _ahead(weights[lengths >= max(known, 1)]))


def _ahead(weights: NDArray[np.float32]) -> Literal["falls", "level", "other"]:
    """What weights do from the first of them on."""
    steps = np.diff(weights.astype(np.float64).round(2))
    if (steps > 0).any():
        return "other"
    return "falls" if (steps < 0).any() else "level"
