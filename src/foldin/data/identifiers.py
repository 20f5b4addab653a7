"""What an id may be: the one rule for files, frames, the Python API and the store."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import TypeGuard, cast
from uuid import UUID

from foldin.errors import DataError

__all__ = ["LONGEST_ID", "are_plain", "are_texts", "checked_id", "checked_ids", "kind_refusal", "normalised", "refusal"]

LONGEST_ID = 256
"""Bytes of UTF-8."""

BYTES_OF_A_LETTER = 4
"""At most, in UTF-8."""

MAX_DECOMPOSED = 4 * LONGEST_ID
"""Characters of an id before it is normalised: normal form NFC makes at most four into one."""

TOO_LONG = f"the id is longer than {LONGEST_ID} bytes"

INVISIBLE_CATEGORIES = ("Cc", "Cf", "Zl", "Zp")
INVISIBLE_LETTERS = (
    "\u034f\u115f\u1160\u3164\uffa0"  # joiner and Hangul fillers: letters to Unicode, nothing to the eye
)


def normalised(text: str) -> str:
    """The id as it is kept: without the spaces around it, and in Unicode normal form NFC: one name has one spelling."""
    stripped = text.strip()
    return stripped if stripped.isascii() else unicodedata.normalize("NFC", stripped)


def refusal(text: str) -> str | None:
    """Why a text cannot be an id, or None where it can; it is judged in the form `normalised` gives it."""
    if text.isascii() and text.isprintable() and not text.isspace() and 0 < len(text) <= LONGEST_ID:
        return None
    return _reason(text, text.strip())


def are_texts(given: object, kind: type) -> bool:
    """Whether it is a collection of this kind that holds only texts, as readers and stores give it."""
    return isinstance(given, kind) and set(map(type, cast("Iterable[object]", given))) <= {str}


def are_plain(texts: Sequence[object]) -> TypeGuard[Sequence[str]]:
    """Whether all are short ids of printable letters in the form in which ids are kept: one look shows it of most."""
    return set(map(type, texts)) <= {str} and _are_plain(cast("Sequence[str]", texts))


def _are_plain(texts: Sequence[str]) -> bool:
    together, apart = "".join(texts), "\n".join(["", *texts, ""])
    if not together.isprintable() or "\n\n" in apart or "\n " in apart or " \n" in apart:
        return False
    longest = max(map(len, texts), default=0)
    if together.isascii():
        return longest <= LONGEST_ID
    short = BYTES_OF_A_LETTER * longest <= LONGEST_ID
    return short and frozenset(INVISIBLE_LETTERS).isdisjoint(together) and unicodedata.is_normalized("NFC", apart)


def kind_refusal(text: str) -> str | None:
    """Why a text cannot be a kind of event, or None where it can."""
    if not any(_invisible(letter) for letter in text):
        return None
    return "the kind holds an invisible character (control or zero-width)"


def checked_id(given: object, field: str) -> str:
    """An id from outside as it is kept: a text as `normalised` gives it, a whole number or a UUID as its text.

    Whole numbers are those of Python and of NumPy: 7 and "7" are the same id.

    Raises:
        DataError: it is none of these, or `refusal` has a reason.
    """
    text = _text_of(given, field)
    reason = refusal(text)
    if reason is not None:
        raise DataError(f"{reason}: {text[:60]!r}", field=field)
    return normalised(text)


def checked_ids(given: object, field: str) -> list[str]:
    """The ids in any collection (list, tuple, set, array, Series, Index), each as `checked_id` gives it, in its order.

    Raises:
        DataError: it is one id, a mapping, a table or no collection at all, or an id cannot be one.
    """
    listed = _listed(given, field)
    # one look at all shows of most lists that all is well, which takes much less than a look at each
    return cast("list[str]", listed) if are_plain(listed) else [checked_id(one, field) for one in listed]


def _listed(given: object, field: str) -> list[object]:
    wanted = f"a collection of {field} ids is wanted"
    if isinstance(given, str | bytes | Integral | UUID):
        raise DataError(f"{wanted}, not one id: write [{_shown(given)}]", field=field)
    if isinstance(given, Mapping):
        raise DataError(f"{wanted}, not a mapping: write list(...) for its keys", field=field)
    if hasattr(given, "columns"):
        raise DataError(f"{wanted}, not a whole table: write frame['{field}'] for one column", field=field)
    try:
        return list(cast("Iterable[object]", given))
    except TypeError:
        raise DataError(f"{wanted}, as ['7', '9'], not {_shown(given)}", field=field) from None


def _text_of(given: object, field: str) -> str:
    if isinstance(given, str):
        return str.__str__(given)
    if isinstance(given, UUID):
        return str(given)
    if isinstance(given, bool) or not isinstance(given, Integral):
        problem = f"an id is a text, a whole number or a UUID, not {type(given).__name__} {_shown(given)}"
        raise DataError(problem, field=field)
    number = int(given)
    if number.bit_length() > 8 * LONGEST_ID:  # Python writes out no number of thousands of digits
        raise DataError(TOO_LONG, field=field)
    return str(number)


def _shown(given: object) -> str:
    return f"{given!r:.60}"


def _reason(text: str, stripped: str) -> str | None:
    if not text:
        return "the id is empty"
    if not stripped:
        return "the id is blank"
    if len(stripped) > MAX_DECOMPOSED:  # asked first, as normalising takes quadratic time for some long texts
        return TOO_LONG
    if any("\ud800" <= letter <= "\udfff" for letter in stripped):
        return "the id holds half of a surrogate pair, which is no text"
    if any(_invisible(letter) for letter in stripped):
        return "the id holds an invisible character (control or zero-width)"
    if len(normalised(stripped).encode()) > LONGEST_ID:
        return TOO_LONG
    return None


def _invisible(letter: str) -> bool:
    return unicodedata.category(letter) in INVISIBLE_CATEGORIES or letter in INVISIBLE_LETTERS
