"""What is on offer now: the store's catalogue, with what is hidden or expired and which categories items have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from foldin.data.availability import Availability, availability_of
from foldin.data.catalog import Attributes, Catalog, ids_of
from foldin.data.categories import items_by_category
from foldin.data.known_attributes import AVAILABILITY
from foldin.errors import DataError
from foldin.recommendation import Recommendation
from foldin.service.live import Live
from foldin.store.contract import Store

__all__ = ["Shelf"]


@dataclass(frozen=True, eq=False)
class _Offer:
    """What the catalogue says of the items of the live model `of`, in that one's order.

    `categories`: the indices of the items of each; a mask of all items for each category could take gigabytes.
    `changed`: items of which it says something else than the model's own catalogue does.
    """

    of: Live
    availability: Availability
    categories: dict[str, NDArray[np.int32]]
    changed: Mapping[str, Mapping[str, str]]
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
        self._offers: tuple[_Offer, ...] = ()

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
            self._offers = tuple(offer.at(at) for offer in self._offers)

    def prepare(self, live: Live) -> None:
        """Works out what is on offer before a model answers, so that its first request does not wait for it."""
        with self._lock:  # all the while, or what is made of an older catalogue would take the place of a newer one's
            if self._found(live) is None:
                self._offers = (*self._offers[-1:], _offer(self._catalog, live))

    def unavailable(self, live: Live) -> NDArray[np.bool_]:
        """Which items of the live model cannot be had now, (items,)."""
        return self._for(live).unavailable

    def changed(self, live: Live) -> Mapping[str, Mapping[str, str]]:
        """What the catalogue says now of items of the live model, where that is something else than in training."""
        return self._for(live).changed

    def within(self, live: Live, categories: Sequence[str]) -> NDArray[np.bool_]:
        """Which items of the live model have one of the categories, (items,)."""
        within = np.zeros(len(live.recommender.catalog), dtype=np.bool_)
        known = self.categories(live)
        for indices in (known[name] for name in categories if name in known):
            within[indices] = True
        return within

    def categories(self, live: Live) -> Mapping[str, NDArray[np.int32]]:
        """The indices of the live model's items in each category."""
        return self._for(live).categories

    def _put(self, catalog: Catalog) -> None:
        offers = tuple(_offer(catalog, before.of) for before in self._offers)
        with self._lock:
            self._catalog, self._offers = catalog, offers

    def _for(self, live: Live) -> _Offer:
        found = self._found(live)
        while found is None:
            self.prepare(live)
            found = self._found(live)
        return found

    def _found(self, live: Live) -> _Offer | None:
        return next((offer for offer in self._offers if offer.of is live), None)


def described(ranking: Sequence[Recommendation], changed: Mapping[str, Mapping[str, str]]) -> list[Recommendation]:
    """A ranking in which the catalogue as it is now tells of its items."""
    return [replace(one, item=changed[one.item_id]) if one.item_id in changed else one for one in ranking]


def _offer(catalog: Catalog, live: Live) -> _Offer:
    items = live.recommender.catalog
    said = _by_item(items, catalog)
    availability = _availability(items, said)
    categories = _categories(items, catalog if len(catalog) else items)
    return _Offer(live, availability, categories, _changed(items, catalog, said), unavailable=availability.gone())


def _by_item(items: Catalog, catalog: Catalog) -> Attributes:
    """What the catalogue says, in the order of these items; of one that it lacks, nothing."""
    known, indices = catalog.known_indices(items.item_ids)
    rows = np.full(len(items), -1)  # the last, where None is put
    rows[known] = indices
    return {name: np.concatenate([column, ids_of([None])])[rows] for name, column in catalog.attributes.items()}


def _changed(items: Catalog, catalog: Catalog, said: Attributes) -> dict[str, dict[str, str]]:
    nothing = np.full(len(items), None, dtype=np.object_)
    differs = np.zeros(len(items), dtype=np.bool_)
    for name in items.attributes.keys() | said.keys():
        differs |= items.attributes.get(name, nothing) != said.get(name, nothing)
    known, now = catalog.knows(items.item_ids), Catalog(items.item_ids, said)
    return {str(items.item_ids[index]): now.item(index) for index in np.flatnonzero(differs & known).tolist()}


def _availability(items: Catalog, said: Attributes) -> Availability:
    spoken_of = {name: column for name, column in said.items() if name in AVAILABILITY}
    try:
        return availability_of(Catalog(items.item_ids, spoken_of))
    except DataError:  # refused where items are written; a file imported past it must not silence everything
        return availability_of(Catalog(items.item_ids))


def _categories(items: Catalog, catalog: Catalog) -> dict[str, NDArray[np.int32]]:
    found = items_by_category(catalog)
    return {category: items.known_indices(item_ids)[1] for category, item_ids in found.items()}
