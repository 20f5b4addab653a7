from __future__ import annotations

from typing import Any

import pytest

from foldin.data.catalog import ids_of
from foldin.data.profiles import Profiles, attributes_of
from foldin.errors import ConfigurationError, DataError, NotFoundError

UNKNOWN: Any = None  # a cell that is not known


def test_a_profile_holds_what_is_known() -> None:
    profiles = Profiles(ids_of(["nle", "abc"]), {"role": ids_of(["admin", UNKNOWN])})
    assert len(profiles) == 2
    assert profiles.profile("nle") == {"role": "admin"}
    assert profiles.profile("abc") == {}


def test_a_user_without_a_profile_is_named() -> None:
    with pytest.raises(NotFoundError, match="no profile of user 'x'"):
        Profiles(ids_of(["nle"])).profile("x")


def test_a_user_twice_is_refused() -> None:
    with pytest.raises(DataError, match="twice"):
        Profiles(ids_of(["a", "a"]))


def test_an_attribute_of_another_length_is_refused() -> None:
    with pytest.raises(DataError, match="field 'role': 2 cells for 1 user"):
        Profiles(ids_of(["a"]), {"role": ids_of(["x", "y"])})


# -- the profiles of many


def test_the_profiles_of_users_come_in_their_order() -> None:
    profiles = Profiles(ids_of(["b", "a"]), {"role": ids_of(["chef", "admin"]), "age": ids_of([UNKNOWN, "31"])})
    found = profiles.of(ids_of(["a", "nobody", "b", "a"]))
    assert {name: list(column) for name, column in found.items()} == {
        "role": ["admin", None, "chef", "admin"],
        "age": ["31", None, None, "31"],
    }


def test_without_any_profile_nothing_is_known_of_anybody() -> None:
    assert list(Profiles(ids_of([]), {"role": ids_of([])}).of(ids_of(["a", "b"]))["role"]) == [None, None]
    assert Profiles(ids_of(["a"])).of(ids_of(["a"])) == {}
    assert list(Profiles(ids_of(["a"]), {"role": ids_of(["x"])}).of(ids_of([]))["role"]) == []


def test_profiles_become_columns() -> None:
    columns = attributes_of([{"role": "admin"}, None, {"age": "31", "role": "chef"}, {}])
    assert {name: list(column) for name, column in columns.items()} == {
        "role": ["admin", None, "chef", None],
        "age": [None, None, "31", None],
    }
    assert attributes_of([]) == attributes_of([None, {}]) == {}


@pytest.mark.parametrize("profile", ["admin", ["admin"], 7, [("role", "admin")]])
def test_a_profile_that_is_no_mapping_is_refused(profile: Any) -> None:
    with pytest.raises(ConfigurationError, match="a profile is a mapping such as"):
        attributes_of([{"role": "admin"}, profile])


@pytest.mark.parametrize("profile", [{"age": 31}, {31: "age"}, {"role": None}, {"role": ["a"]}])
def test_a_profile_holds_texts(profile: Any) -> None:
    with pytest.raises(ConfigurationError, match="a profile holds texts"):
        attributes_of([profile])


def test_profiles_laid_over_others_say_first_what_they_know() -> None:
    above = Profiles(ids_of(["b", "a"]), {"role": ids_of(["admin", None]), "team": ids_of(["x", "y"])})
    below = Profiles(ids_of(["a", "b"]), {"role": ids_of(["builder", "other"]), "age": ids_of(["3", None])})
    both = above.laid_over(below)
    assert [both.profile(user) for user in both.user_ids] == [
        {"role": "admin", "team": "x"},
        {"role": "builder", "age": "3", "team": "y"},
    ]
