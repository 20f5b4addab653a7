"""Text as it is compared: Unicode normalisation in linear time, and case and spaces left aside."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

__all__ = ["MAX_MARKS", "bare", "folded", "nfkc"]

MAX_MARKS = 30
"""Combining marks in a row that are kept; text of no more is "stream-safe" (UAX #15), and no writing needs as many."""

FIRST, LAST = 0x300, 0x1FFFF
"""Code points between which all combining marks are."""


def nfkc(text: str) -> str:
    """A text in normal form NFKC, without the combining marks that follow 30 others.

    `unicodedata.normalize` sorts each run of marks by insertion, which takes quadratic time for long runs.
    """
    if text.isascii():
        return text
    if len(text) > MAX_MARKS and not _marks().isdisjoint(text):
        text = _long_run().sub(r"\1", text)
    return unicodedata.normalize("NFKC", text)


def folded(text: str) -> str:
    """A text without case, spaces around it and doubled spaces, in normal form NFKC."""
    return " ".join(nfkc(text).casefold().split())


def bare(name: str) -> str:
    """The letters and digits of a name, without case: `User-ID` is `userid`."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


@cache
def _marks() -> frozenset[str]:
    return frozenset(filter(_is_mark, map(chr, range(FIRST, LAST + 1))))


@cache
def _long_run() -> re.Pattern[str]:
    mark = f"[{''.join(sorted(_marks()))}]"
    return re.compile(f"({mark}{{{MAX_MARKS}}}){mark}+")


def _is_mark(letter: str) -> bool:
    if unicodedata.combining(letter):
        return True
    # some letters are no marks themselves, and become marks
    return bool(unicodedata.decomposition(letter)) and unicodedata.combining(_first_of(letter)) != 0


def _first_of(letter: str) -> str:
    return unicodedata.normalize("NFKD", letter)[0]
