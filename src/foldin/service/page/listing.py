"""The catalogue as a list to search: titles, and the items in which all words of a query are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foldin.data.catalog import Catalog
from foldin.data.categories import categories_of
from foldin.data.item_search import search_items
from foldin.service.page.digest import ItemNumbers

__all__ = ["PER_PAGE", "Listed", "Listing", "listing_of"]

PER_PAGE = 40


@dataclass(frozen=True)
class Listed:
    """An item in the list; `numbers`: None where nobody had it, or nothing was counted yet."""

    item: str
    title: str
    categories: tuple[str, ...]
    numbers: ItemNumbers | None


@dataclass(frozen=True)
class Listing:
    """A page of what was found, the most popular first; pages are counted from 1."""

    items: Sequence[Listed]
    found: int
    page: int
    pages: int


def listing_of(catalog: Catalog, text: str, page: int, numbers: dict[str, ItemNumbers]) -> Listing:
    """The items in whose id or attributes every word of a text stands, whatever the case."""
    titles = catalog.names()
    places = search_items(catalog, text)
    ids: list[str] = catalog.item_ids.tolist()
    places.sort(key=lambda place: numbers[ids[place]].place if ids[place] in numbers else len(ids))
    pages = max(1, -(-len(places) // PER_PAGE))
    page = min(max(page, 1), pages)
    shown = places[(page - 1) * PER_PAGE : page * PER_PAGE]
    items = [
        Listed(ids[place], titles[place], categories_of(catalog, place), numbers.get(ids[place])) for place in shown
    ]
    return Listing(items, len(places), page, pages)
