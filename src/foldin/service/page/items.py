"""The items of the live model, to pick from by a few letters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from foldin.data.catalog import Catalog
from foldin.service.offload import offload
from foldin.service.page.names import MANY, Names, names_of

__all__ = ["Items"]

MOST = 10


@dataclass(frozen=True, eq=False)
class _Named:
    of: Catalog
    titles: Names
    ids: Names


class Items:
    """Titles and ids of the items of the catalogue that was asked about last."""

    def __init__(self) -> None:
        self._named: _Named | None = None

    async def found(self, text: str, catalog: Catalog) -> list[tuple[str, str]]:
        """Ids and titles of the items in whose title a text stands, as `Names.found`, then of those in whose id."""
        return await offload(partial(self._found, text, catalog), long=len(catalog) > MANY)

    def _found(self, text: str, catalog: Catalog) -> list[tuple[str, str]]:
        named = self._now(catalog)
        places = list(dict.fromkeys([*named.titles.found(text), *named.ids.found(text)]))
        return [(named.ids.names[place], named.titles.names[place]) for place in places[:MOST]]

    def _now(self, catalog: Catalog) -> _Named:
        named = self._named
        if named is None or named.of is not catalog:
            named = _Named(catalog, names_of(catalog.names()), names_of(catalog.item_ids.tolist()))
            self._named = named
        return named
