from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldin.strict_json import parse_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(value=VALUES)
def test_what_json_writes_is_read(value: object) -> None:
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "[1, NaN]", '{"a": 1e999}'])
def test_what_is_no_finite_number_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match=r"no JSON number|too large"):
        parse_json(number)


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '[{"b": {"a": 1, "c": 2, "a": 3}}]', '{"a": 1, "\\u0061": 2}'])
def test_a_key_twice_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="'a' stands twice"):
        parse_json(text)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("inside", ["1", "[]", "{}"])
def test_thirty_two_deep_is_deep_enough(opening: str, closing: str, inside: str) -> None:
    levels = 32 if inside == "1" else 31
    parse_json(opening * levels + inside + closing * levels)
    for deeper in (levels + 1, 900, 200_000):
        with pytest.raises(ValueError, match="more than 32 deep"):
            parse_json(opening * deeper + inside + closing * deeper)


@pytest.mark.parametrize(
    "content",
    [
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\xc0\x80"',
        '{"a": 1}'.encode("utf-16"),
        '{"a": 1}'.encode("utf-32"),
        b'\xef\xbb\xbf{"a": 1}',
    ],
    ids=repr,
)
def test_what_is_not_utf_8_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"decode|BOM"):
        parse_json(content)


@pytest.mark.parametrize(
    "text", ['"\\ud800"', '"\\uDFFF"', '["a", {"\\ud83d ": 1}]', '"\\ude00\\ud83d"', '"\ud800"'], ids=ascii
)
def test_half_a_surrogate_pair_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="half of a surrogate pair"):
        parse_json(text)
    assert parse_json('"\\ud83d\\ude00"') == "\U0001f600"


@pytest.mark.parametrize("text", ["", " ", "{", "[1,]", "{'a': 1}", "01", "[1] 2", "nul", '"\n"', "\0", "9" * 5_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has its own message
        parse_json(text)
