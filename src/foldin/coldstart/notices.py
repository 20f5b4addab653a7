"""Notices: what of a profile or query says nothing to a model, as where a name, value or word is mistyped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import TypeAlias

from foldin.coldstart.content import Content
from foldin.coldstart.words import words_of
from foldin.data.cells import value_of
from foldin.data.profiles import Profile
from foldin.data.spelling import perhaps

__all__ = ["Known", "Says", "cells_of", "profile_notices", "query_notices"]

Says: TypeAlias = Callable[[str, str], bool | None]
"""Whether an attribute's value says anything to a model; None where it was not looked at: then nothing is claimed."""

Known: TypeAlias = Mapping[str, Sequence[str]]
"""The attributes that a model learned from, with their values; without, where they are numbers or words."""

PassedOver: TypeAlias = tuple[str, str]
"""An attribute with a value that says nothing, and what may have been meant, empty where nothing is alike."""

MOST_VALUES = 8
"""Values of an attribute that are named."""

MAX_REMEMBERED = 10_000
"""Values whose suggestion is remembered, as it takes milliseconds: one value may be in each profile of a request."""

MOST_PIECES = 20
"""Values of one attribute that are looked at."""

LONGEST = 64
"""Letters of a value that are repeated."""


def profile_notices(profile: Profile, known: Known, says: Says) -> list[str]:
    """What somebody should hear of a profile; nothing where all of it counts."""
    notices = []
    profile = _without_missing(profile)
    passed_over = {name: cells for name, value in profile.items() if (cells := _passed_over(name, value, known, says))}
    if passed_over:
        named = ", ".join(cell + meant for cell, meant in chain.from_iterable(passed_over.values()))
        notices.append(f"says nothing to the model: {named}{_instead(passed_over, known)}")
    strange = [name for name, value in profile.items() if name not in known and says(name, value) is True]
    if known and strange:
        named = ", ".join(f"{name}{perhaps(name, known)}" for name in strange)
        notices.append(f"unknown to the model, so its words count as a query: {named} (it knows {', '.join(known)})")
    return notices


def query_notices(query: str, content: Content | None) -> list[str]:
    """What of a query finds no item; nothing where all of its words are found, or where it is blank."""
    if not query.strip():
        return []
    words = list(dict.fromkeys(words_of(query)))
    unmatched = words if content is None else content.unmatched(words)
    if len(unmatched) == len(words):
        return [f"no item matches the query '{query.strip()[:LONGEST]}': the ranking is the same as without it"]
    named = ", ".join(word[:LONGEST] for word in unmatched[:MOST_VALUES])
    more = f" and {len(unmatched) - MOST_VALUES:,} more" if len(unmatched) > MOST_VALUES else ""
    return [f"these words find nothing, as no item or most have them: {named}{more}"] if unmatched else []


def cells_of(profiles: Iterable[Profile]) -> list[tuple[str, str]]:
    """All that is asked about profiles: each attribute with its value, then with each of its several values."""
    whole = list(dict.fromkeys(cell for profile in profiles for cell in _without_missing(profile).items()))
    return list(dict.fromkeys([*whole, *((name, piece) for name, value in whole for piece in _pieces(value))]))


def _without_missing(profile: Profile) -> Profile:
    """The attributes that have a value: N/A is none, and needs no notice."""
    return {name: value for name, value in profile.items() if value_of(value) is not None}


def _passed_over(name: str, value: str, known: Known, says: Says) -> list[PassedOver]:
    """What of an attribute says nothing: all of it, or some of its values."""
    silent = (
        [value] if says(name, value) is False else [piece for piece in _pieces(value) if says(name, piece) is False]
    )
    meant = perhaps(name, known) if name not in known else ""
    return [(f"{name}={one[:LONGEST]}", meant or _suggestion(one, tuple(known.get(name, ())))) for one in silent]


def _suggestion(value: str, known: tuple[str, ...]) -> str:
    return _remembered_suggestion(value, known) if len(value) <= LONGEST else ""


@lru_cache(maxsize=MAX_REMEMBERED)
def _remembered_suggestion(value: str, known: tuple[str, ...]) -> str:
    return perhaps(value, known)


def _instead(passed_over: Mapping[str, Sequence[PassedOver]], known: Known) -> str:
    """What the model knows, where it is not plain what was meant: values of the same attributes, or its attributes."""
    unclear = [name for name, cells in passed_over.items() if not all(meant for _, meant in cells)]
    if not unclear:
        return ""
    if all(known.get(name) for name in unclear):
        return f" ({'; '.join(f'of {name} it knows {_some(known[name])}' for name in unclear)})"
    return f" (it knows {', '.join(known) or 'no attributes'})"


def _some(values: Sequence[str]) -> str:
    more = f" and {len(values) - MOST_VALUES:,} more" if len(values) > MOST_VALUES else ""
    return ", ".join(value[:LONGEST] for value in values[:MOST_VALUES]) + more


def _pieces(value: str) -> list[str]:
    pieces = (piece.strip() for piece in value.split("|"))
    return list(islice((piece for piece in pieces if value_of(piece) is not None), MOST_PIECES))
