"""The parameter `:since` of a query, in the form each driver wants, and what its value stands for."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

__all__ = ["has_since", "value_of", "with_since", "written"]

TEXT = "text:"
"""Stands before a text that would else be taken for a number."""

WHOLE = re.compile(r"[+-]?[0-9]+")
# with a sign in the exponent, as Python writes it: 12e4 is rather a text of hexadecimal digits
DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-][0-9]+)?", re.IGNORECASE)
WHOLE_NUMBERS = range(-(2**63), 2**63)
FLOATS_ARE_APART = 2**53
"""From here on not every whole number is a float."""

TOKEN = re.compile(
    r"""
      '(?:[^']|'')*'                # a text
    | "(?:[^"]|"")*"                # a name
    | `[^`]*`                       # a name, as MySQL quotes it
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$  # a text, as PostgreSQL quotes it
    | --[^\n]*                      # comments
    | /\*.*?\*/
    | ::                            # a cast
    | (?P<since>:since\b)
    """,
    re.VERBOSE | re.DOTALL,
)


def has_since(query: str) -> bool:
    """Whether a query has the parameter."""
    return any(token["since"] for token in TOKEN.finditer(query))


def with_since(query: str, placeholder: str, escaped: Callable[[str], str] = str) -> str:
    """The query with the placeholder instead of every `:since`; `escaped` writes the rest as the driver wants it.

    What stands in texts and comments is left alone.
    """
    parts, end = [], 0
    for token in TOKEN.finditer(query):
        if token["since"]:
            parts += [escaped(query[end : token.start()]), placeholder]
            end = token.end()
    return "".join([*parts, escaped(query[end:])])


def value_of(since: str) -> str | int | float | Decimal:
    """What a value of `:since` stands for: a number where it looks like one, for some databases compare no number with
    a text; else a text, as is whatever stands behind `text:`.

    Whole numbers have 64 bits at most; a fraction is a float where one holds all of its digits.
    """
    if since.startswith(TEXT):
        return since.removeprefix(TEXT)
    if WHOLE.fullmatch(since):
        return int(since) if _fits(since) else since
    return _fraction(since) if DECIMAL.fullmatch(since) else since


def written(cell: object) -> str:
    """A text, number, time or day as the value of `:since` that stands for it."""
    if isinstance(cell, float):
        return str(cell)
    if isinstance(cell, int | Decimal):
        digits = format(Decimal(str(cell)), "f")
        return f"{digits}.0" if WHOLE.fullmatch(digits) and not _fits(digits) else digits
    text = str(cell)
    return text if value_of(text) == text else f"{TEXT}{text}"


def _fits(digits: str) -> bool:
    # no text of thousands of digits becomes a number first
    return len(digits) <= 20 and int(digits) in WHOLE_NUMBERS


def _fraction(digits: str) -> float | Decimal:
    number, near = Decimal(digits), float(digits)
    holds_all = Decimal(str(near) if abs(near) < FLOATS_ARE_APART else near) == number
    return near if "e" in digits.lower() or holds_all else number
