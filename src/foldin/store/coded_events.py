"""Events in a store's codes, whichever database is behind it: what is written of a batch, and read back of a log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldin.data.interactions import NO_KIND, NO_TIME, History, Ids, Interactions
from foldin.errors import ConflictError, DataError
from foldin.store.contract import Batch
from foldin.store.dictionary import ITEMS, KINDS, USERS, Dictionary
from foldin.store.fingerprint import in_order
from foldin.wording import counted

__all__ = [
    "BLOCK",
    "Body",
    "CodedEvents",
    "StoredEvent",
    "by_user_kept",
    "check_kinds",
    "citation_column",
    "coded",
    "filled_column",
    "history_of",
    "id_column",
    "interactions_of",
    "overtaken",
    "span",
    "unknown_rows",
]

Body: TypeAlias = tuple[int, int, int | None, float | None, int | None]
"""User, item, kind, value and time: what an event says, apart from its id and source."""

StoredEvent: TypeAlias = tuple[str, str | None, float | None, int | None]
"""Item, kind, value and time: what a user's history says of one event."""

TIME = 4
"""Where a body has its time: at the end."""

_Columns: TypeAlias = tuple[list[int], list[int], list[int | None], list[float | None], list[int | None]]

MOST_KINDS = np.iinfo(np.int8).max
BLOCK = 100_000
"""Events turned into Python objects at once, so that a large log does not stand in memory twice."""


@dataclass(frozen=True, eq=False)
class CodedEvents:
    """A log in the store's codes; columns that no event has an entry in are None. `times_filled`: see `Batch`."""

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    kinds: NDArray[np.object_] | None
    values: NDArray[np.float32] | None
    times: NDArray[np.int64] | None
    ids: Ids | None
    times_filled: NDArray[np.bool_] | None = None

    def columns(self, rows: NDArray[np.intp]) -> _Columns:
        """The events at these rows, column by column, None where one has no kind, value or time."""
        return (
            self.users[rows].tolist(),
            self.items[rows].tolist(),
            [None] * len(rows) if self.kinds is None else self.kinds[rows].tolist(),
            [None] * len(rows) if self.values is None else _known_values(self.values[rows]),
            [None] * len(rows) if self.times is None else _known_times(self.times[rows]),
        )


def coded(texts: Ids, codes: NDArray[np.integer], codes_of: Callable[[list[str]], list[int]]) -> NDArray[np.object_]:
    """A log's column in the store's codes, None where it has no entry; only texts that are used are asked for."""
    # one place more than there are texts: the last is None, which is what the code -1 finds
    used = np.zeros(len(texts) + 1, dtype=np.bool_)
    used[codes] = True
    used[-1] = False
    stored = np.full(len(texts) + 1, None, dtype=np.object_)
    stored[used] = codes_of(texts[used[:-1]].tolist())
    found: NDArray[np.object_] = stored[codes]
    return found


def id_column(batch: Batch) -> Ids | None:
    """The event ids of a batch, one for each event; None where no event has one.

    Raises:
        DataError: there are not as many as events.
    """
    return _column(batch.event_ids, len(batch.log), "event")


def citation_column(batch: Batch) -> Ids | None:
    """The recommendations that the events of a batch cite, one for each event; None where no event cites any.

    Raises:
        DataError: there are not as many as events.
    """
    return _column(batch.recommendation_ids, len(batch.log), "recommendation")


def filled_column(batch: Batch) -> NDArray[np.bool_] | None:
    """Which of a batch's events had their times filled in, one mark for each event; None where none had.

    Raises:
        DataError: there are not as many as events.
    """
    if batch.times_filled is None:
        return None
    marks, count = np.asarray(batch.times_filled, dtype=np.bool_), len(batch.log)
    if len(marks) != count:
        raise DataError(
            f"{counted(len(marks), 'mark')} of times that were filled in, for {counted(count, 'event')}", field="time"
        )
    return marks


def by_user_kept(
    log: Interactions, columns: Sequence[NDArray[Any] | None], forgotten: set[str]
) -> tuple[Interactions, Sequence[NDArray[Any] | None]]:
    """The events whose users are not forgotten, and their entries in the columns."""
    if not forgotten:
        return log, columns
    by_user = np.array([user_id not in forgotten for user_id in log.user_ids], dtype=np.bool_)
    kept = by_user[log.user_codes]
    return log.where(kept), [None if column is None else column[kept] for column in columns]


def check_kinds(count: int) -> None:
    """Refuses more kinds than a log's column of codes can tell apart.

    Raises:
        DataError: there are too many.
    """
    if count > MOST_KINDS:
        raise DataError(f"{count} kinds of events, and a store takes {MOST_KINDS}", field="kind")


def unknown_rows(
    events: CodedEvents, check: Callable[[list[str]], None], bodies_of: Callable[[list[str]], dict[str, Body]]
) -> NDArray[np.intp]:
    """The rows to be stored: all but those whose event id is known, by the store or by a row above, with the same body.

    `check` refuses ids that cannot be stored; `bodies_of` finds the events stored under at most BLOCK ids.

    Raises:
        ConflictError: an event id is known with another body.
    """
    everything = np.arange(len(events.users))
    if events.ids is None:
        return everything
    given = _given(events.ids)
    check(given)
    repeated, above = _repeated(given), dict[str, Body]()
    blocks = (everything[start : start + BLOCK] for start in range(0, len(everything), BLOCK))
    found = [_unknown_of(events, rows, _given(events.ids[rows]), bodies_of, repeated, above) for rows in blocks]
    return np.concatenate([everything[:0], *found])


