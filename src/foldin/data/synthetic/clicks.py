"""Implicit feedback: visits show labs, what interests is viewed, and some of that is started and completed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foldin.data.synthetic.calendar import MICROSECONDS, WEEKS, moments
from foldin.data.synthetic.exposure import LOOKS, Exposure
from foldin.data.synthetic.people import People

__all__ = ["KINDS", "Clicks", "draw_views", "expected_views", "followed"]

KINDS = ("complete", "start", "view")  # sorted by code point
COMPLETE, START, VIEW = range(3)

SECONDS_PER_POSITION = 20  # that pass while looking at a lab on a page
STARTED = 0.30  # share of views that lead to a start
COMPLETED = 0.60  # share of starts that are completed
START_WITHIN = 600  # seconds after the view
PACE = (0.6, 1.5)  # time to complete, as a multiple of the lab's duration


@dataclass(frozen=True, eq=False)
class Clicks:
    """One entry per event: person, lab, kind, and microseconds since the epoch, UTC.

    `positions`: the place on the page that was clicked, from 0; known to the simulator, not to the log.
    """

    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    kinds: NDArray[np.int8]
    times: NDArray[np.int64]
    positions: NDArray[np.int8]

    @classmethod
    def joined(cls, parts: Sequence[Clicks]) -> Clicks:
        """All clicks, part after part."""
        return cls(
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.columns for part in parts]),
            np.concatenate([part.kinds for part in parts]),
            np.concatenate([part.times for part in parts]),
            np.concatenate([part.positions for part in parts]),
        )

    def shifted(self, rows: int) -> Clicks:
        """The clicks of people who stand `rows` further down."""
        return replace(self, rows=self.rows + np.int32(rows))


def expected_views(people: People, interest: NDArray[np.float32], exposure: Exposure) -> NDArray[np.float32]:
    """The expected views per visit of each person and lab, shape (users, items).

    E = sum of the positions' looks x share of places since the person joined x interest. The positions count alike
    for every lab, so ranking the labs a person has not seen by E is the best ranking of their further views.
    """
    return np.float32(LOOKS.sum()) * exposure.onward[people.joined] * interest


def draw_views(people: People, interest: NDArray[np.float32], exposure: Exposure, rng: np.random.Generator) -> Clicks:
    """The views of all visits: a lab is viewed when its position is looked at and it interests."""
    visitors = np.repeat(np.arange(len(people)), people.visits)
    weeks = rng.integers(people.joined[visitors], WEEKS)
    pages = exposure.pages(weeks, rng)
    chance = LOOKS * interest[visitors[:, None], pages]
    visits, positions = np.nonzero(rng.random(pages.shape) < chance)
    starts = moments(weeks, rng)
    return Clicks(
        visitors[visits].astype(np.int32),
        pages[visits, positions].astype(np.int32),
        np.full(len(visits), VIEW, dtype=np.int8),
        starts[visits] + positions * SECONDS_PER_POSITION * MICROSECONDS,
        positions.astype(np.int8),
    )


def followed(views: Clicks, minutes: NDArray[np.int64], rng: np.random.Generator) -> Clicks:
    """The views, and the starts and completions that follow some of them."""
    started = rng.random(len(views.rows)) < STARTED
    completed = started & (rng.random(len(views.rows)) < COMPLETED)
    start = rng.integers(30, START_WITHIN, size=len(views.rows))
    work = np.rint(60 * minutes[views.columns] * rng.uniform(*PACE, size=len(views.rows))).astype(np.int64)
    starts = _later(views, started, START, start)
    return Clicks.joined([views, starts, _later(views, completed, COMPLETE, start + work)])


def _later(views: Clicks, which: NDArray[np.bool_], kind: int, seconds: NDArray[np.int64]) -> Clicks:
    return Clicks(
        views.rows[which],
        views.columns[which],
        np.full(np.count_nonzero(which), kind, dtype=np.int8),
        views.times[which] + seconds[which] * MICROSECONDS,
        views.positions[which],
    )
