"""What is on offer now: the store's catalogue, with what is hidden or expired and which categories items have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from foldin.data.availability import AVAILABILITY, Availability, availability_of
from foldin.data.catalog import Catalog, ids_of
from foldin.errors import DataError
from foldin.service.live import Live
from foldin.store.contract import Store

__all__ = ["CATEGORIES", "Shelf"]

CATEGORIES = ("category", "categories", "topic", "topics", "genre", "genres", "tag", "tags")
"""The catalogue's attributes that hold an item's categories; several values are parted by `|`."""


@dataclass(frozen=True, eq=False)
class _Offer:
    """What the catalogue says of the items of the live model `of`, in that one's order."""

    of: Live
    availability: Availability
    categories: dict[str, NDArray[np.bool_]]
    unavailable: NDArray[np.bool_]

    def at(self, moment: datetime | None) -> _Offer:
        """With what is unavailable at a moment, None is now."""
        return replace(self, unavailable=self.availability.gone(moment)) if self.availability.by_time else self


class Shelf:
    """The store's catalogue as it was at the last `refresh`, by the columns of whichever model is live."""

    def __init__(self) -> None:
        self._lock, self._reading = Lock(), Lock()
        self._catalog = Catalog(np.empty(0, dtype=np.object_))
        self._version: int | None = None
        self._offer: _Offer | None = None

    @property
    def catalog(self) -> Catalog:
        """The catalogue as it was read last."""
        return self._catalog

    def refresh(self, store: Store, at: datetime | None = None) -> None:
        """Reads the catalogue again where it has changed; what is hidden, or expired at a moment (None is now), is left
        out from here on."""
        with self._reading:  # or whoever read before would put the older in the place of the newer
            version = store.catalog_version()  # asked before reading: what is written in between is read next time
            if version != self._version:
                self._put(store.catalog())
                self._version = version
        with self._lock:
            self._offer = None if self._offer is None else self._offer.at(at)

    def unavailable(self, live: Live) -> NDArray[np.bool_]:
        """Which items of the live model cannot be had now, (items,)."""
        return self._for(live).unavailable

    def gone(self, live: Live) -> list[str]:
        """The ids of the live model's items that cannot be had now."""
        ids: list[str] = live.recommender.catalog.item_ids[self.unavailable(live)].tolist()
        return ids

    def within(self, live: Live, categories: Sequence[str]) -> NDArray[np.bool_]:
        """Which items of the live model have one of the categories, (items,)."""
        within = np.zeros(len(live.recommender.catalog), dtype=np.bool_)
        known = self._for(live).categories
        for column in (known[name] for name in categories if name in known):
            within |= column
        return within

    def _put(self, catalog: Catalog) -> None:
        before = self._offer
        offer = None if before is None else _offer(catalog, before.of)
        with self._lock:
            self._catalog, self._offer = catalog, offer

    def _for(self, live: Live) -> _Offer:
        with self._lock:
            if self._offer is None or self._offer.of is not live:
                self._offer = _offer(self._catalog, live)
            return self._offer


def _offer(catalog: Catalog, live: Live) -> _Offer:
    items = live.recommender.catalog
    availability = _availability(items, catalog)
    categories = _categories(items, catalog if len(catalog) else items)
    return _Offer(live, availability, categories, unavailable=availability.gone())


def _availability(items: Catalog, catalog: Catalog) -> Availability:
    known = catalog.knows(items.item_ids)
    rows = np.full(len(items), -1)  # the last, where None is put: of an item it lacks the catalogue says nothing
    rows[known] = catalog.indices(items.item_ids[known])
    told = {name: column for name, column in catalog.attributes.items() if name in AVAILABILITY}
    by_item = {name: np.concatenate([column, ids_of([None])])[rows] for name, column in told.items()}
    try:
        return availability_of(Catalog(items.item_ids, by_item))
    except DataError:  # refused where items are written; a file imported past it must not silence everything
        return availability_of(Catalog(items.item_ids))


def _categories(items: Catalog, catalog: Catalog) -> dict[str, NDArray[np.bool_]]:
    found: dict[str, list[str]] = {}
    for name in CATEGORIES:
        for item_id, cell in zip(catalog.item_ids, catalog.attributes.get(name, ()), strict=False):
            for category in filter(None, (part.strip() for part in (cell or "").split("|"))):
                found.setdefault(category, []).append(item_id)
    columns = {}
    for category, item_ids in found.items():
        columns[category] = np.zeros(len(items), dtype=np.bool_)
        columns[category][_indices(items, item_ids)] = True
    return columns


def _indices(items: Catalog, item_ids: Sequence[str]) -> NDArray[np.int32]:
    return items.indices([item_id for item_id, known in zip(item_ids, items.knows(item_ids), strict=True) if known])
