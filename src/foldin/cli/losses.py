"""Losses: attributes that the store has of items and users, and that new rows of them no longer name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foldin.wording import counted

if TYPE_CHECKING:
    from foldin.data.catalog import Attributes, Catalog
    from foldin.data.interactions import Ids
    from foldin.data.profiles import Profiles
    from foldin.store.contract import Store

__all__ = ["losses"]


def losses(store: Store, catalog: Catalog | None, profiles: Profiles | None) -> list[str]:
    """What the store will lose, in a sentence for catalogue and for profiles, as new rows replace old ones whole."""
    lost = []
    if catalog is not None:
        known = store.catalog()
        lost += _told("item", _lost(known.item_ids, known.attributes, catalog.item_ids, catalog.attributes))
    if profiles is not None:
        stored = store.profiles()
        lost += _told("user", _lost(stored.user_ids, stored.attributes, profiles.user_ids, profiles.attributes))
    return lost


def _lost(known_ids: Ids, known: Attributes, ids: Ids, given: Attributes) -> dict[str, int]:
    """How many rows lose each attribute."""
    places = {given_id: place for place, given_id in enumerate(ids)}
    both = [(row, places[known_id]) for row, known_id in enumerate(known_ids) if known_id in places]
    empty: Sequence[None] = [None] * len(ids)
    return {
        name: sum(column[old] is not None and given.get(name, empty)[new] is None for old, new in both)
        for name, column in known.items()
    }


def _told(noun: str, lost: dict[str, int]) -> list[str]:
    parts = [f"{name} of {counted(count, noun)}" for name, count in lost.items() if count]
    return [f"a row replaces all that was known of its {noun}; gone is: {', '.join(parts)}"] if parts else []
