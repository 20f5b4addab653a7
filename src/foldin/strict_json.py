"""The one way JSON from outside is read: no NaN, no duplicate keys, no bottomless nesting."""

from __future__ import annotations

import json
from typing import NoReturn

__all__ = ["parse_json"]

DEEPEST = 32

MAX_QUOTED = 64
"""Characters of the input that an error message repeats."""


def parse_json(text: str | bytes) -> object:
    """The value of a JSON text.

    Raises:
        ValueError: it is no JSON, not UTF-8, holds half a surrogate pair, NaN, an infinity or a key twice, or is nested
            over 32 deep.
    """
    try:
        # bytes are decoded here, since json would take UTF-16 and half surrogate pairs as well
        text = text if isinstance(text, str) else text.decode()
        value = json.loads(text, object_pairs_hook=_distinct, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError(f"nested more than {DEEPEST} deep") from None
    if isinstance(value, dict | list):
        _check_depth(value, DEEPEST)
    if not text.isascii() or "\\ud" in text.lower():
        _check_letters(value)
    return value


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    keys = dict(pairs)
    if len(keys) < len(pairs):
        raise ValueError(f"the key '{_quote(_find_duplicate(pairs))}' stands twice")
    return keys


def _find_duplicate(pairs: list[tuple[str, object]]) -> str:
    """The first key that was there before; linear, as the pairs come from outside."""
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            return name
        seen.add(name)
    raise AssertionError("no key is there twice")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{_quote(digits)} is too large a number")
    return number


def _quote(text: str) -> str:
    """A text as an error message repeats it: shortened where it is long."""
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}..."


def _check_letters(value: object) -> None:
    # an escape can still name half a surrogate pair, which no file could be written with
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair stands in it, which is no text") from None


def _check_depth(value: dict[str, object] | list[object], left: int) -> None:
    if not left:
        raise ValueError(f"nested more than {DEEPEST} deep")
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            _check_depth(inner, left - 1)
