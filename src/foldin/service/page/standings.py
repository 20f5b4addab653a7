"""A ranking as the page shows it: where each item stands, where it came from, and what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from foldin.coldstart.blend import TERMS
from foldin.recommendation import Recommendation

__all__ = ["Segment", "Standing", "mean_shares", "segments_of", "standings"]

NONE = "-"


@dataclass(frozen=True)
class Segment:
    """A term's part of a bar: from `start`, `width` long, in hundredths of it."""

    term: str
    start: float
    width: float


@dataclass(frozen=True)
class Standing:
    """An item at its place, counted from 1. `move`: places it rose (above 0) or fell; None where it was not there.

    `amount`: its number, 0 where it is unknown; `figure`: the same as text, with the `unit` below it; all items of a
    ranking have numbers of one kind.
    """

    place: int
    item: str
    title: str
    amount: float
    figure: str
    unit: str
    segments: tuple[Segment, ...]
    move: int | None


def standings(ranking: Sequence[Recommendation], before: Sequence[str]) -> list[Standing]:
    """A ranking, beside the one before it; where there was none, nothing has moved."""
    figure_of = _figure_of(ranking)
    places = {item: place for place, item in enumerate(before, 1)}
    return [
        Standing(
            place,
            one.item_id,
            one.title,
            *figure_of(one),
            segments_of(one.basis.shares()),
            (places[one.item_id] - place if one.item_id in places else None) if before else 0,
        )
        for place, one in enumerate(ranking, 1)
    ]


def _figure_of(ranking: Sequence[Recommendation]) -> Callable[[Recommendation], tuple[float, str, str]]:
    if any(one.rating is not None for one in ranking):
        return _rating
    return _chance if any(one.probability is not None for one in ranking) else _score


def _rating(one: Recommendation) -> tuple[float, str, str]:
    return (0, NONE, "rating unknown") if one.rating is None else (one.rating, f"{one.rating:.1f}", "rating")


def _chance(one: Recommendation) -> tuple[float, str, str]:
    if one.probability is None:
        return 0, NONE, "chance unknown"
    unit = "chance, or more" if one.probability_is_lower_bound else "chance"
    return one.probability, f"{one.probability:.0%}", unit


def _score(one: Recommendation) -> tuple[float, str, str]:
    return one.score, f"{one.score:.2f}", "score"


def mean_shares(ranking: Sequence[Recommendation]) -> dict[str, float]:
    """What a ranking rests on: the mean over its items of every term's share; they add up to 1, or all are 0."""
    every = [one.basis.shares() for one in ranking]
    sums = {term: sum(shares.get(term, 0.0) for shares in every) for term in TERMS}
    total = sum(sums.values())
    return {term: amount / total if total else 0.0 for term, amount in sums.items()}


def segments_of(shares: Mapping[str, float]) -> tuple[Segment, ...]:
    """Shares that add up to 1 as the parts of a bar, always in the same order."""
    start, segments = 0.0, []
    for term in TERMS:
        width = 100 * shares.get(term, 0.0)
        if width:
            segments.append(Segment(term, round(start, 2), round(width, 2)))
        start += width
    return tuple(segments)
