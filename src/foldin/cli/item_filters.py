"""Which items a ranking may hold: what was typed, and the ids that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foldin.data.catalog import Catalog

__all__ = ["ItemChoice", "ItemFilters"]


@dataclass(frozen=True)
class ItemChoice:
    """Ids of items: `only` is what to choose from, everything if None, and `exclude` what is left out."""

    only: list[str] | None
    exclude: list[str]


@dataclass(frozen=True)
class ItemFilters:
    """What was typed: lists of items, each as "A,B,C", and categories."""

    only: Sequence[str] | None = None
    exclude: Sequence[str] = ()
    categories: Sequence[str] = ()

    def choose(self, known: Catalog, stored: Catalog) -> ItemChoice:
        """The items that pass; what can be had, and which categories items have, is what the store's catalogue says.

        `known`: the catalogue of the model. Notes name items and categories that nothing has.

        Raises:
            DataError: a name can be no item's, or the catalogue does not say in a way that can be understood when items
                can be had.
            ConfigurationError: several items have a title.
        """
        from foldin.cli.item_arguments import find_known_items
        from foldin.data.availability import unavailable

        only = None if self.only is None else find_known_items(self.only, known, "--only: unknown")
        exclude = find_known_items(self.exclude, known, "--exclude: unknown")
        if self.categories:
            of_categories = self._in_categories(stored if len(stored) else known)
            among = set(of_categories)
            only = of_categories if only is None else [item_id for item_id in only if item_id in among]
        return ItemChoice(only, [*exclude, *unavailable(stored)])

    def _in_categories(self, catalog: Catalog) -> list[str]:
        from foldin.cli.output import print_note
        from foldin.data.categories import items_by_category
        from foldin.data.spelling import perhaps

        found = items_by_category(catalog)
        for category in self.categories:
            if category not in found:
                print_note(f"no item has the category '{category}'{perhaps(category, found)}")
        return [item_id for category in self.categories for item_id in found.get(category, ())]
