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

__all__ = ["Digest", "ItemNumbers", "Series", "digest_of"]

DAY = 86_400_000_000
"""Microseconds."""

MOST_POINTS = 400
"""Of a curve: more are no finer on a screen."""

SPELLS = 40
"""Parts of the whole time, of equal length, in which an item's events are counted."""


@dataclass(frozen=True, eq=False)
class Series:
    """A curve: `xs` and `ys`, (points,)."""

    xs: NDArray[np.float64]
    ys: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ItemNumbers:
    """What people did with an item. `place`: by the number of people, from 1; `spells`: events, (SPELLS,), or empty."""

    events: int
    people: int
    place: int
    share: float
    first: datetime | None
    last: datetime | None
    spells: Sequence[int]


@dataclass(frozen=True, eq=False)
class Digest:
    """Of the events before `position`. `tail`: what share of the events the most popular share of the items has.

    `daily`: events by day, as seconds since the epoch, `days` of them to a point; None without times.
    `per_user`, `per_item`: how many have so many events, by powers of two.
    """

    position: int
    diagnosis: Diagnosis
    tail: Series
    daily: Series | None
    days: int
    per_user: Sequence[tuple[str, int]]
    per_item: Sequence[tuple[str, int]]
    items: dict[str, ItemNumbers]


def digest_of(log: Interactions, position: int) -> Digest:
    """Counts everything there is to count, in one go."""
    per_item = np.bincount(log.item_codes, minlength=len(log.item_ids))
    daily, days = _daily(log)
    return Digest(
        position,
        examine_log(log),
        _tail(per_item),
        daily,
        days,
        _by_powers(np.bincount(log.user_codes, minlength=len(log.user_ids))),
        _by_powers(per_item),
        _items(log, per_item),
    )


def _tail(per_item: NDArray[np.int64]) -> Series:
    counts = np.sort(per_item)[::-1]
    at = np.unique(np.linspace(0, len(counts), min(MOST_POINTS, len(counts) + 1)).astype(np.intp))
    shares = np.concatenate([[0], np.cumsum(counts)])[at] / max(int(counts.sum()), 1)
    return Series(at / max(len(counts), 1), shares)


def _daily(log: Interactions) -> tuple[Series | None, int]:
    if log.times is None or not (known := log.times[log.times != NO_TIME]).size:
        return None, 1
    days = known // DAY
    span = int(days.max() - days.min()) + 1
    width = -(-span // MOST_POINTS)
    counts = np.bincount((days - days.min()) // width)
    starts = (days.min() + width * np.arange(len(counts))) * (DAY // 1_000_000)
    return Series(starts.astype(np.float64), counts.astype(np.float64)), width


def _by_powers(counts: NDArray[np.int64]) -> list[tuple[str, int]]:
    if not len(counts):
        return []
    powers = np.floor(np.log2(np.maximum(counts, 1))).astype(np.int64)
    names = [f"{2**power}" if power == 0 else f"{2**power}-{2 ** (power + 1) - 1}" for power in range(powers.max() + 1)]
    return list(zip(names, np.bincount(powers).tolist(), strict=True))


def _items(log: Interactions, per_item: NDArray[np.int64]) -> dict[str, ItemNumbers]:
    people = _people(log)
    places = np.empty(len(people), dtype=np.intp)
    places[np.argsort(-people, kind="stable")] = np.arange(1, len(people) + 1)
    firsts, lasts, spells = _times(log)
    return {
        str(item): ItemNumbers(
            int(per_item[code]),
            int(people[code]),
            int(places[code]),
            float(people[code] / max(len(log.user_ids), 1)),
            _moment(firsts[code]),
            _moment(lasts[code]),
            spells[code].tolist(),
        )
        for code, item in enumerate(log.item_ids)
    }


def _people(log: Interactions) -> NDArray[np.int64]:
    """How many people had each item, (items,)."""
    pairs = np.unique(log.user_codes.astype(np.int64) * len(log.item_ids) + log.item_codes)
    return np.bincount(pairs % max(len(log.item_ids), 1), minlength=len(log.item_ids))


def _times(log: Interactions) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """First and last time of each item, (items,), NO_TIME where none is known, and its events by spell."""
    count = len(log.item_ids)
    firsts, lasts = np.full(count, np.iinfo(np.int64).max), np.full(count, NO_TIME)
    if log.times is None or not (known := log.times != NO_TIME).any():
        return np.full(count, NO_TIME), lasts, np.empty((count, 0), dtype=np.int64)
    codes, times = log.item_codes[known], log.times[known]
    np.minimum.at(firsts, codes, times)
    np.maximum.at(lasts, codes, times)
    span = int(times.max() - times.min()) + 1
    spells = ((times - times.min()) * np.float64(SPELLS / span)).astype(np.int64).clip(0, SPELLS - 1)
    counts = np.bincount(codes.astype(np.int64) * SPELLS + spells, minlength=count * SPELLS)
    return np.where(lasts == NO_TIME, NO_TIME, firsts), lasts, counts.reshape(count, SPELLS)


def _moment(time: np.int64) -> datetime | None:
    return None if time == NO_TIME else datetime.fromtimestamp(int(time) / 1_000_000, UTC)
