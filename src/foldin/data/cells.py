"""What one cell of a profile or a catalogue says: a value, a number, or several values."""

from __future__ import annotations

import math
import re
from typing import Literal, TypeAlias

from foldin.data.normalisation import folded
from foldin.strict_json import parse_json

__all__ = [
    "MISSING_WORDS",
    "SEPARATORS",
    "Separator",
    "is_address",
    "is_date",
    "listed",
    "number_of",
    "pieces_of",
    "value_of",
]

Separator: TypeAlias = Literal["|", ";", ",", "[]"]
SEPARATORS: tuple[Separator, ...] = ("|", ";", ",", "[]")
"""What parts the values of a cell; `[]` is a list as JSON or Python write it."""

MISSING_WORDS = frozenset(
    {"-", "--", "?", "nan", "-nan", "na", "n/a", "#n/a", "n.a.", "<na>", "nat", "nil", "none", "(none)", "<none>"}
    | {"null", "(null)", "<null>", "\\n", "undefined", "unknown"}
)
"""How tables write that a value is missing, in lower case."""

LONGEST_LIST = 100_000  # characters

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_CODE = re.compile(r"0\d+")
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.)\S+", re.IGNORECASE)
_DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?|\d{1,2}[-/. ](?:\d{1,2}|[^\W\d]{3,9})[-/., ]{1,2}\d{2,4})(?:[t ]\d.*)?",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")


def value_of(cell: str | None) -> str | None:
    """The cell as values are compared: without case, spaces around, or doubled spaces; None where it is missing."""
    if cell is None:
        return None
    value = folded(cell)
    return None if not value or value in MISSING_WORDS else value


def number_of(cell: str | None) -> float | None:
    """The finite number a cell is, or None: 01754 is a code, and 1e400 is past what a float holds."""
    stripped = (cell or "").strip()
    if not _NUMBER.fullmatch(stripped) or _CODE.fullmatch(stripped):
        return None
    number = float(stripped)
    return number if math.isfinite(number) else None


def is_address(cell: str) -> bool:
    """Whether it is a URL."""
    return _ADDRESS.fullmatch(cell.strip()) is not None


def is_date(cell: str) -> bool:
    """Whether it is a date, with or without a time of day."""
    return _DATE.fullmatch(cell.strip()) is not None


def pieces_of(cell: str | None, separator: Separator | None) -> list[str]:
    """The cell's values as `value_of` gives them, each once, in their order; without a separator the cell is one."""
    parts = _parts(cell or "", separator)
    return list(dict.fromkeys(value for part in parts if (value := value_of(part)) is not None))


def _parts(cell: str, separator: Separator | None) -> list[str]:
    if separator is None:
        return [cell]
    if separator != "[]":
        return cell.split(separator)
    parts = listed(cell)
    return [cell] if parts is None else parts


def listed(cell: str) -> list[str] | None:
    """The elements of a list of texts as JSON or Python write it, or None where the cell is no such list."""
    stripped = cell.strip()
    if not (stripped.startswith("[") and stripped.endswith("]") and len(stripped) <= LONGEST_LIST):
        return None
    try:
        elements = parse_json(stripped)
    except ValueError:
        return _python_list(stripped[1:-1])
    if isinstance(elements, list) and all(isinstance(element, str | int | float) for element in elements):
        return [str(element) for element in elements]
    return None


def _python_list(inside: str) -> list[str] | None:
    between = _QUOTED.sub("", inside)
    if between.strip(", "):
        return None
    return [single or double for single, double in _QUOTED.findall(inside)]
