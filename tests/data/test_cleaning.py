from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldin.data.cleaning import k_core, with_minimum
from foldin.data.interactions import Interactions
from foldin.errors import ConfigurationError

LogOf = Callable[..., Interactions]
Pair = tuple[str, str]

PAIRS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "d", "e"]), st.sampled_from(["1", "2", "3", "4", "5"])),
    min_size=1,
    max_size=40,
)


def pairs_of(log: Interactions) -> list[Pair]:
    return [
        (str(log.user_ids[user]), str(log.item_ids[item]))
        for user, item in zip(log.user_codes, log.item_codes, strict=True)
    ]


def slow_minimum(pairs: list[Pair], per_user: int, per_item: int) -> list[Pair]:
    pairs = [pair for pair in pairs if len({item for user, item in pairs if user == pair[0]}) >= per_user]
    return [pair for pair in pairs if len({user for user, item in pairs if item == pair[1]}) >= per_item]


def slow_core(pairs: list[Pair], k: int) -> list[Pair]:
    smaller = slow_minimum(pairs, k, k)
    return pairs if smaller == pairs else slow_core(smaller, k)


@given(pairs=PAIRS, k=st.integers(1, 4))
def test_k_core_is_that_of_a_slow_loop(log_of: LogOf, pairs: list[Pair], k: int) -> None:
    expected = slow_core(pairs, k)
    if expected:
        assert pairs_of(k_core(log_of(pairs), k)) == expected
    else:
        with pytest.raises(ConfigurationError, match=f"no part with a {k}-core"):
            k_core(log_of(pairs), k)


@given(pairs=PAIRS, per_user=st.integers(1, 4), per_item=st.integers(1, 4))
def test_minimum_is_that_of_a_slow_loop(log_of: LogOf, pairs: list[Pair], per_user: int, per_item: int) -> None:
    expected = slow_minimum(pairs, per_user, per_item)
    if expected:
        assert pairs_of(with_minimum(log_of(pairs), per_user=per_user, per_item=per_item)) == expected
    else:
        with pytest.raises(ConfigurationError, match="lower the minimum"):
            with_minimum(log_of(pairs), per_user=per_user, per_item=per_item)


def test_ids_without_events_are_gone(log_of: LogOf) -> None:
    core = k_core(log_of([("a", "1"), ("a", "2"), ("b", "1"), ("b", "2"), ("c", "3")]), 2)
    assert core.user_ids.tolist() == ["a", "b"]
    assert core.item_ids.tolist() == ["1", "2"]


def test_a_repeated_pair_counts_once(log_of: LogOf) -> None:
    with pytest.raises(ConfigurationError):
        k_core(log_of([("a", "1")] * 5), 2)


@pytest.mark.parametrize("minimum", [0, -1])
def test_minimums_below_one_are_refused(log_of: LogOf, minimum: int) -> None:
    log = log_of([("a", "1")])
    with pytest.raises(ConfigurationError, match=f"k is {minimum}"):
        k_core(log, minimum)
    with pytest.raises(ConfigurationError, match="per_user"):
        with_minimum(log, per_user=minimum)
    with pytest.raises(ConfigurationError, match="per_item"):
        with_minimum(log, per_item=minimum)
