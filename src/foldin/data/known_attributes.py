"""Attributes of items that have an effect, by their names: told, as a log's columns are, without case and signs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from foldin.data.normalisation import bare
from foldin.errors import DataError

__all__ = [
    "AVAILABILITY",
    "AVAILABLE_FROM",
    "AVAILABLE_UNTIL",
    "CATEGORIES",
    "HIDDEN",
    "TITLES",
    "known_name",
    "known_names",
]

HIDDEN, AVAILABLE_FROM, AVAILABLE_UNTIL = AVAILABILITY = "hidden", "available_from", "available_until"
"""Whether and when an item can be had: true or false, and ISO 8601 dates or times (UTC where none is said)."""

TITLES = ("title", "name")
"""What an item is called; the first that is there."""

CATEGORIES = ("category", "categories", "topic", "topics", "genre", "genres", "tag", "tags")
"""An item's categories; several values are parted by `|`."""


@lru_cache(maxsize=4_096)
def known_name(name: str) -> str:
    """`hidden` for `Hidden`, `available_until` for `Available until`; any other name as it is."""
    return _BY_KEY.get(bare(name), name)


def known_names(names: Iterable[str], file: str | None = None) -> dict[str, str]:
    """What each of an item's attributes is called from here on.

    Raises:
        DataError: two of them would both be one that has an effect.
    """
    taken: dict[str, str] = {}
    for name in names:
        if (known := known_name(name)) in taken:
            both = f"'{taken[known]}' and '{name}'"
            raise DataError(f"the attributes {both} would both be the {known}: rename one", file=file, field=name)
        taken[known] = name
    return {name: known for known, name in taken.items()}


_BY_KEY = {bare(name): name for name in (*AVAILABILITY, *TITLES, *CATEGORIES)}
