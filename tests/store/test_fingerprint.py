from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import NO_KIND, NO_TIME, Interactions
from foldin.data.profiles import Profiles
from foldin.store.fingerprint import fingerprint, in_order

NOBODY, NOTHING = Profiles(ids_of([])), Catalog(ids_of([]))


def log_of(
    users: list[int],
    items: list[int],
    kinds: list[int] | None = None,
    values: list[float] | None = None,
    times: list[int] | None = None,
) -> Interactions:
    return Interactions(
        ids_of(["ann", "bob"]),
        np.array(users, dtype=np.int32),
        ids_of(["x", "y"]),
        np.array(items, dtype=np.int32),
        ids_of(["buy", "view"]) if kinds else None,
        np.array(kinds, dtype=np.int8) if kinds else None,
        np.array(values, dtype=np.float32) if values else None,
        np.array(times, dtype=np.int64) if times else None,
    )


FULL = log_of([1, 0, 1, 1, 1], [0, 1, 0, 0, 0], [1, 0, 0, 0, -1], [1, 2, 4, 3, np.nan], [5, 5, 6, 6, 6])


def test_rows_are_sorted_by_user_item_time_kind_and_value() -> None:
    log = in_order(FULL)
    columns = (log.user_codes, log.item_codes, log.times, log.kind_codes, log.values)
    assert np.column_stack([column for column in columns if column is not None]).tolist()[0] == [0, 1, 5, 0, 2]
    assert log.values is not None
    assert log.values.tolist()[:2] == [2, 1]
    np.testing.assert_array_equal(log.values[2:], [np.nan, 3, 4])


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_plays_no_part(seed: int) -> None:
    order: NDArray[np.intp] = np.random.default_rng(seed).permutation(len(FULL))
    assert fingerprint(FULL.where(order), NOTHING, NOBODY) == fingerprint(FULL, NOTHING, NOBODY)


def test_a_column_without_entries_is_no_column() -> None:
    bare = log_of([0, 1], [0, 1])
    empty = log_of([0, 1], [0, 1], None, [np.nan, np.nan], [NO_TIME, NO_TIME])
    assert fingerprint(bare, NOTHING, NOBODY) == fingerprint(empty, NOTHING, NOBODY)


def test_every_part_of_the_content_counts() -> None:
    title, level = {"title": ids_of(["1"])}, {"level": ids_of(["1"])}
    contents = [
        (log_of([], []), NOTHING, NOBODY),
        (log_of([0], [0]), NOTHING, NOBODY),
        (log_of([0, 0], [0, 0]), NOTHING, NOBODY),
        (log_of([1], [0]), NOTHING, NOBODY),
        (log_of([0], [1]), NOTHING, NOBODY),
        (log_of([0], [0], [0]), NOTHING, NOBODY),
        (log_of([0], [0], [1]), NOTHING, NOBODY),
        (log_of([0], [0], None, [1]), NOTHING, NOBODY),
        (log_of([0], [0], None, None, [1]), NOTHING, NOBODY),
        (log_of([], []), Catalog(ids_of(["x"])), NOBODY),
        (log_of([], []), NOTHING, Profiles(ids_of(["x"]))),
        (log_of([], []), Catalog(ids_of(["x"]), title), NOBODY),
        (log_of([], []), Catalog(ids_of(["x"]), level), NOBODY),
        (log_of([], []), NOTHING, Profiles(ids_of(["x"]), title)),
    ]
    assert len({fingerprint(*content) for content in contents}) == len(contents)


def test_missing_kinds_do_not_run_into_present_ones() -> None:
    some = log_of([0, 0], [0, 1], [NO_KIND, 1])
    other = log_of([0, 0], [0, 1], [1, NO_KIND])
    assert fingerprint(some, NOTHING, NOBODY) != fingerprint(other, NOTHING, NOBODY)
