"""The categories of a catalogue's items, whatever the catalogue calls them."""

from __future__ import annotations

from foldin.data.catalog import Catalog
from foldin.data.known_attributes import CATEGORIES

__all__ = ["categories_of", "items_by_category"]


def categories_of(catalog: Catalog, place: int) -> tuple[str, ...]:
    """The categories of one item."""
    cells = [catalog.attributes[name][place] for name in CATEGORIES if name in catalog.attributes]
    return tuple(category for cell in cells for category in _parts(cell))


def items_by_category(catalog: Catalog) -> dict[str, list[str]]:
    """The ids of the items of each category."""
    found: dict[str, list[str]] = {}
    for name in CATEGORIES:
        for item_id, cell in zip(catalog.item_ids, catalog.attributes.get(name, ()), strict=False):
            for category in _parts(cell):
                found.setdefault(category, []).append(item_id)
    return found


def _parts(cell: str | None) -> list[str]:
    return [part.strip() for part in (cell or "").split("|") if part.strip()]