def overtaken(source: str) -> ConflictError:
    """What to say where a source's cursor is not where a batch began: its events may be stored already."""
    problem = "another import of this source has been there meanwhile, and nothing of this one was stored; run it again"
    return ConflictError(f"{source}: {problem}")


def span(events: CodedEvents, rows: NDArray[np.intp]) -> tuple[int | None, int | None]:
    """The first and last time of the events at these rows; None where none has a time."""
    times = np.empty(0, dtype=np.int64) if events.times is None else events.times[rows]
    known = times[times != NO_TIME]
    return (int(known.min()), int(known.max())) if len(known) else (None, None)


_Decoded: TypeAlias = Callable[[Dictionary, NDArray[np.integer]], tuple[Ids, NDArray[np.int32]]]


def interactions_of(rows: NDArray[np.void], decoded: _Decoded) -> Interactions:
    """A log, in order, of rows with the fields user, item, kind, value and time; `decoded` turns codes to texts.

    Missing entries are NO_KIND, NaN and NO_TIME.
    """
    users, user_codes = decoded(USERS, rows["user"])
    items, item_codes = decoded(ITEMS, rows["item"])
    kinds, kind_codes = _decoded_kinds(rows["kind"], decoded)
    values, times = rows["value"].astype(np.float32, copy=False), rows["time"].astype(np.int64, copy=False)
    return in_order(
        Interactions(
            users,
            user_codes,
            items,
            item_codes,
            kinds,
            kind_codes,
            None if np.isnan(values).all() else values,
            None if (times == NO_TIME).all() else times,
        )
    )


def history_of(events: Sequence[StoredEvent]) -> History:
    """A history of events by item, kind, value and time, in their order; columns without any entry are None."""
    item_ids, kinds, values, times = zip(*events, strict=True) if events else ((), (), (), ())
    return History(
        item_ids,
        kinds if any(kind is not None for kind in kinds) else None,
        np.array(values, dtype=np.float32) if any(value is not None for value in values) else None,
        _times(times) if any(time is not None for time in times) else None,
    )


def _column(texts: Sequence[str | None] | Ids | None, count: int, what: str) -> Ids | None:
    if texts is None:
        return None
    if len(texts) != count:
        raise DataError(f"{counted(len(texts), f'{what} id')} for {counted(count, 'event')}", field=f"{what}_id")
    if all(text is None for text in texts):
        return None
    return np.fromiter(texts, dtype=np.object_, count=count)


def _given(ids: Ids) -> list[str]:
    return [event_id for event_id in ids.tolist() if event_id is not None]


def _repeated(given: Sequence[str]) -> set[str]:
    """The ids that come more than once."""
    if len(set(given)) == len(given):
        return set()
    return {event_id for event_id, count in Counter(given).items() if count > 1}


def _unknown_of(
    events: CodedEvents,
    rows: NDArray[np.intp],
    given: list[str],
    bodies_of: Callable[[list[str]], dict[str, Body]],
    repeated: set[str],
    above: dict[str, Body],
) -> NDArray[np.intp]:
    """Those of a block's rows that are to be stored; `above`: what the blocks before said under repeated ids."""
    known = bodies_of(given)
    if not known and repeated.isdisjoint(given):
        return rows
    return np.array(list(_unknown(events, rows, known, repeated, above)), dtype=np.intp)


def _unknown(
    events: CodedEvents, rows: NDArray[np.intp], known: dict[str, Body], repeated: set[str], above: dict[str, Body]
) -> Iterator[int]:
    assert events.ids is not None
    bodies: Iterator[Body] = zip(*events.columns(rows), strict=True)
    filled = np.zeros(len(rows), dtype=np.bool_) if events.times_filled is None else events.times_filled[rows]
    columns = zip(rows.tolist(), events.ids[rows].tolist(), bodies, filled.tolist(), strict=True)
    for row, event_id, body, timeless in columns:
        before = known.get(event_id, above.get(event_id))
        if before is None:
            yield row
            if event_id in repeated:
                above[event_id] = body
        elif not _is_same(before, body, timeless=timeless):
            raise ConflictError(f"event id '{event_id}' belongs to another event; nothing of this batch was stored")


def _is_same(before: Body, body: Body, *, timeless: bool) -> bool:
    return before[:TIME] == body[:TIME] if timeless else before == body


def _decoded_kinds(codes: NDArray[np.integer], decoded: _Decoded) -> tuple[Ids, NDArray[np.int8]] | tuple[None, None]:
    known = codes != NO_KIND
    if not known.any():
        return None, None
    names, positions = decoded(KINDS, codes[known])
    column = np.full(len(codes), NO_KIND, dtype=np.int8)
    column[known] = positions
    return names, column


def _known_values(values: NDArray[np.float32]) -> list[float | None]:
    # + 0 makes 0 of -0: the two are equal, and so must be the stores that hold them
    cells = (values + np.float32(0)).astype(np.object_)
    cells[np.isnan(values)] = None
    listed: list[float | None] = cells.tolist()
    return listed


def _known_times(times: NDArray[np.int64]) -> list[int | None]:
    cells = times.astype(np.object_)
    cells[times == NO_TIME] = None
    listed: list[int | None] = cells.tolist()
    return listed


def _times(times: Sequence[int | None]) -> NDArray[np.int64]:
    return np.array([NO_TIME if time is None else time for time in times], dtype=np.int64)
