"""Leftovers: the columns of a log that play no role, and those among them that look as if they should."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from foldin.data.normalisation import bare
from foldin.data.readers.columns import Column, ColumnName, Role, plain_name
from foldin.data.readers.scans import Scan

__all__ = ["likely_roles", "unused_columns", "unused_note"]

RATING_ENDINGS = ("rating", "ratings", "overall", "label", "stars", "score")
TIME_WORDS = frozenset({"timestamp", "datetime"})
LAST_TIME_WORDS = frozenset({"time", "date", "day", "at", "ts"})
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def unused_columns(scans: Sequence[Scan], columns: Sequence[Mapping[Role, Column]]) -> tuple[str, ...]:
    """The names of the columns that play no role, each once."""
    taken = [{column.name for column in roles.values()} for roles in columns]
    parts = zip(scans, taken, strict=True)
    # a column without a name is the row numbers that pandas writes
    names = (column.name for scan, roles in parts for column in scan.columns if column.name not in roles)
    return tuple(dict.fromkeys(filter(plain_name, names)))


def likely_roles(unused: Sequence[str], given: Mapping[Role, ColumnName | None], taken: Sequence[Role]) -> list[str]:
    """A question for each unused column that looks like a value or a time, where there is none and none was given."""
    looks: dict[Role, list[str]] = {
        "value": [name for name in unused if _looks_like_a_rating(name)],
        "time": [name for name in unused if _looks_like_a_time(name)],
    }
    return [
        f"is '{name}' the {role}? --{role} {shlex.quote(name)} takes it"
        for role, names in looks.items()
        for name in names
        if role not in taken and given.get(role) is None
    ]


def unused_note(unused: Sequence[str], questions: Sequence[str]) -> tuple[str, ...]:
    """What is to be said of columns that play no role; nothing where there are none."""
    return ("; ".join([f"columns left alone: {', '.join(unused)}", *questions]),) if unused else ()


def _looks_like_a_rating(name: str) -> bool:
    return bare(plain_name(name)).endswith(RATING_ENDINGS)


def _looks_like_a_time(name: str) -> bool:
    words = [word.casefold() for word in _WORDS.findall(plain_name(name))]
    return bool(words) and (words[-1] in LAST_TIME_WORDS or not TIME_WORDS.isdisjoint(words))
