"""Spelling: the known ids that an unknown one may have been meant for."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

__all__ = ["perhaps"]

MOST_COMPARED = 20_000
"""Ids that are looked at, so that a mistyped id does not keep anybody waiting."""


LONGEST_COMPARED = 256
"""Letters of an id that is compared: the time grows with the square of its length, and no id is longer."""


def perhaps(given: str, known: Iterable[str]) -> str:
    """What to add to a message: did you mean so and so; nothing where no id is alike. Of very many, the first count."""
    if len(given) > LONGEST_COMPARED:
        return ""
    alike = (one for one in known if abs(len(one) - len(given)) <= 2)
    found = get_close_matches(given, islice(alike, MOST_COMPARED), n=1, cutoff=0.75)
    return f" (did you mean {found[0]!r}?)" if found else ""
