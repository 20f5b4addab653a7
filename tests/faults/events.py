"""Events as tuples, and how they become batches and are read back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from foldin.data.catalog import ids_of
from foldin.data.interactions import NO_KIND, NO_TIME, History, Interactions
from foldin.store.contract import Batch

__all__ = ["Event", "age_of", "batch_of", "events_of", "log_of", "order_of", "told"]

Event: TypeAlias = tuple[str, str, str | None, float | None, int | None]
"""User, item, kind, value and time; None where one is missing."""


def batch_of(sent: Sequence[tuple[Event, str | None]], source: str, digest: str | None = None) -> Batch:
    """Events and their ids, which they do not keep where there is a digest: it is one or the other."""
    log = log_of([event for event, _ in sent])
    return Batch(log, source, None if digest else [event_id for _, event_id in sent], digest)


def log_of(events: Sequence[Event]) -> Interactions:
    users, items, kinds, values, times = zip(*events, strict=True) if events else ((), (), (), (), ())
    user_ids, item_ids, kind_names = sorted(set(users)), sorted(set(items)), sorted(set(kinds) - {None})
    return Interactions(
        ids_of(user_ids),
        np.array([user_ids.index(user) for user in users], dtype=np.int32),
        ids_of(item_ids),
        np.array([item_ids.index(item) for item in items], dtype=np.int32),
        ids_of(kind_names),
        np.array([NO_KIND if kind is None else kind_names.index(kind) for kind in kinds], dtype=np.int8),
        np.array([np.nan if value is None else value for value in values], dtype=np.float32),
        np.array([NO_TIME if time is None else time for time in times], dtype=np.int64),
    )


def events_of(log: Interactions) -> list[Event]:
    """The rows of a log."""
    users, items = log.user_ids[log.user_codes], log.item_ids[log.item_codes]
    kinds = kinds_of(log)
    values = [None] * len(log) if log.values is None else known_values(log.values)
    times = [None] * len(log) if log.times is None else known_times(log.times)
    return list(zip(users, items, kinds, values, times, strict=True))


def told(user: str, history: History) -> list[Event]:
    """The rows of a history."""
    count = len(history)
    values = [None] * count if history.values is None else known_values(history.values)
    times = [None] * count if history.times is None else known_times(history.times)
    rows = zip(history.item_ids, history.kinds or [None] * count, values, times, strict=True)
    return [(user, *row) for row in rows]


def kinds_of(log: Interactions) -> list[str | None]:
    if log.kind_names is None or log.kind_codes is None:
        return [None] * len(log)
    return [None if code == NO_KIND else str(log.kind_names[code]) for code in log.kind_codes]


def known_values(values: np.ndarray[tuple[int], np.dtype[np.float32]]) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]


def known_times(times: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int | None]:
    return [None if time == NO_TIME else int(time) for time in times]


def order_of(event: Event) -> tuple[object, ...]:
    """What a log is sorted by."""
    user, item, kind, value, time = event
    return user, item, NO_TIME if time is None else time, kind or "", value is None, value or 0


def age_of(event: Event) -> tuple[object, ...]:
    """What a history is sorted by."""
    _, item, kind, value, time = event
    return NO_TIME if time is None else time, item, kind or "", value is None, value or 0
