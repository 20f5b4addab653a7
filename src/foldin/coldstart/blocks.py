"""The features of one attribute: its values, the bins of its numbers, or its words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from foldin.coldstart.words import words_of
from foldin.data.cells import Separator, number_of, pieces_of, value_of
from foldin.data.columns import Column
from foldin.data.interactions import Ids

__all__ = ["Bins", "Block", "Features", "Values", "Words", "fit_block"]

Features: TypeAlias = tuple[Sequence[int], Sequence[float]]
"""Which features of a block a cell has, and their weights, whose squares sum to 1; both empty where it has none."""

NOTHING: Features = ((), ())
STOP_SHARE = 0.5  # of the cells: a word in more of them tells nobody apart


@dataclass(frozen=True)
class Values:
    """An attribute of categories, one to a cell, or several where a separator parts them."""

    kind: Literal["values"]
    name: str
    separator: Separator | None
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        _check(self.name, self.values)

    @property
    def names(self) -> list[str]:
        """A readable name per feature."""
        sign = " =" if self.separator is None else ":"
        return [f"{self.name}{sign} {value}" for value in self.values]

    def features(self, cell: str) -> Features:
        """Each known value of the cell weighs 1 / sqrt(how many there are)."""
        found = [place for piece in pieces_of(cell, self.separator) if (place := self._places.get(piece)) is not None]
        return found, [1 / math.sqrt(len(found))] * len(found) if found else ()

    @cached_property
    def _places(self) -> dict[str, int]:
        return {value: place for place, value in enumerate(self.values)}


@dataclass(frozen=True)
class Bins:
    """An attribute of numbers; bin b holds those from `lows[b]` to below `lows[b + 1]`, and what is past an end.

    `highs` are the highest numbers seen in each bin, for its name. Bins are cut at quantiles and do not overlap: one
    feature per number, which says "age 25 to 31" where a model explains itself.
    """

    kind: Literal["bins"]
    name: str
    lows: tuple[float, ...]
    highs: tuple[float, ...]

    def __post_init__(self) -> None:
        _check(self.name, self.lows)
        bounds = [bound for pair in zip(self.lows, self.highs, strict=True) for bound in pair]
        if bounds != sorted(bounds) or not all(map(math.isfinite, bounds)):
            raise ValueError(f"the bins of '{self.name}' are not in order")

    @property
    def names(self) -> list[str]:
        """A readable name per feature."""
        pairs = zip(self.lows, self.highs, strict=True)
        return [
            f"{self.name} = {low:.15g}" if low == high else f"{self.name} {low:.15g} to {high:.15g}"
            for low, high in pairs
        ]

    def features(self, cell: str) -> Features:
        """The bin of the number weighs 1."""
        number = number_of(cell)
        if number is None:
            return NOTHING
        return (max(int(np.searchsorted(self.lows, number, side="right")) - 1, 0),), (1.0,)


@dataclass(frozen=True)
class Words:
    """An attribute of free text; `weights` are the words' inverse document frequencies."""

    kind: Literal["words"]
    name: str
    words: tuple[str, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        _check(self.name, self.words)
        if len(self.weights) != len(self.words) or not all(0 < weight < math.inf for weight in self.weights):
            raise ValueError(f"the weights of the words of '{self.name}' are not as many numbers above 0")

    @property
    def names(self) -> list[str]:
        """A readable name per feature."""
        return [f"{self.name} has '{word}'" for word in self.words]

    def features(self, cell: str) -> Features:
        """Each known word weighs its inverse document frequency, divided by the cell's norm."""
        found = [place for word in dict.fromkeys(words_of(cell)) if (place := self._places.get(word)) is not None]
        norm = math.hypot(*(self.weights[place] for place in found))
        return found, [self.weights[place] / norm for place in found]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(self.words)}


Block: TypeAlias = Values | Bins | Words


def fit_block(name: str, cells: Ids, column: Column, *, rarest: int, bins: int, most: int) -> Block | None:
    """The features of an attribute, learned from training users; None where it tells nobody apart."""
    match column.kind:
        case "category" | "values":
            pieces = [pieces_of(cell, column.separator) for cell in cells]
            kept = _frequent(pieces, rarest, len(cells) - 1, most)
            return Values("values", name, column.separator, tuple(kept)) if kept else None
        case "number":
            return _bins(name, [number for cell in cells if (number := number_of(cell)) is not None], rarest, bins)
        case "text":
            texts = [words_of(cell) for cell in cells if value_of(cell) is not None]
            counts = _frequent(texts, rarest, int(STOP_SHARE * len(texts)), most)
            # idf = log((1 + n) / (1 + n_w)) > 0, since stop words are gone
            weights = tuple(math.log((1 + len(texts)) / (1 + count)) for count in counts.values())
            return Words("words", name, tuple(counts), weights) if counts else None
        case _:
            return None


def _frequent(cells: Iterable[Sequence[str]], rarest: int, commonest: int, most: int) -> dict[str, int]:
    counts = Counter(part for parts in cells for part in set(parts))
    kept = [(part, count) for part, count in counts.items() if rarest <= count <= commonest]
    return dict(sorted(sorted(kept, key=lambda pair: (-pair[1], pair[0]))[:most]))


def _bins(name: str, numbers: Sequence[float], rarest: int, bins: int) -> Bins | None:
    ordered = np.sort(np.array(numbers))
    distinct, counts = np.unique(ordered, return_counts=True)
    cuts = min(bins, len(ordered) // rarest)
    few = len(distinct) <= bins
    lows = distinct[counts >= rarest] if few else np.unique(ordered[np.arange(cuts) * len(ordered) // max(cuts, 1)])
    if len(lows) < 2:
        return None
    lows[0] = ordered[0]
    highs = ordered[np.append(np.searchsorted(ordered, lows[1:]), len(ordered)) - 1]
    return Bins("bins", name, tuple(lows.tolist()), tuple(highs.tolist()))


def _check(name: str, features: Sequence[object]) -> None:
    if not features or len(set(features)) < len(features):
        raise ValueError(f"'{name}' has no features, or one of them twice")
