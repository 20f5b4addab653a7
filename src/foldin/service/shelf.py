"""What is on offer now: the store's catalogue, with what is hidden or expired and which categories items have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from foldin.data.availability import unavailable
from foldin.data.catalog import Catalog
from foldin.errors import DataError
from foldin.service.live import Live
from foldin.store.contract import Store

__all__ = ["CATEGORIES", "Shelf"]

CATEGORIES = ("category", "categories", "topic", "topics", "genre", "genres", "tag", "tags")
"""The catalogue's attributes that hold an item's categories; several values are parted by `|`."""


@dataclass(frozen=True, eq=False)
class _Offer:
    """The catalogue as it was read last; `of`: the live model whose items the columns are in the order of."""

    catalog: Catalog
    of: Live
    unavailable: NDArray[np.bool_]
    categories: dict[str, NDArray[np.bool_]]


class Shelf:
    """The store's catalogue as it was at the last `refresh`, by the columns of whichever model is live."""

    def __init__(self) -> None:
        self._lock, self._reading = Lock(), Lock()
        self._catalog = Catalog(np.empty(0, dtype=np.object_))
        self._offer: _Offer | None = None

    @property
    def catalog(self) -> Catalog:
        """The catalogue as it was read last."""
        return self._catalog

    def refresh(self, store: Store) -> None:
        """Reads the catalogue again; what is hidden or expired now is left out from here on."""
        with self._reading:  # or whoever read before would put the older in the place of the newer
            catalog, before = store.catalog(), self._offer
            offer = None if before is None else _offer(catalog, before.of)
            with self._lock:
                self._catalog, self._offer = catalog, offer

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

    def _for(self, live: Live) -> _Offer:
        with self._lock:
            if self._offer is None or self._offer.of is not live:
                self._offer = _offer(self._catalog, live)
            return self._offer


def _offer(catalog: Catalog, live: Live) -> _Offer:
    items = live.recommender.catalog
    gone = np.zeros(len(items), dtype=np.bool_)
    gone[_indices(items, _unavailable(catalog))] = True
    return _Offer(catalog, live, gone, _categories(items, catalog if len(catalog) else items))


def _unavailable(catalog: Catalog) -> list[str]:
    try:
        return unavailable(catalog)
    except DataError:
        return []  # refused where items are written; a file imported past it must not silence everything


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
