"""Names to pick from by a few letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MANY", "Names", "names_of"]

MANY = 1_000
"""Names that are looked through at once; more of them keep others waiting for longer than it takes to go aside."""

MOST = 8

BEFORE = "\0"
"""Stands before every name, and after the last: no id has it in it."""


@dataclass(frozen=True, eq=False)
class Names:
    """Names with their letters, whatever the case, in one `text`, as that is looked through ten times as fast.

    `starts`: where each begins in it, and where the last ends, (names + 1,); what stands before one ends it, too.
    """

    names: Sequence[str]
    text: str
    starts: NDArray[np.int64]

    def found(self, text: str) -> list[int]:
        """The places of the names that are a text, that begin with it, then that hold it, whatever the case; a few."""
        wanted = text.casefold().strip()
        looked_for = (BEFORE + wanted + BEFORE, BEFORE + wanted, wanted)
        return list(dict.fromkeys(place for letters in looked_for for place in self._first(letters)))[:MOST]

    def _first(self, wanted: str) -> list[int]:
        """The places of the first names in which something stands."""
        places: list[int] = []
        at = self.text.find(wanted)
        while 0 <= at < self.starts[-1] and len(places) < MOST:
            places.append(int(np.searchsorted(self.starts, at, side="right")) - 1)
            at = self.text.find(wanted, int(self.starts[places[-1] + 1]))
        return places


def names_of(names: Sequence[str]) -> Names:
    """Folds every name once, as that takes longer than to look through all of them."""
    folded = [BEFORE + name.casefold() for name in names]
    return Names(names, "".join([*folded, BEFORE]), np.cumsum([0, *map(len, folded)], dtype=np.int64))
