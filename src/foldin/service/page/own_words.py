"""Somebody's own words, and which of them say nothing to a model."""

from __future__ import annotations

from itertools import islice

from foldin.coldstart.notices import Says
from foldin.coldstart.words import words_of
from foldin.wording import counted

__all__ = ["OWN_WORDS", "unheard", "unweighed", "word_cells"]

OWN_WORDS = "in their own words"
"""An attribute of no profile, which only its words speak for."""

MOST_WORDS = 20
"""Words of a text that are looked at."""

SMALL = 0.005
"""A share below is shown as 0%."""

LONGEST = 64
"""Letters of a word that are repeated."""


def word_cells(text: str) -> list[tuple[str, str]]:
    """All that is asked about a text: whether it says anything, and each of its words."""
    return [(OWN_WORDS, part) for part in (text, *_words(text)) if part]


def unheard(text: str, says: Says) -> str:
    """What somebody should hear of a text; empty where all of its words say something."""
    passed_over = [word[:LONGEST] for word in _words(text) if says(OWN_WORDS, word) is False]
    if text and not passed_over and says(OWN_WORDS, text) is False:
        passed_over = [text[:LONGEST]]
    return f"says nothing to the model: {', '.join(passed_over)}" if passed_over else ""


def unweighed(text: str, weight: float, share: float, known: int) -> str:
    """What somebody should hear of a text, whatever its words; empty where it counts.

    `weight`: of the look-up in the model; `share`: of what it finds in the ranking; `known`: items of the history.
    """
    if not text:
        return ""
    if not weight:
        return "changes nothing: this model gives the look-up of words the weight 0"
    if share < SMALL and known:
        return f"changes next to nothing: beside {counted(known, 'known item')} words hardly count in this model"
    return ""


def _words(text: str) -> list[str]:
    """Without single letters: one that stands alone is taken for a code, though among others it may count."""
    return list(islice((word for word in dict.fromkeys(words_of(text)) if len(word) > 1), MOST_WORDS))
