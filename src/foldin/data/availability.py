"""Which items can be had at a moment: a catalogue may hide items, or say from when and until when they are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from foldin.data.catalog import Catalog
from foldin.data.cells import value_of
from foldin.data.known_attributes import AVAILABLE_FROM, AVAILABLE_UNTIL, HIDDEN
from foldin.errors import DataError

__all__ = [
    "Availability",
    "availability_of",
    "unavailable",
    "unclear",
]

YES = frozenset({"true", "yes", "1", "on"})
NO = frozenset({"false", "no", "0", "off", ""})

EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
MOMENTS = np.iinfo(np.int64)
"""From before all moments to after all of them."""


def unavailable(catalog: Catalog, at: datetime | None = None) -> list[str]:
    """The ids of items that are hidden, not there yet, or not there any more: what a recommendation should `exclude`.

    `at`: the moment asked about, UTC where it has no time zone, as in the catalogue; None is now.

    Raises:
        DataError: one of the attributes cannot be understood; the item is named.
    """
    return [str(item_id) for item_id in catalog.item_ids[availability_of(catalog).gone(at)]]


@dataclass(frozen=True, eq=False)
class Availability:
    """When items can be had, all (items,): `hidden` never, else from the moment `first` on until before `end`, both in
    microseconds since the epoch. `by_time`: whether any moment is named, so that time alone can make a difference."""

    hidden: NDArray[np.bool_]
    first: NDArray[np.int64]
    end: NDArray[np.int64]
    by_time: bool

    def gone(self, at: datetime | None = None) -> NDArray[np.bool_]:
        """Which items cannot be had at a moment, (items,); `at` as for `unavailable`."""
        moment = _microseconds(datetime.now(UTC) if at is None else at)
        return self.hidden | (self.first > moment) | (self.end <= moment)


def availability_of(catalog: Catalog) -> Availability:
    """What a catalogue says of when its items can be had.

    Raises:
        DataError: one of the attributes cannot be understood; the item is named.
    """
    return Availability(
        _told(catalog, HIDDEN, _yes, False).astype(np.bool_),
        _told(catalog, AVAILABLE_FROM, _moment, MOMENTS.min),
        _told(catalog, AVAILABLE_UNTIL, _moment, MOMENTS.max),
        by_time=AVAILABLE_FROM in catalog.attributes or AVAILABLE_UNTIL in catalog.attributes,
    )


def unclear(catalog: Catalog) -> Iterator[tuple[int, str, str]]:
    """The cells that do not say clearly when an item can be had: place of the item, attribute, and what is wrong."""
    for name, read in ((HIDDEN, _yes), (AVAILABLE_FROM, _moment), (AVAILABLE_UNTIL, _moment)):
        for place, cell in enumerate(catalog.attributes.get(name, ())):
            if cell is not None and cell.strip():
                try:
                    read(cell.strip())
                except ValueError as error:
                    yield place, name, f"'{cell}' {error}"


def _told(catalog: Catalog, name: str, told: Callable[[str], int], untold: int) -> NDArray[np.int64]:
    column = np.full(len(catalog), untold, dtype=np.int64)
    for row, cell in enumerate(catalog.attributes.get(name, ())):
        if cell is not None and value_of(cell) is not None:
            try:
                column[row] = told(cell.strip())
            except ValueError as error:
                raise DataError(f"item '{catalog.item_ids[row]}': '{cell}' {error}", field=name) from None
    return column


def _yes(text: str) -> bool:
    if text.lower() not in YES | NO:
        raise ValueError("is neither true nor false")
    return text.lower() in YES


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is no date or time such as 2027-01-31 or 2027-01-31T12:00+01:00") from None
    return _microseconds(moment)


def _microseconds(moment: datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // MICROSECOND
