"""A person's past as the page shows it: one line for each item, the newest first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from foldin.data.catalog import Catalog
from foldin.data.interactions import NO_TIME, History

__all__ = ["Done", "past_of"]


@dataclass(frozen=True)
class Done:
    """An item of a history: how often and when last, and its last value where it has one."""

    item: str
    title: str
    times: int
    last: datetime | None
    value: float | None
    known: bool


def past_of(history: History, catalog: Catalog) -> list[Done]:
    """The items of a history, the last one first. `known`: whether the catalogue has the item."""
    counts, newest = Counter(history.item_ids), {item: place for place, item in enumerate(history.item_ids)}
    known = dict(zip(newest, catalog.knows(list(newest)).tolist(), strict=True))
    return [
        Done(
            item,
            catalog.title(int(catalog.indices([item])[0])) if known[item] else item,
            counts[item],
            _moment(history, place),
            _value(history, place),
            known[item],
        )
        for item, place in sorted(newest.items(), key=lambda pair: -pair[1])
    ]


def _moment(history: History, place: int) -> datetime | None:
    if history.times is None or history.times[place] == NO_TIME:
        return None
    return datetime.fromtimestamp(int(history.times[place]) / 1_000_000, UTC)


def _value(history: History, place: int) -> float | None:
    if history.values is None or np.isnan(history.values[place]):
        return None
    return float(history.values[place])
