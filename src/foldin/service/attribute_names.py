"""How many different names attributes may have: each is a column over all items or users wherever those are read."""

from __future__ import annotations

from collections.abc import Set
from time import monotonic

from foldin.errors import DataError
from foldin.store.contract import Store

__all__ = ["MOST_NAMES", "ProfileNames", "check_names"]

MOST_NAMES = 256
"""Different names of attributes in a catalogue or in profiles that are written here."""

PAUSE = 30.0
"""Seconds after a refusal in which names are not read again, as all profiles have to be read for that."""


def check_names(known: Set[str], added: Set[str], owner: str) -> None:
    """Refuses names that would be too many beside those that are known; `owner` has them all.

    Raises:
        DataError: there would be more than 256, and one of them is new.
    """
    count = len(known | added)
    if count > MOST_NAMES and added - known:
        problem = f"{owner} would have {count} attribute names, and {MOST_NAMES} is the most"
        raise DataError(f"{problem}: use names that others have, or put several values under one", field="attributes")


class ProfileNames:
    """The names of attributes in a store's profiles, read again as a name comes that is not among them."""

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()
        self._next = 0.0

    def check(self, store: Store, added: Set[str]) -> None:
        """Refuses a profile with these names.

        Raises:
            DataError: as from `check_names`.
        """
        if added <= self._known:
            return
        if monotonic() >= self._next:
            self._known = frozenset(store.profiles().attributes)
        try:
            check_names(self._known, added, "the profiles")
        except DataError:
            self._next = monotonic() + PAUSE
            raise
        self._known |= added  # or many could be let in by ones while names are not read
