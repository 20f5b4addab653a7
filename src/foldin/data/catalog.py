"""The catalogue: what is known of the items, and the one place where item ids become indices and indices ids."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import repeat
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldin.data.identifiers import are_texts, checked_ids
from foldin.data.interactions import Ids
from foldin.data.known_attributes import TITLES, known_names
from foldin.errors import DataError, NotFoundError
from foldin.wording import counted

__all__ = ["TITLES", "Attributes", "Catalog", "ids_of", "title_in"]

Attributes: TypeAlias = Mapping[str, Ids]
"""One column per attribute, one cell per id: a `str`, or None where it is not known."""

NOTHING: Attributes = MappingProxyType({})


def ids_of(ids: Iterable[str | None]) -> Ids:
    """Ids as an array of objects, in their order."""
    listed = list(ids)
    array = np.empty(len(listed), dtype=np.object_)
    array[:] = listed
    return array


def title_in(attributes: Mapping[str, str], item_id: str) -> str:
    """An item's title among its attributes, or its id where there is none."""
    for name in TITLES:
        if name in attributes:
            return attributes[name]
    return item_id


@dataclass(frozen=True, eq=False)
class Catalog:
    """Items in their order, which is the order of the user-item matrix's columns and the order that breaks ties.

    An attribute that has an effect bears its one name: `Hidden` becomes `hidden`.

    Raises:
        DataError: an id cannot be one or stands twice, an attribute's length is not the number of items, or two
            attributes would both be one that has an effect.
    """

    item_ids: Ids
    attributes: Attributes = field(default_factory=lambda: NOTHING)

    def __post_init__(self) -> None:
        names = known_names(self.attributes)
        if any(name != known for name, known in names.items()):
            renamed = {known: self.attributes[name] for name, known in names.items()}
            object.__setattr__(self, "attributes", renamed)
        if not are_texts(self.item_ids, np.ndarray):
            object.__setattr__(self, "item_ids", ids_of(checked_ids(self.item_ids, "item")))
        if len(self._positions) != len(self.item_ids):
            raise DataError("an item id stands twice in the catalogue", field="item")
        for name, column in self.attributes.items():
            if len(column) != len(self.item_ids):
                raise DataError(f"{counted(len(column), 'cell')} for {counted(len(self.item_ids), 'item')}", field=name)

    def __len__(self) -> int:
        return len(self.item_ids)

    @classmethod
    def of_one(cls, item_id: str, attributes: Mapping[str, str]) -> Catalog:
        """A catalogue of one item."""
        return cls(ids_of([item_id]), {name: ids_of([value]) for name, value in attributes.items()})

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {item_id: index for index, item_id in enumerate(self.item_ids)}

    def knows(self, ids: Collection[str] | Ids) -> NDArray[np.bool_]:
        """Which of the ids are items of this catalogue."""
        return self._places(ids) >= 0

    def known_indices(self, ids: Collection[str] | Ids) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
        """Which of the ids are items of this catalogue, and the indices of these."""
        places = self._places(ids)
        known = places >= 0
        return known, places[known]

    def indices(self, ids: Collection[str] | Ids) -> NDArray[np.int32]:
        """The indices of item ids.

        Raises:
            NotFoundError: an id is not in the catalogue (`knows` tells beforehand).
            DataError: it is no collection of ids, or an id cannot be one.
        """
        places = self._places(ids)
        if len(places) and places.min() < 0:
            missing = checked_ids(ids, "item")[int(places.argmin())]
            raise NotFoundError(f"no item {missing!r} in the catalogue of {counted(len(self), 'item')}")
        return places

    def _places(self, ids: Collection[str] | Ids) -> NDArray[np.int32]:
        """Where in the catalogue the ids are; -1 for one that is not."""
        checked = checked_ids(ids, "item")
        return np.fromiter(map(self._positions.get, checked, repeat(-1)), dtype=np.int32, count=len(checked))

    def ids(self, indices: NDArray[np.integer]) -> Ids:
        """The item ids of indices.

        Raises:
            IndexError: an index is not from 0 to below the number of items.
        """
        if np.any(indices < 0):
            raise IndexError(f"index {indices.min()} is below 0; indices are counted from the front only")
        ids: Ids = self.item_ids[indices]
        return ids

    def item(self, index: int) -> dict[str, str]:
        """What is known of one item: its attributes that have a value."""
        return {name: column[index] for name, column in self.attributes.items() if column[index] is not None}

    def title(self, index: int) -> str:
        """The item's title, or its id where the catalogue has none."""
        return title_in(self.item(index), str(self.item_ids[index]))

    @cached_property
    def titles(self) -> list[str | None]:
        """The title of every item, in their order; None where the catalogue has none."""
        titles: list[str | None] = [None] * len(self)
        for name in reversed(TITLES):
            column = self.attributes.get(name)
            if column is not None:
                titles = [cell if cell is not None else title for cell, title in zip(column, titles, strict=True)]
        return titles

    def names(self) -> list[str]:
        """The title of every item, in their order; the id where there is none."""
        return [
            str(item_id) if title is None else title for item_id, title in zip(self.item_ids, self.titles, strict=True)
        ]

    def extended(self, ids: Ids) -> Catalog:
        """This catalogue followed by those of the ids it lacks, in code point order, without attributes."""
        extra = sorted(ids[~self.knows(ids)])
        if not extra:
            return self
        unknown = np.full(len(extra), None, dtype=np.object_)
        columns = {name: np.concatenate([column, unknown]) for name, column in self.attributes.items()}
        return Catalog(np.concatenate([self.item_ids, ids_of(extra)]), columns)
