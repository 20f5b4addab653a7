"""The parameter `:since` of a query, in the form each driver wants; what stands in texts and comments is left alone."""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["as_number", "has_since", "with_since"]

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
    """The query with the placeholder instead of every `:since`; `escaped` writes the rest as the driver wants it."""
    parts, end = [], 0
    for token in TOKEN.finditer(query):
        if token["since"]:
            parts += [escaped(query[end : token.start()]), placeholder]
            end = token.end()
    return "".join([*parts, escaped(query[end:])])


def as_number(since: str) -> str | int | float:
    """The value as a number where it looks like one: some databases compare no number with a text."""
    for kind in (int, float):
        try:
            return kind(since)
        except ValueError:
            continue
    return since
