"""Which items can be had at a moment: a catalogue may hide items, or say from when and until when they are there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from foldin.data.catalog import Catalog
from foldin.data.interactions import Ids
from foldin.errors import DataError

__all__ = ["AVAILABILITY", "AVAILABLE_FROM", "AVAILABLE_UNTIL", "HIDDEN", "unavailable"]

HIDDEN, AVAILABLE_FROM, AVAILABLE_UNTIL = AVAILABILITY = "hidden", "available_from", "available_until"
"""The catalogue's attributes that say so: true or false, and ISO 8601 dates or times (UTC where none is said)."""

YES = frozenset({"true", "yes", "1", "on"})
NO = frozenset({"false", "no", "0", "off", ""})


def unavailable(catalog: Catalog, at: datetime | None = None) -> list[str]:
    """The ids of items that are hidden, not there yet, or not there any more: what a recommendation should `exclude`.

    `at`: the moment asked about, UTC where it has no time zone, as in the catalogue; None is now.

    Raises:
        DataError: one of the attributes cannot be understood; the item is named.
    """
    at = datetime.now(UTC) if at is None else _aware(at)
    gone = np.zeros(len(catalog), dtype=np.bool_)
    gone |= _where(catalog, HIDDEN, _yes)
    gone |= _where(catalog, AVAILABLE_FROM, lambda text: _moment(text) > at)
    gone |= _where(catalog, AVAILABLE_UNTIL, lambda text: _moment(text) <= at)
    return [str(item_id) for item_id in catalog.item_ids[gone]]


def _where(catalog: Catalog, name: str, true: Callable[[str], bool]) -> NDArray[np.bool_]:
    column: Ids | None = catalog.attributes.get(name)
    if column is None:
        return np.zeros(len(catalog), dtype=np.bool_)
    return np.array([_told(catalog, row, name, true) for row in range(len(catalog))], dtype=np.bool_)


def _told(catalog: Catalog, row: int, name: str, true: Callable[[str], bool]) -> bool:
    cell = catalog.attributes[name][row]
    try:
        return cell is not None and cell.strip() != "" and true(cell.strip())
    except ValueError as error:
        raise DataError(f"item '{catalog.item_ids[row]}': '{cell}' {error}", field=name) from None


def _yes(text: str) -> bool:
    if text.lower() not in YES | NO:
        raise ValueError("is neither true nor false")
    return text.lower() in YES


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is no date or time such as 2027-01-31 or 2027-01-31T12:00+01:00") from None
    return _aware(moment)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
