"""Events without an id that a store has already, known by what they say: for whichever database is behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldin.data.interactions import NO_KIND, NO_TIME
from foldin.store.coded_events import BLOCK, CodedEvents, span

__all__ = ["NO_REPEATS", "Held", "Repeats", "StoredOf", "repeats_among"]

Span: TypeAlias = tuple[int, int]
"""The first and the last of some times."""

StoredOf: TypeAlias = Callable[[list[int], Span | None], Iterator[NDArray[np.void]]]
"""Reads the events of some users, all or those of a span of time, in blocks of rows as `interactions_of` takes them."""

_Keys: TypeAlias = Sequence[NDArray[np.int64]]
"""Columns of whole numbers that are equal, row by row, where events are."""


@dataclass(frozen=True)
class Held:
    """How many events a store has, and from when to when; what lies outside need not be looked for."""

    events: int
    first_time: int | None
    last_time: int | None


@dataclass(frozen=True, eq=False)
class Repeats:
    """The rows that are stored already, and how many rows without a time are like an event that is stored."""

    rows: NDArray[np.intp]
    alike: int


NO_REPEATS = Repeats(np.empty(0, dtype=np.intp), 0)


def repeats_among(events: CodedEvents, rows: NDArray[np.intp], held: Held, stored_of: StoredOf) -> Repeats:
    """What of these rows is stored already; rows with an event id are not judged, they are known by it.

    Where k equal rows meet m equal events of the store, m of the rows are repeats (all of them, where m is more), so
    that the store then has as many as the one of the two that had more.
    """
    if not held.events:
        return NO_REPEATS
    nameless = _nameless(events, rows)
    times = np.full(len(nameless), NO_TIME) if events.times is None else events.times[nameless]
    timed, timeless = _within(nameless, times, held), nameless[times == NO_TIME]
    repeated = _matched(events, timed, _span(events, timed), stored_of)
    return Repeats(timed[repeated], int(np.count_nonzero(_matched(events, timeless, None, stored_of))))


def _nameless(events: CodedEvents, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    if events.ids is None:
        return rows
    given = np.fromiter((event_id is not None for event_id in events.ids[rows]), dtype=np.bool_, count=len(rows))
    nameless: NDArray[np.intp] = rows[~given]
    return nameless


def _within(rows: NDArray[np.intp], times: NDArray[np.int64], held: Held) -> NDArray[np.intp]:
    if held.first_time is None or held.last_time is None:
        return rows[:0]
    within: NDArray[np.intp] = rows[(times != NO_TIME) & (times >= held.first_time) & (times <= held.last_time)]
    return within


def _span(events: CodedEvents, rows: NDArray[np.intp]) -> Span | None:
    first, last = span(events, rows)
    return None if first is None or last is None else (first, last)


def _matched(events: CodedEvents, rows: NDArray[np.intp], times: Span | None, stored_of: StoredOf) -> NDArray[np.bool_]:
    """Which of the rows an event of the store is equal to; without times, by all but the time."""
    matched = np.zeros(len(rows), dtype=np.bool_)
    order = np.argsort(events.users[rows], kind="stable")
    for places in _blocks(events.users[rows], order):
        given = _given_keys(events, rows[places], timed=times is not None)
        users = np.unique(events.users[rows[places]]).tolist()
        matched[places] = _found(given, _alike(given[0], stored_of(users, times), timed=times is not None))
    return matched


def _blocks(users: NDArray[np.int64], order: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Places in an order by users, at least BLOCK at a time, the rows of a user never apart."""
    ordered, start = users[order], 0
    while start < len(order):
        last = ordered[min(start + BLOCK, len(order)) - 1]
        end = int(np.searchsorted(ordered, last, side="right"))
        yield order[start:end]
        start = end


def _given_keys(events: CodedEvents, rows: NDArray[np.intp], *, timed: bool) -> _Keys:
    count = len(rows)
    kinds = np.full(count, NO_KIND) if events.kinds is None else _kind_numbers(events.kinds[rows])
    values = np.full(count, np.nan, dtype=np.float32) if events.values is None else events.values[rows]
    times = events.times[rows] if timed and events.times is not None else None
    return _keys(events.users[rows], events.items[rows], kinds, values, times)


def _kind_numbers(kinds: NDArray[np.object_]) -> NDArray[np.int64]:
    return np.fromiter((NO_KIND if kind is None else kind for kind in kinds), dtype=np.int64, count=len(kinds))


def _alike(pairs: NDArray[np.int64], blocks: Iterator[NDArray[np.void]], *, timed: bool) -> _Keys:
    """The keys of stored events, but for those of other pairs of user and item, which would only take room."""
    wanted, kept = np.unique(pairs), []
    for block in blocks:
        times = block["time"] if timed else None
        keys = _keys(block["user"], block["item"], block["kind"], block["value"], times)
        among = np.isin(keys[0], wanted)
        kept.append([column[among] for column in keys])
    nothing = np.empty(0, dtype=np.int64)
    return [np.concatenate(columns) for columns in zip(*kept, strict=True)] if kept else [nothing] * (3 if timed else 2)


def _keys(
    users: NDArray[np.integer],
    items: NDArray[np.integer],
    kinds: NDArray[np.integer],
    values: NDArray[np.floating],
    times: NDArray[np.integer] | None,
) -> _Keys:
    pairs = (users.astype(np.int64) << 32) | items.astype(np.int64)
    rest = (kinds.astype(np.int64) << 32) | _bits(values).astype(np.int64)
    return [pairs, rest] if times is None else [pairs, rest, times.astype(np.int64)]


def _bits(values: NDArray[np.floating]) -> NDArray[np.uint32]:
    # + 0 makes 0 of -0, and one NaN stands for all: equal values have equal bits
    cells = values.astype(np.float32) + np.float32(0)
    return np.where(np.isnan(cells), np.float32(np.nan), cells).view(np.uint32)


def _found(given: _Keys, stored: _Keys) -> NDArray[np.bool_]:
    """Of k equal rows the first m, where m of the stored ones are equal to them."""
    columns, number = [np.concatenate(both) for both in zip(stored, given, strict=True)], len(stored[0])
    order = np.lexsort(columns)  # stable: among equal rows the stored come first
    starts = np.ones(len(order), dtype=np.bool_)
    starts[1:] = np.any([column[order][1:] != column[order][:-1] for column in columns], axis=0)
    firsts, groups = np.flatnonzero(starts), np.cumsum(starts) - 1
    of_stored = order < number
    stored_alike = np.add.reduceat(of_stored.astype(np.int64), firsts)[groups]
    occurrence = np.arange(len(order)) - firsts[groups] - stored_alike  # of a given row among those equal to it, from 0
    found = np.zeros(len(order), dtype=np.bool_)
    found[order] = ~of_stored & (occurrence < stored_alike)
    return found[number:]
