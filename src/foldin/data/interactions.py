"""The event log in memory: dictionary-encoded columns, every id stored once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldin.data.identifiers import are_texts, checked_id, checked_ids
from foldin.errors import DataError, NotFoundError
from foldin.wording import counted

__all__ = ["NO_KIND", "NO_TIME", "History", "Ids", "Interactions"]

Ids: TypeAlias = NDArray[np.object_]
"""Distinct `str` ids; where an order is not given (a catalogue's is), sorted by code point."""

NO_TIME = np.iinfo(np.int64).min
"""Stands in `times` where an event of a log with times has none."""

NO_KIND = -1
"""Stands in `kind_codes` where an event of a log with kinds has none."""


@dataclass(frozen=True, eq=False)
class History:
    """One user's events, as ids: what is folded in.

    Shapes: every column that is given has one entry per event. `kinds` holds None, `values` NaN and `times`
    `NO_TIME` (microseconds since the epoch, UTC) where an event has none.

    `item_ids` may be given as any collection of texts, whole numbers or UUIDs; they are kept as a tuple of texts.

    Raises:
        DataError: an id cannot be one, or the columns differ in length.
    """

    item_ids: tuple[str, ...]
    kinds: tuple[str | None, ...] | None = None
    values: NDArray[np.float32] | None = None
    times: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if not are_texts(self.item_ids, tuple):
            object.__setattr__(self, "item_ids", tuple(_item_ids(self.item_ids)))
        for field, column in (("kinds", self.kinds), ("values", self.values), ("times", self.times)):
            if column is not None and len(column) != len(self.item_ids):
                raise DataError(f"a column of {len(column)} for {counted(len(self.item_ids), 'item id')}", field=field)

    def __len__(self) -> int:
        return len(self.item_ids)

    @classmethod
    def of(cls, history: History | Collection[str]) -> History:
        """The history with its ids as they are kept; a collection of item ids is one event each, without kind, value
        or time.

        Raises:
            DataError: it is no collection of ids, or an id cannot be one.
        """
        if not isinstance(history, History):
            return cls(tuple(_item_ids(history)))
        item_ids = tuple(_item_ids(history.item_ids))
        return history if item_ids == history.item_ids else replace(history, item_ids=item_ids)


def _item_ids(given: object) -> Collection[str]:
    if isinstance(given, Mapping):
        call = "foldin.History(list(ratings), values=numpy.array(list(ratings.values()), dtype='float32'))"
        raise DataError(f"a history is a collection of item ids, not a mapping; of items with ratings it is {call}")
    return checked_ids(given, "item")


@dataclass(frozen=True, eq=False)
class Interactions:
    """A log of events, one row each, in any order; nothing in it depends on the order of its rows.

    Shapes: `user_codes`, `item_codes`, `kind_codes`, `values` and `times` have one entry per event; a code is a
    position in the ids or names of its column. `user_ids` and `item_ids` are sorted by code point.
    Units: `times` are microseconds since the epoch, UTC.
    """

    user_ids: Ids
    user_codes: NDArray[np.int32]
    item_ids: Ids
    item_codes: NDArray[np.int32]
    kind_names: Ids | None = None
    kind_codes: NDArray[np.int8] | None = None
    values: NDArray[np.float32] | None = None
    times: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        for field, ids in (("user", self.user_ids), ("item", self.item_ids)):
            if ids.dtype != np.object_:
                problem = "the ids of a log are an array of texts (dtype object); foldin.read makes a log of a frame"
                raise DataError(problem, field=field)

    def __len__(self) -> int:
        return len(self.user_codes)

    def where(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> Interactions:
        """The events that `keep` selects (a mask, or positions), with ids no event is left for removed."""
        users, user_codes = _used(self.user_ids, self.user_codes[keep])
        items, item_codes = _used(self.item_ids, self.item_codes[keep])
        return Interactions(
            users,
            user_codes,
            items,
            item_codes,
            self.kind_names,
            None if self.kind_codes is None else self.kind_codes[keep],
            None if self.values is None else self.values[keep],
            None if self.times is None else self.times[keep],
        )

    def of_users(self, user_ids: Iterable[str]) -> Interactions:
        """The events of these users, each of whom is among `user_ids` whether there is an event or not."""
        users = sorted(set(user_ids))
        places = {user_id: place for place, user_id in enumerate(users)}
        moved = np.fromiter((places.get(user_id, -1) for user_id in self.user_ids), np.int32, len(self.user_ids))
        codes = moved[self.user_codes]
        column = np.empty(len(users), dtype=np.object_)
        column[:] = users
        return replace(self.where(codes >= 0), user_ids=column, user_codes=codes[codes >= 0])

    def history(self, user_id: str) -> History:
        """The events of one user, oldest first where times are known, then by item id.

        Raises:
            NotFoundError: the log has no event of that user.
            DataError: no user can have such an id.
        """
        user_id = checked_id(user_id, "user")
        place = int(np.searchsorted(self.user_ids, user_id))
        if place == len(self.user_ids) or self.user_ids[place] != user_id:
            raise NotFoundError(f"no user '{user_id}' in the log")
        rows = np.flatnonzero(self.user_codes == place)
        by_item = rows[np.argsort(self.item_codes[rows], kind="stable")]
        rows = by_item if self.times is None else by_item[np.argsort(self.times[by_item], kind="stable")]
        return History(
            tuple(self.item_ids[self.item_codes[rows]]),
            self._kinds_of(rows),
            None if self.values is None else self.values[rows],
            None if self.times is None else self.times[rows],
        )

    def _kinds_of(self, rows: NDArray[np.intp]) -> tuple[str | None, ...] | None:
        if self.kind_names is None or self.kind_codes is None:
            return None
        return tuple(None if code == NO_KIND else str(self.kind_names[code]) for code in self.kind_codes[rows])


def _used(ids: Ids, codes: NDArray[np.int32]) -> tuple[Ids, NDArray[np.int32]]:
    used = np.zeros(len(ids), dtype=np.bool_)
    used[codes] = True
    new_codes = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return ids[used], new_codes[codes]
