"""A digest of the store's events: how they are spread over people, items and days, and what the doctor says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from foldin.data.diagnosis import Diagnosis
from foldin.data.doctor import examine_log
from foldin.data.interactions import NO_TIME, Interactions

__all__ = ["Digest", "ItemNumbers", "Outside", "Series", "Span", "Strays", "digest_of"]

DAY = 86_400_000_000
"""Microseconds."""

MOST_POINTS = 400
"""Of a curve: more are no finer on a screen."""

FEW_OUTSIDE = 0.01
"""Share of the events that lie so early, or so late, that they may be left out of what is drawn over time."""

MORE_AT_ENDS = 0.05
"""By what part of its length the time of the others is drawn beyond its ends, where there are events."""

MOST_DAYS = 3
"""Of the events of an item that are not drawn, which are named."""

SPELLS = 40
"""Parts of the whole time, of equal length, in which an item's events are counted."""


@dataclass(frozen=True, eq=False)
class Series:
    """A curve: `xs` and `ys`, (points,)."""

    xs: NDArray[np.float64]
    ys: NDArray[np.float64]


@dataclass(frozen=True)
class Strays:
    """Events that are not drawn: how many, and when the first and the last of them were, in UTC."""

    events: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Span:
    """The time that is drawn, in microseconds since the epoch, both ends in it; and what lies before and after it."""

    first: int
    last: int
    before: Strays | None
    after: Strays | None

    @property
    def outside(self) -> int:
        """Events before and after."""
        return sum(strays.events for strays in (self.before, self.after) if strays is not None)


@dataclass(frozen=True)
class Outside:
    """Events of an item before and after the spells: how many, the first of their days, and how many more days."""

    events: int
    days: tuple[datetime, ...]
    more: int


@dataclass(frozen=True, eq=False)
class ItemNumbers:
    """What people did with an item. `place`: by the number of people, from 1; `spells`: events, (SPELLS,), or empty.

    `outside`: what is not in them; None where all is.
    """

    events: int
    people: int
    place: int
    share: float
    first: datetime | None
    last: datetime | None
    spells: Sequence[int]
    outside: Outside | None


@dataclass(frozen=True, eq=False)
class Digest:
    """Of the events before `position`. `tail`: what share of the events the most popular share of the items has.

    `span`: the time that is drawn; None without times, and then so is `daily`: events by day, as seconds since the
    epoch, `days` of them to a point.
    `per_user`, `per_item`: how many have so many events, by powers of two.
    """

    position: int
    diagnosis: Diagnosis
    tail: Series
    span: Span | None
    daily: Series | None
    days: int
    per_user: Sequence[tuple[str, int]]
    per_item: Sequence[tuple[str, int]]
    items: dict[str, ItemNumbers]


def digest_of(log: Interactions, position: int) -> Digest:
    """Counts everything there is to count, in one go."""
    per_item = np.bincount(log.item_codes, minlength=len(log.item_ids))
    span = _span(log)
    daily, days = _daily(log, span)
    return Digest(
        position,
        examine_log(log),
        _tail(per_item),
        span,
        daily,
        days,
        _by_powers(np.bincount(log.user_codes, minlength=len(log.user_ids))),
        _by_powers(per_item),
        _items(log, per_item, span),
    )


def _tail(per_item: NDArray[np.int64]) -> Series:
    counts = np.sort(per_item)[::-1]
    at = np.unique(np.linspace(0, len(counts), min(MOST_POINTS, len(counts) + 1)).astype(np.intp))
    shares = np.concatenate([[0], np.cumsum(counts)])[at] / max(int(counts.sum()), 1)
    return Series(at / max(len(counts), 1), shares)


def _span(log: Interactions) -> Span | None:
    """The time of nearly all events, and some more at both ends: a few that lie far away would squash the others."""
    if log.times is None or not (known := log.times[log.times != NO_TIME]).size:
        return None
    low, high = np.quantile(known, FEW_OUTSIDE, method="lower"), np.quantile(known, 1 - FEW_OUTSIDE, method="higher")
    room = int(MORE_AT_ENDS * (high - low)) + DAY
    drawn = known[(known >= low - room) & (known <= high + room)]
    first, last = drawn.min(), drawn.max()
    return Span(int(first), int(last), _strays(known[known < first]), _strays(known[known > last]))


def _strays(times: NDArray[np.int64]) -> Strays | None:
    return Strays(len(times), _at(times.min()), _at(times.max())) if len(times) else None


