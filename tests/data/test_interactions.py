from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from foldin.data.interactions import NO_TIME, History, Interactions
from foldin.errors import DataError, NotFoundError

LogOf = Callable[..., Interactions]


@pytest.fixture
def log(log_of: LogOf) -> Interactions:
    return log_of(
        [("bo", "x"), ("al", "y"), ("bo", "z"), ("bo", "x"), ("al", "x")],
        kinds=["buy", None, "view", "view", "buy"],
        values=[1, 2, None, 4, 5],
        times=[30, 20, None, 10, 10],
    )


def test_a_history_is_oldest_first_then_by_item(log: Interactions) -> None:
    history = log.history("bo")
    assert history.item_ids == ("z", "x", "x")
    assert history.kinds == ("view", "view", "buy")
    assert history.values is not None
    assert history.values.tolist()[1:] == [4, 1]
    assert np.isnan(history.values[0])
    assert history.times is not None
    assert history.times.tolist() == [NO_TIME, 10, 30]
    assert log.history("al").kinds == ("buy", None)


def test_a_history_without_other_columns(log_of: LogOf) -> None:
    history = log_of([("u", "b"), ("u", "a"), ("v", "c")]).history("u")
    assert history.item_ids == ("a", "b")
    assert (history.kinds, history.values, history.times) == (None, None, None)
    assert len(history) == 2


@pytest.mark.parametrize("user_id", ["aa", "bz", "zz", "BO"])
def test_a_user_who_is_not_there(log: Interactions, user_id: str) -> None:
    with pytest.raises(NotFoundError, match=f"no user '{user_id}' in the log"):
        log.history(user_id)


def test_where_takes_a_mask_or_positions_and_drops_unused_ids(log: Interactions) -> None:
    for kept in (log.where(np.array([True, False, True, False, False])), log.where(np.array([0, 2]))):
        assert kept.user_ids.tolist() == ["bo"]
        assert kept.item_ids.tolist() == ["x", "z"]
        assert kept.user_codes.tolist() == [0, 0]
        assert kept.item_codes.tolist() == [0, 1]
        assert kept.history("bo").kinds == ("view", "buy")
    assert len(log) == 5
    assert len(log.where(np.zeros(5, dtype=np.bool_))) == 0


def test_columns_of_a_history_are_of_one_length() -> None:
    for columns in ({"kinds": ("view",)}, {"values": np.ones(1, np.float32)}, {"times": np.ones(3, np.int64)}):
        with pytest.raises(DataError, match=r"a column of . for 2 item ids"):
            History(("a", "b"), **columns)


def test_history_of() -> None:
    history = History(("a",), values=np.ones(1, np.float32))
    assert History.of(history) is history
    assert History.of(["a", "b"]).item_ids == ("a", "b")
    assert History.of(()).item_ids == ()


def test_a_history_is_not_one_string() -> None:
    with pytest.raises(DataError, match=r"not one id: write \['abc'\]"):
        History.of("abc")


def test_ids_of_a_history_are_kept_as_those_of_a_log() -> None:
    assert History.of([7, "e\u0301", "[PAD]"]).item_ids == ("7", "\u00e9", "[PAD]")  # type: ignore[list-item]  # a number


@pytest.mark.parametrize(
    "item_id",
    ["", " ", "a\0", "\ud800", "a\u200bb", "a\nb", "x" * 257, 1.0, True, None, b"a", float("nan")],
    ids=repr,
)
def test_a_history_refuses_what_is_no_id(item_id: str) -> None:
    with pytest.raises(DataError, match="field 'item'"):
        History.of(["fine", item_id])


def test_a_history_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        History(("a",)).item_ids = ()  # type: ignore[misc]  # frozen


def test_the_events_of_users_who_may_have_none(log_of: Callable[..., Interactions]) -> None:
    log = log_of([("a", "x"), ("b", "y"), ("c", "x"), ("c", "z")], times=[1, 2, 3, 4])
    some = log.of_users(["between", "c", "a", "c"])
    assert some.user_ids.tolist() == ["a", "between", "c"]
    assert some.history("c").item_ids == ("x", "z")
    assert len(some) == 3
    assert some.history("between").item_ids == ()
