"""A person's past as the page shows it: one line for each item, the newest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import compress

import numpy as np

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import NO_TIME, History
from foldin.data.known_attributes import TITLES
from foldin.service.offload import offload

__all__ = ["LONG", "Done", "past_of"]

LONG = 200
"""Events; to tell of more keeps others waiting for longer than it takes to go aside."""


@dataclass(frozen=True)
class Done:
    """An item of a history: how often and when last, and its last value where it has one."""

    item: str
    title: str
    times: int
    last: datetime | None
    value: float | None
    known: bool


async def past_of(history: History, *catalogs: Catalog) -> list[Done]:
    """The items of a history, the last one first, with their titles in the first catalogue that has them. `known`:
    whether any has the item."""
    return await offload(partial(_past_of, history, *catalogs), long=len(history) > LONG)


def _past_of(history: History, *catalogs: Catalog) -> list[Done]:
    counts, newest = Counter(history.item_ids), {item: place for place, item in enumerate(history.item_ids)}
    titles: dict[str, str] = {}
    for catalog in catalogs:
        titles |= _titles([item for item in newest if item not in titles], catalog)
    return [
        Done(
            item,
            titles.get(item, item),
            counts[item],
            _moment(history, place),
            _value(history, place),
            item in titles,
        )
        for item, place in sorted(newest.items(), key=lambda pair: -pair[1])
    ]


def _titles(item_ids: Sequence[str], catalog: Catalog) -> dict[str, str]:
    """The titles of those items that the catalogue has, looked up at once."""
    known = ids_of(compress(item_ids, catalog.knows(item_ids)))
    places = catalog.indices(known)
    columns = {name: column[places] for name, column in catalog.attributes.items() if name in TITLES}
    return dict(zip(known, Catalog(known, columns).names(), strict=True))


def _moment(history: History, place: int) -> datetime | None:
    if history.times is None or history.times[place] == NO_TIME:
        return None
    return datetime.fromtimestamp(int(history.times[place]) / 1_000_000, UTC)


def _value(history: History, place: int) -> float | None:
    if history.values is None or np.isnan(history.values[place]):
        return None
    return float(history.values[place])
