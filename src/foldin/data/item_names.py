"""What an item is called: its id, or else its title."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from foldin.data.catalog import Catalog
from foldin.data.identifiers import normalised, refusal
from foldin.data.normalisation import folded
from foldin.data.spelling import perhaps, perhaps_titled
from foldin.errors import ConfigurationError

__all__ = ["ItemNames"]

MOST_LISTED = 5
"""Ids of one title that a message lists."""


@dataclass(frozen=True, eq=False)
class ItemNames:
    """The names of a catalogue's items. An id is found before a title; a title must be the whole of one."""

    catalog: Catalog

    def find(self, name: str) -> str | None:
        """The id of the item of that name; None where no item is called so.

        Raises:
            ConfigurationError: several items have the title; their ids are listed.
        """
        if refusal(name) is None and self.catalog.knows([name])[0]:
            return normalised(name)
        found = self._ids_by_title.get(folded(name), [])
        if len(found) > 1:
            raise ConfigurationError(f"{len(found):,} items have the title '{name}': give the id, {_one_of(found)}")
        return found[0] if found else None

    def suggest(self, name: str) -> str:
        """What to add to a message about a name that no item has: did you mean so and so; or nothing."""
        titles = [title for title in self.catalog.titles if title is not None]
        return perhaps(name, self.catalog.item_ids) or perhaps_titled(name, titles)

    @cached_property
    def _ids_by_title(self) -> dict[str, list[str]]:
        ids: dict[str, list[str]] = {}
        for item_id, title in zip(self.catalog.item_ids, self.catalog.titles, strict=True):
            if title is not None:
                ids.setdefault(folded(title), []).append(str(item_id))
        return ids


def _one_of(ids: list[str]) -> str:
    listed = " or ".join(ids[:MOST_LISTED])
    return f"{listed} or one of {len(ids) - MOST_LISTED:,} more" if len(ids) > MOST_LISTED else listed
