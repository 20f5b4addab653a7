"""Items found by their attributes: those with the very values a profile has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from foldin.coldstart.incidence import incidence
from foldin.data.catalog import Attributes
from foldin.data.cells import SEPARATORS, Separator, number_of, pieces_of, value_of
from foldin.data.columns import Column

__all__ = ["ValueIndex", "fit_value_index"]


@dataclass(frozen=True, eq=False)
class ValueIndex:
    """What each value of the catalogue's categories adds to the score of each item, sparse, (values, items).

    score(u, i) = sum over the values v of both of log(N / n_v) / sqrt(|i|), n_v being how many of the N items have v,
    and |i| how many values the item has in that attribute: an item of one topic is more of it than one of three.
    `places`: attribute -> value -> row of `weights`.
    """

    places: Mapping[str, Mapping[str, int]]
    weights: csr_array

    def score(self, attributes: Attributes, count: int) -> NDArray[np.float32]:  # (count, items)
        """The sums for `count` profiles. An attribute is matched with the one of the same name, or else with all.

        So `language` finds the items in that language, and `interests` those with such topics or tags.
        """
        keyed = [(_key(name), cells) for name, cells in attributes.items()]
        # a value that stands in two attributes of a profile is said once
        found = [
            list(dict.fromkeys(place for name, cells in keyed for place in self._found(name, cells[row])))
            for row in range(count)
        ]
        return np.asarray((incidence(found, self.weights.shape[0]) @ self.weights).toarray())

    def _found(self, name: str, cell: str | None) -> list[int]:
        readings = _readings(cell)
        own = self.places.get(name, {})
        matched = [own[value] for value in readings if value in own]
        if matched:
            return matched
        telling = [value for value in readings if _telling(value)]
        return [places[value] for places in self.places.values() for value in telling if value in places]


def fit_value_index(attributes: Attributes, columns: Mapping[str, Column]) -> ValueIndex | None:
    """The index of a catalogue's attributes that are categories or have several values; None where there are none."""
    places: dict[str, dict[str, int]] = {}
    parts: list[csr_array] = []
    for name, column in columns.items():
        if column.kind in ("category", "values") and _key(name) not in places:
            rows = [_values(cell, column.separator) for cell in attributes[name]]
            own = {value: place for place, value in enumerate(sorted({value for row in rows for value in row}))}
            start = sum(map(len, places.values()))
            places[_key(name)] = {value: start + place for value, place in own.items()}
            parts.append(_by_rarity(incidence([[own[value] for value in row] for row in rows], len(own))))
    return ValueIndex(places, vstack(parts, format="csr")) if parts else None


def _by_rarity(having: csr_array) -> csr_array:  # (items, values) -> (values, items)
    rarity = np.log(having.shape[0] / np.bincount(having.indices, minlength=having.shape[1]))
    sizes = np.diff(having.indptr)
    having.data = (rarity[having.indices] / np.sqrt(np.repeat(sizes, sizes))).astype(np.float32)
    return having.T.tocsr()


@lru_cache(maxsize=10_000)  # profiles have few different cells, and each is asked about for every fold and length
def _readings(cell: str | None) -> tuple[str, ...]:
    # what parts values is told from a whole column; of one profile there is only the cell
    separators: tuple[Separator | None, ...] = (None, *SEPARATORS)
    return tuple(dict.fromkeys(value for separator in separators for value in _values(cell, separator)))


def _values(cell: str | None, separator: Separator | None) -> list[str]:
    return list(dict.fromkeys(map(_joined, pieces_of(cell, separator))))


def _telling(value: str) -> bool:
    # "m", "1" or "20" of one attribute is nothing like that of another
    return len(value) > 1 and number_of(value) is None


def _key(name: str) -> str:
    return _joined(value_of(name) or "")


def _joined(value: str) -> str:
    # machine-learning and machine_learning are machine learning
    return " ".join(value.replace("_", " ").replace("-", " ").split())
