"""Short unique names for people: an initial and the first letters of a surname."""

from __future__ import annotations

from itertools import islice, product

import numpy as np

__all__ = ["EVERYWHERE", "draw_names"]

EVERYWHERE = "nle"
"""The name that is in every world."""

LETTERS = "abcdefghijklmnopqrstuvwxyz"
CONSONANTS = "bcdfghjklmnpqrstvwxyz"
VOWELS = "aeiou"

# 2,730 names of three letters such as nle, 8,190 of four such as dmar, 286,650 of five such as kroba
PATTERNS = (
    (LETTERS, CONSONANTS, VOWELS),
    (LETTERS, CONSONANTS, VOWELS, "hnr"),
    (LETTERS, CONSONANTS, VOWELS, CONSONANTS, VOWELS),
)


def draw_names(count: int, rng: np.random.Generator) -> list[str]:
    """Distinct names, the short ones first to be used up, sorted by code point; `nle` is always among them."""
    names = [EVERYWHERE]
    for pattern in PATTERNS:
        pool = [name for name in map("".join, product(*pattern)) if name != EVERYWHERE]
        names += [pool[place] for place in islice(rng.permutation(len(pool)), count - len(names))]
    return sorted(names)
