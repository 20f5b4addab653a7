"""Notices: what of a profile says nothing to a model, as where a name or a value is mistyped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TypeAlias

from foldin.data.profiles import Profile
from foldin.data.spelling import perhaps

__all__ = ["Says", "cells_of", "profile_notices"]

Says: TypeAlias = Callable[[str, str], bool | None]
"""Whether an attribute's value says anything to a model; None where it was not looked at: then nothing is claimed."""

MOST_PIECES = 20
"""Values of one attribute that are looked at."""

LONGEST = 64
"""Letters of a value that are repeated."""


def profile_notices(profile: Profile, known: Sequence[str], says: Says) -> list[str]:
    """What somebody should hear of a profile; nothing where all of it counts.

    `known`: the attributes that the model learned from.
    """
    notices = []
    passed_over = [cell for name, value in profile.items() for cell in _passed_over(name, value, known, says)]
    if passed_over:
        knows = ", ".join(known) or "no attributes"
        notices.append(f"says nothing to the model: {', '.join(passed_over)} (it knows {knows})")
    strange = [name for name, value in profile.items() if name not in known and says(name, value) is True]
    if known and strange:
        named = ", ".join(f"{name}{perhaps(name, known)}" for name in strange)
        notices.append(f"unknown to the model, so only its words count: {named} (it knows {', '.join(known)})")
    return notices


def cells_of(profiles: Iterable[Profile]) -> list[tuple[str, str]]:
    """All that is asked about profiles: each attribute with its value, then with each of its several values."""
    whole = list(dict.fromkeys(cell for profile in profiles for cell in profile.items()))
    return list(dict.fromkeys([*whole, *((name, piece) for name, value in whole for piece in _pieces(value))]))


def _passed_over(name: str, value: str, known: Sequence[str], says: Says) -> list[str]:
    """What of an attribute says nothing: all of it, or some of its values."""
    if says(name, value) is False:
        return [f"{name}={value[:LONGEST]}{perhaps(name, known) if name not in known else ''}"]
    return [f"{name}={piece[:LONGEST]}" for piece in _pieces(value) if says(name, piece) is False]


def _pieces(value: str) -> list[str]:
    return list(islice(filter(None, (piece.strip() for piece in value.split("|"))), MOST_PIECES))
