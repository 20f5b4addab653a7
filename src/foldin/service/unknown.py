"""What a request names and nobody knows, as where it is mistyped: items, and categories."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from foldin.data.catalog import Catalog
from foldin.service.live import Live
from foldin.service.messages import Person, Rules
from foldin.service.shelf import Shelf

__all__ = ["unknown_in_history", "unknown_in_rules"]

MOST_NAMED = 3
"""Of each kind."""

LONGEST = 64
"""Letters of each."""


def unknown_in_history(live: Live, person: Person) -> list[str]:
    """What is to be said of a history that was sent along."""
    items = [one if isinstance(one, str) else one.item for one in person.history or ()]
    return _notice("of the history the model does not know", _unknown(live.recommender.catalog, items))


def unknown_in_rules(live: Live, shelf: Shelf, rules: Rules) -> list[str]:
    """What is to be said of the items and categories that a ranking is asked to hold, or not to hold."""
    catalog = live.recommender.catalog
    known = shelf.categories(live)
    return [
        *_notice("of 'only' the model does not know", _unknown(catalog, rules.only or ())),
        *_notice("of 'exclude' the model does not know", _unknown(catalog, rules.exclude)),
        *_notice("no item has the category", [name for name in rules.categories if name not in known]),
    ]


def _unknown(catalog: Catalog, items: Sequence[str]) -> list[str]:
    known = catalog.knows(items).tolist()
    return [item for item, is_known in zip(items, known, strict=True) if not is_known]


def _notice(what: str, unknown: Sequence[str]) -> list[str]:
    if not unknown:
        return []
    named = ", ".join(f"'{one[:LONGEST]}'" for one in islice(unknown, MOST_NAMED))
    more = f" and {len(unknown) - MOST_NAMED:,} more" if len(unknown) > MOST_NAMED else ""
    return [f"{what}: {named}{more}"]
