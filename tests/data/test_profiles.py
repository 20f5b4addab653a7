from __future__ import annotations

import pytest

from foldin.data.catalog import ids_of
from foldin.data.profiles import Profiles
from foldin.errors import DataError, NotFoundError


def test_a_profile_holds_what_is_known() -> None:
    profiles = Profiles(ids_of(["nle", "abc"]), {"role": ids_of(["admin", None])})  # type: ignore[list-item]  # None is not known
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
    with pytest.raises(DataError, match="field 'role': 2 cells for 1 users"):
        Profiles(ids_of(["a"]), {"role": ids_of(["x", "y"])})
