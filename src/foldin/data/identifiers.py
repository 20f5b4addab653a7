"""What an id may be: the one rule for files, frames, the Python API and the store."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TypeGuard, cast

from foldin.errors import DataError

__all__ = ["LONGEST_ID", "are_plain", "checked_id", "kind_refusal", "normalised", "refusal"]

LONGEST_ID = 256
"""Bytes of UTF-8."""

MAX_DECOMPOSED = 4 * LONGEST_ID
"""Characters of an id before it is normalised: normal form NFC makes at most four into one."""

TOO_LONG = f"the id is longer than {LONGEST_ID} bytes"

INVISIBLE_CATEGORIES = ("Cc", "Cf", "Zl", "Zp")
INVISIBLE_LETTERS = (
    "\u034f\u115f\u1160\u3164\uffa0"  # joiner and Hangul fillers: letters to Unicode, nothing to the eye
)


def normalised(text: str) -> str:
    """The id as it is kept: in Unicode normal form NFC, so that one name has one spelling."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def refusal(text: str) -> str | None:
    """Why a text cannot be an id, or None where it can; it is judged in the form `normalised` gives it."""
    if text.isascii() and text.isprintable() and text.strip(" ") == text and 0 < len(text) <= LONGEST_ID:
        return None
    return _reason(text)


def are_plain(texts: Sequence[object]) -> TypeGuard[Sequence[str]]:
    """Whether all are ids of printable ASCII, which need no look at each: neither refused nor kept otherwise."""
    return set(map(type, texts)) <= {str} and _are_plain(cast("Sequence[str]", texts))


def _are_plain(texts: Sequence[str]) -> bool:
    together, apart = "".join(texts), "\n".join(["", *texts, ""])
    visible = together.isascii() and together.isprintable() and "\n\n" not in apart
    edged = "\n " in apart or " \n" in apart
    return visible and not edged and max(map(len, texts), default=0) <= LONGEST_ID


def kind_refusal(text: str) -> str | None:
    """Why a text cannot be a kind of event, or None where it can."""
    if not any(_invisible(letter) for letter in text):
        return None
    return "the kind holds an invisible character (control or zero-width)"


def checked_id(given: object, field: str) -> str:
    """An id from outside as it is kept: a `str` as `normalised` gives it, a whole number as its digits.

    Raises:
        DataError: it is neither, or `refusal` has a reason.
    """
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise DataError(f"an id is a text or a whole number, not {type(given).__name__} {given!r}", field=field)
    text = str(given)
    reason = refusal(text)
    if reason is not None:
        raise DataError(f"{reason}: {text[:60]!r}", field=field)
    return normalised(text)


def _reason(text: str) -> str | None:
    if not text:
        return "the id is empty"
    if len(text) > MAX_DECOMPOSED:  # asked first, as normalising takes quadratic time for some long texts
        return TOO_LONG
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return "the id holds half of a surrogate pair, which is no text"
    if not text.strip():
        return "the id is blank"
    if any(_invisible(letter) for letter in text):
        return "the id holds an invisible character (control or zero-width)"
    if text.strip() != text:
        return "the id begins or ends with a space"
    if len(normalised(text).encode()) > LONGEST_ID:
        return TOO_LONG
    return None


def _invisible(letter: str) -> bool:
    return unicodedata.category(letter) in INVISIBLE_CATEGORIES or letter in INVISIBLE_LETTERS
