"""An item as the service knows it: what is said of it, and whether it can be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from foldin.data.availability import unavailable
from foldin.data.catalog import Catalog
from foldin.errors import NotFoundError
from foldin.service.live import Live

__all__ = ["Offered", "offered"]


@dataclass(frozen=True)
class Offered:
    """`available`: whether it can be had now; `in_model`: whether the live model knows it."""

    item: str
    title: str
    attributes: Mapping[str, str]
    available: bool
    in_model: bool


def offered(item: str, catalog: Catalog, live: Live | None) -> Offered:
    """What the store's catalogue says of an item, or, where it lacks it, the live model's.

    Raises:
        NotFoundError: neither has it.
        DataError: what the catalogue says of when it can be had cannot be understood.
    """
    in_model = live is not None and bool(live.recommender.catalog.knows([item])[0])
    if not catalog.knows([item])[0]:
        if live is None or not in_model:
            raise NotFoundError(f"no item '{item}'")
        catalog = live.recommender.catalog
    index = int(catalog.indices([item])[0])
    attributes = catalog.item(index)
    available = not unavailable(Catalog.of_one(item, attributes))
    return Offered(item, catalog.title(index), attributes, available, in_model)
