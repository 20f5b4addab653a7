from __future__ import annotations

import unicodedata
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldin.data.identifiers import LONGEST_ID, are_plain, checked_id, normalised, refusal
from foldin.errors import DataError

ORDINARY = [
    "7",
    "01",
    "1.0",
    "[PAD]",
    "null",
    "NaN",
    "../x",
    "a/b",
    "a b",
    "nle",
    "HOL-2002-01-CMP",
    "é",
    "日本",
    "x" * 256,
]

REFUSED = {
    "": "empty",
    " ": "blank",
    "\u3000": "blank",
    "a\x00b": "invisible",
    "a\nb": "invisible",
    "a\x7f": "invisible",
    "a\u200bb": "invisible",
    "\ufeffa": "invisible",
    "a\u2028b": "invisible",
    "a\u3164": "invisible",
    "a\ud800": "surrogate",
    "x" * 257: "256 bytes",
    "é" * 129: "256 bytes",
}


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_ids_are_taken(text: str) -> None:
    assert refusal(text) is None
    assert checked_id(text, "user") == text


@pytest.mark.parametrize(("text", "reason"), REFUSED.items())
def test_a_refused_id_names_the_reason_and_the_field(text: str, reason: str) -> None:
    assert reason in (refusal(text) or "")
    with pytest.raises(DataError, match="field 'item'"):
        checked_id(text, "item")


def test_the_longest_id_is_measured_in_normal_form() -> None:
    decomposed = unicodedata.normalize("NFD", "é" * 128)
    assert len(decomposed.encode()) > LONGEST_ID
    assert refusal(decomposed) is None


def test_nfd_becomes_nfc() -> None:
    assert normalised("e\u0301") == "\u00e9"


@pytest.mark.parametrize("spaced", [" a", "a ", "\ta\u3000", "a\u00a0\n"])
def test_spaces_around_an_id_are_taken_off(spaced: str) -> None:
    assert refusal(spaced) is None
    assert checked_id(spaced, "user") == "a"


@pytest.mark.parametrize("number", [7, np.int64(7), np.uint8(7)])
def test_a_whole_number_is_its_digits(number: object) -> None:
    assert checked_id(number, "user") == "7"


def test_a_uuid_is_its_text() -> None:
    assert checked_id(UUID(int=7), "user") == "00000000-0000-0000-0000-000000000007"


def test_a_number_of_thousands_of_digits_is_too_long() -> None:
    with pytest.raises(DataError, match="256 bytes"):
        checked_id(10**5_000, "user")


@pytest.mark.parametrize("given_id", [7.0, np.float32(7), True, np.True_, None, b"a", ["a"]])
def test_other_types_are_refused(given_id: object) -> None:
    with pytest.raises(DataError, match="whole number"):
        checked_id(given_id, "user")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_rule_says_the_same_of_an_id_and_of_its_normal_form(text: str) -> None:
    assert (refusal(text) is None) == (refusal(normalised(text)) is None)


@given(st.lists(st.sampled_from([*ORDINARY, *REFUSED]) | st.text(max_size=3), max_size=4))
def test_plain_ids_are_kept_as_they_are(texts: list[str]) -> None:
    kept = [refusal(text) is None and normalised(text) == text for text in texts]
    if all(text.isascii() for text in texts):
        assert are_plain(texts) == all(kept)
    assert not are_plain(texts) or all(kept)


def test_one_look_is_enough_for_short_ids_of_any_writing() -> None:
    assert are_plain(["日本", "é", "a b"])


@pytest.mark.parametrize("other", [7, True, None, b"a", ["a"]])
def test_what_is_no_text_needs_a_look(other: object) -> None:
    assert not are_plain(["a", other])
