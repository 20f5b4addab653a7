"""Events between the messages that bring them and the columns they are kept in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from foldin.data.catalog import ids_of
from foldin.data.interactions import NO_KIND, NO_TIME, History, Ids, Interactions
from foldin.errors import DataError
from foldin.service.messages import Event, HistoryEvent

__all__ = ["events_of", "history_of", "log_of", "microseconds", "moment_of"]

MOST_KINDS = 127
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def history_of(given: Sequence[str | HistoryEvent]) -> History:
    """A history that was sent along; a plain id is an event without kind, value or time."""
    plain = tuple(one for one in given if isinstance(one, str))
    if len(plain) == len(given):
        return History(plain)
    events = [HistoryEvent(item=one) if isinstance(one, str) else one for one in given]
    items = tuple(event.item for event in events)
    if all(event.kind is None and event.value is None and event.time is None for event in events):
        return History(items)
    kinds = tuple(event.kind for event in events)
    values = _values([event.value for event in events])
    return History(items, kinds, values, _times([event.time for event in events]))


def events_of(history: History) -> list[HistoryEvent]:
    """A history as it is sent."""
    count = len(history)
    kinds = history.kinds or (None,) * count
    values = [None] * count if history.values is None else [None if v != v else float(v) for v in history.values]
    times = [None] * count if history.times is None else [_moment(int(time)) for time in history.times]
    columns = zip(history.item_ids, kinds, values, times, strict=True)
    return [HistoryEvent(item=item, kind=kind, value=value, time=time) for item, kind, value, time in columns]


def log_of(events: Sequence[Event], now: datetime) -> Interactions:
    """Events as a log; one without a time happened now.

    Raises:
        DataError: there are more than 127 different kinds.
    """
    users, user_codes = _coded([event.user for event in events])
    items, item_codes = _coded([event.item for event in events])
    kinds = sorted({event.kind for event in events if event.kind is not None})
    if len(kinds) > MOST_KINDS:
        raise DataError(f"{len(kinds)} different kinds of event, and {MOST_KINDS} is the most", field="kind")
    codes: dict[str | None, int] = {None: NO_KIND, **{kind: code for code, kind in enumerate(kinds)}}
    return Interactions(
        users,
        user_codes,
        items,
        item_codes,
        ids_of(kinds) if kinds else None,
        np.array([codes[event.kind] for event in events], dtype=np.int8) if kinds else None,
        _values([event.value for event in events]),
        _times([event.time or now for event in events]),
    )


def microseconds(moment: datetime) -> int:
    """Since the epoch, UTC."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment_of(time: int) -> datetime:
    """The moment so many microseconds after the epoch."""
    return EPOCH + timedelta(microseconds=time)


def _coded(ids: Sequence[str]) -> tuple[Ids, NDArray[np.int32]]:
    distinct = sorted(set(ids))
    places = {text: place for place, text in enumerate(distinct)}
    return ids_of(distinct), np.array([places[text] for text in ids], dtype=np.int32)


def _values(values: Sequence[float | None]) -> NDArray[np.float32] | None:
    if all(value is None for value in values):
        return None
    return np.array([np.nan if value is None else value for value in values], dtype=np.float32)


def _times(times: Sequence[datetime | None]) -> NDArray[np.int64] | None:
    if all(time is None for time in times):
        return None
    return np.array([NO_TIME if time is None else microseconds(time) for time in times], dtype=np.int64)


def _moment(time: int) -> datetime | None:
    return None if time == NO_TIME else moment_of(time)
