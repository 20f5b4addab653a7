"""What an address of What if, or its form, is read as."""

from __future__ import annotations

import pytest

from foldin.errors import DataError
from foldin.service.page.drafts import MOST_FIELDS, Draft, read_draft


@pytest.mark.parametrize("address", ["user=a&", "&user=a&&", "user=a&x", "user=a&=", "user=a&added", "user=a&utm=b%26"])
def test_an_address_is_read_past_what_says_nothing(address: str) -> None:
    assert read_draft(address.encode()) == Draft("a")


def test_an_address_is_read_with_its_letters_encoded_and_as_they_are() -> None:
    there = Draft("größe", ("日本",), profile={"größe": ("groß",)})
    assert read_draft("user=größe&added=日本&profile.größe=groß".encode()) == there
    assert read_draft(b"user=gr%C3%B6%C3%9Fe&added=%E6%97%A5%E6%9C%AC&profile.gr%c3%b6%c3%9fe=gro%c3%9f") == there


def test_of_a_profile_an_address_says_what_is_emptied() -> None:
    assert read_draft(b"profile.role=&profile.level") == Draft(profile={"role": (), "level": ()})


@pytest.mark.parametrize("address", ["user=größe".encode("latin-1"), b"user=gr%F6%DFe", b"user=%ED%A0%80"])
def test_an_address_that_is_not_utf_8_is_refused_in_words(address: bytes) -> None:
    with pytest.raises(DataError, match=r"^the letters of an address or a form are UTF-8, and these are not$"):
        read_draft(address)


def test_an_address_of_too_many_fields_is_refused_in_words() -> None:
    assert read_draft(b"&".join([b"added=a"] * MOST_FIELDS)) == Draft(None, ("a",))
    with pytest.raises(DataError, match=r"^over 2,000 fields: send fewer$"):
        read_draft(b"&".join([b"added=a"] * (MOST_FIELDS + 1)))
