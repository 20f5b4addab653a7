"""Users grouped by their profiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from foldin.data.catalog import ids_of
from foldin.data.profiles import Profiles
from foldin.errors import ConfigurationError
from foldin.evaluation.segments import Segments, segments_of


def grouped(values: Sequence[str | None]) -> Segments:
    """Segments of users who stand in the matrix in another order than in the profiles."""
    users = ids_of(f"u{user}" for user in range(len(values)))
    column = np.empty(len(values), dtype=np.object_)
    column[:] = list(values)
    order = np.random.default_rng(2).permutation(len(values))
    profiles = Profiles(users[order], {"role": column[order]})
    return segments_of(profiles, "role", users, np.arange(len(values)))


def sizes(segments: Segments) -> dict[str, int]:
    counts = Counter(name for several in segments.of_rows.values() for name in several)
    return {name: counts[name] for name in segments.names}


def test_each_value_is_a_segment_and_the_largest_comes_first() -> None:
    segments = grouped(["admin"] * 10 + ["student"] * 12)
    assert list(sizes(segments).items()) == [("student", 12), ("admin", 10)]
    assert segments.members(np.array([9, 10]), "student").tolist() == [False, True]


def test_values_of_few_users_are_pooled_and_missing_ones_stand_apart() -> None:
    segments = grouped([None] * 3 + ["admin"] * 9 + ["pilot"] * 2 + ["student"] * 10)
    assert list(sizes(segments).items()) == [("student", 10), ("other", 11), ("unknown", 3)]


def test_who_has_several_values_is_in_the_segment_of_each() -> None:
    segments = grouped(["storage|cloud"] * 10 + ["Cloud"] * 5 + ["storage|rare", "storage|"] + [None])
    assert list(sizes(segments).items()) == [("cloud", 15), ("storage", 12), ("other", 1), ("unknown", 1)]
    assert segments.members(np.array([0, 14, 15, 17]), "storage").tolist() == [True, False, True, False]


def test_the_value_other_is_not_told_twice() -> None:
    assert grouped(["other"] * 20 + ["a"] * 10 + ["rare"]).names == ("a", "other")


def test_numbers_are_cut_into_five_of_about_the_same_size() -> None:
    segments = grouped([str(age) for age in range(20, 80)])
    assert list(sizes(segments).items()) == [
        ("20 to 31", 12),
        ("32 to 43", 12),
        ("44 to 55", 12),
        ("56 to 67", 12),
        ("68 to 79", 12),
    ]


def test_equal_numbers_are_never_parted() -> None:
    segments = grouped(["0"] * 50 + ["-1.5"] * 30 + ["1", "2", "3.5", "6e0"] * 5 + [None])
    assert list(sizes(segments).items()) == [("-1.5", 30), ("0", 50), ("1 to 6", 20), ("unknown", 1)]


def test_few_users_have_few_bins() -> None:
    assert grouped([str(age) for age in range(25)]).names == ("0 to 11", "12 to 24")
    assert grouped([str(age) for age in range(9)]).names == ("0 to 8",)


def test_a_handful_of_numbers_are_values_as_any_other() -> None:
    assert grouped(["0"] * 10 + ["1"] * 11).names == ("1", "0")


def test_text_among_the_numbers_makes_all_of_them_values() -> None:
    assert grouped([*map(str, range(30)), "nan"]).names == ("other",)


def test_only_the_users_who_are_judged_count() -> None:
    users = ids_of(str(user) for user in range(30))
    profiles = Profiles(users[:20], {"role": ids_of(["a"] * 20)})
    segments = segments_of(profiles, "role", users, np.array([5, 25]))
    assert dict(segments.of_rows) == {5: ("other",), 25: ("unknown",)}


def test_an_attribute_that_is_not_there_lists_those_that_are() -> None:
    with pytest.raises(ConfigurationError, match="no attribute 'age' in the profiles; there are: role"):
        segments_of(Profiles(ids_of(["a"]), {"role": ids_of(["b"])}), "age", ids_of(["a"]), np.array([0]))
