"""A catalogue searched by words."""

from __future__ import annotations

from collections.abc import Sequence

from foldin.data.catalog import Catalog
from foldin.data.normalisation import folded

__all__ = ["search_items", "title_first"]


def search_items(catalog: Catalog, text: str) -> list[int]:
    """The places of the items in whose id or attributes every word of a text stands, whatever the case; all items where
    the text has no word."""
    words = folded(text).split()
    if not words:
        return list(range(len(catalog)))
    columns = [catalog.item_ids, *catalog.attributes.values()]
    texts = (folded("\n".join(filter(None, cells))) for cells in zip(*columns, strict=True))
    return [place for place, cells in enumerate(texts) if all(word in cells for word in words)]


def title_first(catalog: Catalog, text: str, places: Sequence[int], events: Sequence[int]) -> list[int]:
    """The same places in order: first items with every word in their title, then the others, each by the number of
    their `events`, (items,), the greatest first."""
    words, titles = folded(text).split(), catalog.names()

    def elsewhere(place: int) -> bool:
        title = folded(titles[place])
        return not all(word in title for word in words)

    return sorted(places, key=lambda place: (elsewhere(place), -events[place]))
