"""Spelling: the known ids and titles that an unknown one may have been meant for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice

from foldin.data.normalisation import folded

__all__ = ["perhaps", "perhaps_titled"]

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


MOST_SUGGESTED = 3


def perhaps_titled(given: str, titles: Sequence[str]) -> str:
    """What to add to a message about a title that nothing has: titles in which all its words stand, the shortest
    first, or else one that is spelled alike; nothing where there is none. Of very many titles, the first count."""
    if len(given) > LONGEST_COMPARED:
        return ""
    lowered = {title: folded(title) for title in titles}
    words = folded(given).split()
    holding = [title for title, text in lowered.items() if words and all(word in text for word in words)]
    found = sorted(holding, key=len)[:MOST_SUGGESTED] or _spelled_alike(given, lowered)
    return f" (did you mean {' or '.join(map(repr, found))}?)" if found else ""


def _spelled_alike(given: str, lowered: Mapping[str, str]) -> list[str]:
    by_text = {text: title for title, text in lowered.items() if abs(len(text) - len(given)) <= len(given) / 2}
    alike = get_close_matches(folded(given), islice(by_text, MOST_COMPARED), n=1, cutoff=0.75)
    return [by_text[text] for text in alike]
