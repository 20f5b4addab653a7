"""The people of the store, to pick from by a few letters."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from foldin.service.desk import Desk

__all__ = ["People", "found"]

FRESH = 10.0
"""Seconds that the list is taken to hold: somebody who came since is found by typing the whole id."""

MOST = 8


class People:
    """The store's user ids as they were read last."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._ids: Sequence[str] = ()
        self._read: float | None = None

    async def ids(self) -> Sequence[str]:
        """All of them, sorted.

        Raises:
            StoreError: the store cannot be read.
        """
        if self._read is None or monotonic() - self._read > FRESH:
            self._ids, self._read = await self._desk.run(lambda store: store.user_ids()), monotonic()
        return self._ids

    async def some(self) -> Sequence[str]:
        """A few from all over the list, always the same."""
        ids = await self.ids()
        return ids[:: max(1, len(ids) // MOST)][:MOST]


def found(text: str, names: Sequence[str]) -> list[int]:
    """The places of the names that begin with a text, then of those that hold it, whatever the case; a few."""
    wanted = text.casefold().strip()
    begins: list[int] = []
    holds: list[int] = []
    for place, name in enumerate(names):
        at = name.casefold().find(wanted)
        if at >= 0:
            (holds if at else begins).append(place)
        if len(begins) >= MOST:
            break
    return (begins + holds)[:MOST]
