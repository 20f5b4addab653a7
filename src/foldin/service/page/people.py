"""The people of the store, to pick from by a few letters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from time import monotonic

from foldin.service.desk import Desk
from foldin.service.offload import offload
from foldin.service.page.names import MANY, Names, names_of

__all__ = ["People"]

FRESH = 10.0
"""Seconds that the list is taken to hold: somebody who came since is found by typing the whole id."""

MOST = 8


class People:
    """The store's user ids as they were read last, sorted.

    Raises, from every method:
        StoreError: the store cannot be read.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._names: Names | None = None
        self._read = monotonic()

    async def found(self, text: str) -> list[str]:
        """Those in which a text stands, as `Names.found`."""
        names = await self._now()
        places = await offload(partial(names.found, text), long=len(names.names) > MANY)
        return [names.names[place] for place in places]

    async def some(self) -> Sequence[str]:
        """A few from all over the list, always the same."""
        ids = (await self._now()).names
        return ids[:: max(1, len(ids) // MOST)][:MOST]

    async def _now(self) -> Names:
        names = self._names
        if names is None or monotonic() - self._read > FRESH:
            names = await self._desk.run(lambda store: names_of(store.user_ids()))
            self._names, self._read = names, monotonic()
        return names
