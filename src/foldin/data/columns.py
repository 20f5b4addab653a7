"""What kind of thing an attribute is, told from its cells alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from foldin.data.cells import Separator, is_address, is_date, listed, number_of, pieces_of, value_of
from foldin.data.interactions import Ids

__all__ = ["Column", "Kind", "recognise"]

Kind: TypeAlias = Literal["empty", "number", "date", "address", "category", "values", "text", "code"]
"""`values`: several to a cell. `code`: one word to a cell, hardly ever the same one, such as an id or a postcode."""

NEARLY_ALL = 0.95  # of the cells must be of a kind: real tables have slips
LISTED_FROM = 0.05  # of the cells hold a separator where it is one; single values need none
WORDS_PER_VALUE = 4.0  # at most, on average: longer parts are those of a sentence
WORDS_PER_COMMA = 3.0  # and fewer for the comma, which sentences have as well
COMES_AGAIN = 0.75  # distinct parts per part, at most
COVERED = 0.5  # of the cells are of values that come again, where the values are categories
WORDS_PER_TEXT = 2.0  # at least, on average


@dataclass(frozen=True)
class Column:
    """What an attribute was recognised as; `separator` parts the values of a cell where there are several."""

    kind: Kind
    separator: Separator | None = None


def recognise(cells: Ids, *, rarest: int) -> Column:
    """What kind of attribute these cells are of; `rarest`: how often a value comes that is worth having (>= 1)."""
    known = [cell for cell in cells if value_of(cell) is not None]
    if not known:
        return Column("empty")
    for kind, fits in _SHAPES.items():
        if _share(known, fits) >= NEARLY_ALL:
            return Column(kind)
    counts = Counter(value for cell in known if (value := value_of(cell)) is not None)
    separator = _separator(known, list(counts))
    return Column("values", separator) if separator else Column(_kind_of_text(counts, rarest))


_SHAPES: dict[Kind, Callable[[str], bool]] = {
    "number": lambda cell: number_of(cell) is not None,
    "date": is_date,
    "address": is_address,
}


def _share(cells: Sequence[str], fits: Callable[[str], bool]) -> float:
    return sum(map(fits, cells)) / len(cells)


def _separator(cells: Sequence[str], values: Sequence[str]) -> Separator | None:
    if cells[0].lstrip()[:1] == "[" and _share(cells, lambda cell: listed(cell) is not None) >= NEARLY_ALL:
        return "[]"
    return next((separator for separator, parts in _PARTS.items() if _parts_values(values, separator, parts)), None)


def _parts_values(values: Sequence[str], separator: Separator, looks_right: _Test) -> bool:
    if _share(values, lambda value: separator in value) < LISTED_FROM:
        return False
    return looks_right(values, [piece for value in values for piece in pieces_of(value, separator)])


_Test: TypeAlias = Callable[[Sequence[str], Sequence[str]], bool]
_PARTS: dict[Separator, _Test] = {
    "|": lambda _, pieces: _mean_words(pieces) <= WORDS_PER_VALUE,
    # sentences have these too, but seldom the same parts again
    ";": lambda _, pieces: _mean_words(pieces) <= WORDS_PER_VALUE and len(set(pieces)) <= COMES_AGAIN * len(pieces),
    # "Finance, risk and insurance" is one value: parts that are values make more cells than there are parts
    ",": lambda values, pieces: _mean_words(pieces) <= WORDS_PER_COMMA and len(set(pieces)) < len(values),
}


def _kind_of_text(counts: Counter[str], rarest: int) -> Kind:
    covered = sum(count for count in counts.values() if count >= rarest)
    if covered >= COVERED * counts.total():
        return "category"
    return "text" if _mean_words(counts) >= WORDS_PER_TEXT else "code"


def _mean_words(texts: Iterable[str]) -> float:
    numbers = [len(text.split()) for text in texts]
    return sum(numbers) / len(numbers) if numbers else 0.0
