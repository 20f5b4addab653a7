"""Ids that are hardly meant as such: words for a missing value, and numbers that a spreadsheet rounded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from foldin.data.cells import MISSING_WORDS
from foldin.wording import counted

__all__ = ["suspicious_notes"]

MAX_NAMED = 5

LONGEST_WORD = max(map(len, MISSING_WORDS))

_SCIENTIFIC = re.compile(r"-?\d(?:[.,]\d+)?[eE]\+\d+")


def suspicious_notes(ids: Iterable[str], rows: Sequence[int], role: str) -> Iterator[str]:
    """Notes on ids that look like mistakes; `rows`: how many rows each of the ids is in."""
    counts = list(zip(ids, rows, strict=True))
    words = [(one, count) for one, count in counts if len(one) <= LONGEST_WORD and one.casefold() in MISSING_WORDS]
    if words:
        yield (
            f"{role} ids that usually stand for a missing value: {_named(words)}; "
            f"each is taken as one {role}: leave such rows out if nothing is known by that name"
        )
    rounded = [(one, count) for one, count in counts if "+" in one and _SCIENTIFIC.fullmatch(one)]
    if rounded:
        yield (
            f"{role} ids in scientific notation, as a spreadsheet rounds long numbers: {_named(rounded)}; "
            f"many {role}s may have become one: export the column as text"
        )


def _named(counts: Sequence[tuple[str, int]]) -> str:
    most = sorted(counts, key=lambda one: (-one[1], one[0]))
    named = ", ".join(f"'{one}' ({counted(count, 'row')})" for one, count in most[:MAX_NAMED])
    return f"{named} and {len(most) - MAX_NAMED:,} more" if len(most) > MAX_NAMED else named
