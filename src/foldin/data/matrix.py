"""The user-item matrix: events become pairs, pairs become sparse rows. Repeated pairs are merged here and only here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.catalog import Catalog, ids_of
from foldin.data.feedback import FeedbackRule
from foldin.data.interactions import NO_KIND, NO_TIME, History, Ids, Interactions

__all__ = ["Events", "Pairs", "UserItemMatrix", "history_matrix", "merged_pairs", "user_item_matrix"]

Number = TypeVar("Number", bound=np.generic)

UNNAMED = "\0"
"""Stands for the kinds of served events that the rule gives no weight."""


@dataclass(frozen=True, eq=False)
class Events:
    """Events by index: `rows` are users, `columns` items; the other columns as in `Interactions`."""

    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    kind_names: Ids | None = None
    kind_codes: NDArray[np.int8] | None = None
    values: NDArray[np.float32] | None = None
    times: NDArray[np.int64] | None = None


@dataclass(frozen=True, eq=False)
class Pairs:
    """One entry per user and item, sorted by row, then column.

    `values`: what the feedback rule makes of the pair's events; 0 where the item is only seen.
    `times`: when the user came to the item: of the pair's first event, or, with ratings, of the newest, which is taken.
    """

    shape: tuple[int, int]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    values: NDArray[np.float32]
    times: NDArray[np.int64] | None

    def where(self, keep: NDArray[np.bool_]) -> Pairs:
        """The pairs that `keep` selects."""
        times = None if self.times is None else self.times[keep]
        return Pairs(self.shape, self.rows[keep], self.columns[keep], self.values[keep], times)

    def matrix(self) -> csr_array:
        """The pairs as a sparse matrix."""
        starts = np.searchsorted(self.rows, np.arange(self.shape[0] + 1))
        return csr_array((self.values, self.columns, starts.astype(np.int32)), shape=self.shape)


@dataclass(frozen=True, eq=False)
class UserItemMatrix:
    """Users by items, the catalogue's items in its order.

    `histories`: what a model learns from and folds in; a cell that is not stored is not known.
    `seen`: every item the user has interacted with, positive or not; at least the cells of `histories`.
    """

    user_ids: Ids
    histories: csr_array
    seen: csr_array


def user_item_matrix(log: Interactions, catalog: Catalog, rule: FeedbackRule) -> UserItemMatrix:
    """The matrix of a log; events on items the catalogue lacks are left out.

    Shape: (users of the log, items of the catalogue).
    """
    histories, seen = _matrices(_events(log, catalog), (len(log.user_ids), len(catalog)), rule)
    return UserItemMatrix(log.user_ids, histories, seen)


def history_matrix(histories: Sequence[History], catalog: Catalog, rule: FeedbackRule) -> tuple[csr_array, csr_array]:
    """Histories as rows, made by the same rule as training rows: (what is folded in, what is seen).

    An item without a value counts as liked: on ratings as the highest rating. Unknown items are left out.

    Raises:
        DataError: a value is outside what the form of feedback allows; its row in its history is named.
    """
    lengths = [len(history) for history in histories]
    rows = np.repeat(np.arange(len(histories), dtype=np.int32), lengths)
    known, columns = catalog.known_indices(list(chain.from_iterable(history.item_ids for history in histories)))
    kind_names, kind_codes = _coded_kinds(histories, rule.feedback.weights)
    events = Events(
        rows[known],
        columns,
        kind_names,
        _where(known, kind_codes),
        _where(known, _values_of(histories, rule)),
        _where(known, _times_of(histories)),
    )
    return _matrices(events, (len(histories), len(catalog)), rule)


def merged_pairs(log: Interactions, catalog: Catalog, rule: FeedbackRule) -> Pairs:
    """The log with repeated pairs merged: explicit feedback takes the greatest time, then the greatest rating;
    implicit feedback sums in sorted order. The order of the log's rows plays no part.
    """
    return _merged(_events(log, catalog), (len(log.user_ids), len(catalog)), rule)


def _events(log: Interactions, catalog: Catalog) -> Events:
    known, columns = catalog.known_indices(log.item_ids)
    column_of = np.full(len(log.item_ids), -1, dtype=np.int32)
    column_of[known] = columns
    if known.all():
        return Events(log.user_codes, columns[log.item_codes], log.kind_names, log.kind_codes, log.values, log.times)
    keep = known[log.item_codes]
    return Events(
        log.user_codes[keep],
        column_of[log.item_codes[keep]],
        log.kind_names,
        None if log.kind_codes is None else log.kind_codes[keep],
        None if log.values is None else log.values[keep],
        None if log.times is None else log.times[keep],
    )


def _matrices(events: Events, shape: tuple[int, int], rule: FeedbackRule) -> tuple[csr_array, csr_array]:
    counts = None if rule.explicit else _counts(events, shape, rule)
    if counts is not None:
        return counts, counts
    pairs = _merged(events, shape, rule)
    seen = pairs.matrix()
    known = pairs.values > 0
    return (seen if known.all() else pairs.where(known).matrix()), seen


def _counts(events: Events, shape: tuple[int, int], rule: FeedbackRule) -> csr_array | None:
    # Where every event adds the same 1, a sum is a count, and sorting one number per event tells it.
    if _contributions(events, rule) is not None:
        return None
    items = max(shape[1], 1)
    cells = _sorted_cells(events, items)
    first = np.flatnonzero(_changes(cells))
    strengths = rule.strength(np.diff(first, append=len(cells)).astype(np.float64))
    cells = cells[first]
    starts = np.searchsorted(cells, np.arange(shape[0] + 1) * items).astype(np.int32)
    cells %= items
    return csr_array((strengths, cells.astype(np.int32), starts), shape=shape)


def _sorted_cells(events: Events, items: int) -> NDArray[np.int64]:
    # row x items + column, in place, since there may be many events
    cells = events.rows.astype(np.int64)
    cells *= items
    cells += events.columns
    cells.sort()
    return cells


def _merged(events: Events, shape: tuple[int, int], rule: FeedbackRule) -> Pairs:
    return _last_ratings(events, shape, rule) if rule.explicit else _sums(events, shape, rule)


def _last_ratings(events: Events, shape: tuple[int, int], rule: FeedbackRule) -> Pairs:
    assert events.values is not None
    # an event without a rating only marks its item as seen, so any rating of the pair wins over it
    ratings = np.where(np.isnan(events.values), 0, events.values)
    times = np.zeros(len(ratings), dtype=np.int64) if events.times is None else events.times
    order = np.lexsort((ratings, times, ratings > 0, events.columns, events.rows))
    rows, columns = events.rows[order], events.columns[order]
    last = _starts_of_pairs(rows[::-1], columns[::-1])[::-1]
    scaled = (ratings[order][last] / rule.highest).astype(np.float32)
    newest = None if events.times is None else _newest(events.times[order], _starts_of_pairs(rows, columns))
    return Pairs(shape, rows[last], columns[last], np.minimum(scaled, np.float32(1)), newest)


def _sums(events: Events, shape: tuple[int, int], rule: FeedbackRule) -> Pairs:
    contributions = _contributions(events, rule)
    added = np.ones(len(events.rows)) if contributions is None else contributions
    order = np.lexsort((added, events.columns, events.rows))
    rows, columns = events.rows[order], events.columns[order]
    first = _starts_of_pairs(rows, columns)
    sums = np.add.reduceat(added[order], np.flatnonzero(first)) if len(order) else added
    oldest = None if events.times is None else _oldest(events.times[order], first)
    return Pairs(shape, rows[first], columns[first], rule.strength(sums), oldest)


def _contributions(events: Events, rule: FeedbackRule) -> NDArray[np.float64] | None:
    return rule.contributions(len(events.rows), events.kind_names, events.kind_codes, events.values, events.times)


def _starts_of_pairs(rows: NDArray[np.int32], columns: NDArray[np.int32]) -> NDArray[np.bool_]:
    return _changes(rows) | _changes(columns)


def _changes(numbers: NDArray[np.int32] | NDArray[np.int64]) -> NDArray[np.bool_]:
    changes = np.ones(len(numbers), dtype=np.bool_)
    np.not_equal(numbers[1:], numbers[:-1], out=changes[1:])
    return changes


def _oldest(times: NDArray[np.int64], first: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.minimum.reduceat(times, np.flatnonzero(first)) if len(times) else times


def _newest(times: NDArray[np.int64], first: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.maximum.reduceat(times, np.flatnonzero(first)) if len(times) else times


def _coded_kinds(histories: Sequence[History], weighted: Iterable[str]) -> tuple[Ids | None, NDArray[np.int8] | None]:
    names = [*weighted, UNNAMED]
    if len(names) == 1 or all(history.kinds is None for history in histories):
        return None, None
    kinds = chain.from_iterable(history.kinds or (None,) * len(history) for history in histories)
    codes: dict[str | None, int] = {None: NO_KIND, **{name: code for code, name in enumerate(names)}}
    return ids_of(names), np.array([codes.get(kind, codes[UNNAMED]) for kind in kinds], dtype=np.int8)


def _where(keep: NDArray[np.bool_], column: NDArray[Number] | None) -> NDArray[Number] | None:
    return None if column is None else column[keep]


def _values_of(histories: Sequence[History], rule: FeedbackRule) -> NDArray[np.float32] | None:
    """The values of all histories; None where none is needed, as nobody brings one."""
    if not rule.explicit and all(history.values is None for history in histories):
        return None
    liked = np.float32(rule.highest if rule.explicit else np.nan)
    columns = [
        np.full(len(history), liked) if history.values is None else _checked(history.values, rule)
        for history in histories
    ]
    return np.concatenate([np.empty(0, dtype=np.float32), *columns])


def _checked(values: NDArray[np.float32], rule: FeedbackRule) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # past float32 is infinite, and infinite is refused
        values = np.asarray(values, dtype=np.float32)
    rule.check(values)
    return values


def _times_of(histories: Sequence[History]) -> NDArray[np.int64] | None:
    if all(history.times is None for history in histories):
        return None
    columns = [np.full(len(h), NO_TIME) if h.times is None else h.times for h in histories]
    return np.concatenate([np.empty(0, dtype=np.int64), *columns]).astype(np.int64)