def _drawn(log: Interactions, span: Span) -> NDArray[np.bool_]:
    """Which events are within a span, (events,)."""
    assert log.times is not None
    return (log.times >= span.first) & (log.times <= span.last)


def _daily(log: Interactions, span: Span | None) -> tuple[Series | None, int]:
    if log.times is None or span is None:
        return None, 1
    days, first = log.times[_drawn(log, span)] // DAY, span.first // DAY
    width = -(-(span.last // DAY - first + 1) // MOST_POINTS)
    counts = np.bincount((days - first) // width)
    starts = (first + width * np.arange(len(counts))) * (DAY // 1_000_000)
    return Series(starts.astype(np.float64), counts.astype(np.float64)), width


def _by_powers(counts: NDArray[np.int64]) -> list[tuple[str, int]]:
    if not len(counts):
        return []
    powers = np.floor(np.log2(np.maximum(counts, 1))).astype(np.int64)
    names = [f"{2**power}" if power == 0 else f"{2**power}-{2 ** (power + 1) - 1}" for power in range(powers.max() + 1)]
    return list(zip(names, np.bincount(powers).tolist(), strict=True))


def _items(log: Interactions, per_item: NDArray[np.int64], span: Span | None) -> dict[str, ItemNumbers]:
    people = _people(log)
    places = np.empty(len(people), dtype=np.intp)
    places[np.argsort(-people, kind="stable")] = np.arange(1, len(people) + 1)
    firsts, lasts = _times(log)
    spells, outside = _spells(log, span), _outside(log, span)
    return {
        str(item): ItemNumbers(
            int(per_item[code]),
            int(people[code]),
            int(places[code]),
            float(people[code] / max(len(log.user_ids), 1)),
            _moment(firsts[code]),
            _moment(lasts[code]),
            spells[code].tolist(),
            outside.get(code),
        )
        for code, item in enumerate(log.item_ids)
    }


def _people(log: Interactions) -> NDArray[np.int64]:
    """How many people had each item, (items,)."""
    pairs = np.unique(log.user_codes.astype(np.int64) * len(log.item_ids) + log.item_codes)
    return np.bincount(pairs % max(len(log.item_ids), 1), minlength=len(log.item_ids))


def _times(log: Interactions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last time of each item, (items,), NO_TIME where none is known."""
    count = len(log.item_ids)
    firsts, lasts = np.full(count, np.iinfo(np.int64).max), np.full(count, NO_TIME)
    if log.times is None or not (known := log.times != NO_TIME).any():
        return np.full(count, NO_TIME), lasts
    codes, times = log.item_codes[known], log.times[known]
    np.minimum.at(firsts, codes, times)
    np.maximum.at(lasts, codes, times)
    return np.where(lasts == NO_TIME, NO_TIME, firsts), lasts


def _spells(log: Interactions, span: Span | None) -> NDArray[np.int64]:
    """Each item's events by spell of the span, (items, SPELLS) or (items, 0)."""
    count = len(log.item_ids)
    if log.times is None or span is None:
        return np.empty((count, 0), dtype=np.int64)
    drawn = _drawn(log, span)
    codes, times = log.item_codes[drawn].astype(np.int64), log.times[drawn]
    width = np.float64(SPELLS / (span.last - span.first + 1))
    spells = ((times - span.first) * width).astype(np.int64).clip(0, SPELLS - 1)
    return np.bincount(codes * SPELLS + spells, minlength=count * SPELLS).reshape(count, SPELLS)


def _outside(log: Interactions, span: Span | None) -> dict[int, Outside]:
    """The events that lie outside the span, by the item's code; without those items that have none there."""
    if log.times is None or span is None or not span.outside:
        return {}
    beyond = ~_drawn(log, span) & (log.times != NO_TIME)
    codes, times = log.item_codes[beyond], log.times[beyond]
    order = np.argsort(codes, kind="stable")
    items, starts = np.unique(codes[order], return_index=True)
    return {int(item): _outside_of(own) for item, own in zip(items, np.split(times[order], starts[1:]), strict=True)}


def _outside_of(times: NDArray[np.int64]) -> Outside:
    days = np.unique(times // DAY)
    first = tuple(_at(day * DAY) for day in days[:MOST_DAYS])
    return Outside(len(times), first, len(days) - len(first))


def _moment(time: np.int64) -> datetime | None:
    return None if time == NO_TIME else _at(time)


def _at(time: np.int64) -> datetime:
    return datetime.fromtimestamp(int(time) / 1_000_000, UTC)
