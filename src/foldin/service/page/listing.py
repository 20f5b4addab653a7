"""The catalogue as a list to search: titles, and the items in which all words of a query are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foldin.data.catalog import TITLES, Catalog
from foldin.service.page.digest import ItemNumbers
from foldin.service.shelf import CATEGORIES

__all__ = ["PER_PAGE", "Listed", "Listing", "listing_of", "titles_of"]

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


def titles_of(catalog: Catalog) -> list[str]:
    """The title of every item, in their order; the id where there is none."""
    titles: list[str] = catalog.item_ids.tolist()
    for name in reversed(TITLES):
        column = catalog.attributes.get(name)
        if column is not None:
            titles = [cell if cell is not None else title for cell, title in zip(column, titles, strict=True)]
    return titles


def listing_of(catalog: Catalog, text: str, page: int, numbers: dict[str, ItemNumbers]) -> Listing:
    """The items in whose id or attributes every word of a text stands, whatever the case."""
    titles = titles_of(catalog)
    places = _matches(catalog, text.casefold().split())
    ids: list[str] = catalog.item_ids.tolist()
    places.sort(key=lambda place: numbers[ids[place]].place if ids[place] in numbers else len(ids))
    pages = max(1, -(-len(places) // PER_PAGE))
    page = min(max(page, 1), pages)
    shown = places[(page - 1) * PER_PAGE : page * PER_PAGE]
    items = [Listed(ids[place], titles[place], _categories(catalog, place), numbers.get(ids[place])) for place in shown]
    return Listing(items, len(places), page, pages)


def _matches(catalog: Catalog, words: Sequence[str]) -> list[int]:
    if not words:
        return list(range(len(catalog)))
    columns = [catalog.item_ids, *catalog.attributes.values()]
    texts = ("\n".join(filter(None, cells)).casefold() for cells in zip(*columns, strict=True))
    return [place for place, text in enumerate(texts) if all(word in text for word in words)]


def _categories(catalog: Catalog, place: int) -> tuple[str, ...]:
    cells = [catalog.attributes[name][place] for name in CATEGORIES if name in catalog.attributes]
    return tuple(filter(None, (part.strip() for cell in cells if cell for part in cell.split("|"))))
