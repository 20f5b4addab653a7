from __future__ import annotations

import unicodedata

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
    " a": "space",
    "a ": "space",
    "a\u00a0": "space",
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


def test_a_whole_number_is_its_digits() -> None:
    assert checked_id(7, "user") == "7"


@pytest.mark.parametrize("given_id", [7.0, True, None, b"a", ["a"]])
def test_other_types_are_refused(given_id: object) -> None:
    with pytest.raises(DataError, match="whole number"):
        checked_id(given_id, "user")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_rule_says_the_same_of_an_id_and_of_its_normal_form(text: str) -> None:
    assert (refusal(text) is None) == (refusal(normalised(text)) is None)


@given(st.lists(st.sampled_from([*ORDINARY, *REFUSED]) | st.text(max_size=3), max_size=4))
def test_plain_ids_are_those_that_need_no_look_at_each(texts: list[str]) -> None:
    kept_as_they_are = [text.isascii() and refusal(text) is None for text in texts]
    assert are_plain(texts) == all(kept_as_they_are)


@pytest.mark.parametrize("other", [7, True, None, b"a", ["a"]])
def test_what_is_no_text_needs_a_look(other: object) -> None:
    assert not are_plain(["a", other])
