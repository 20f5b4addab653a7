from __future__ import annotations

from decimal import Decimal

import pytest

from foldin.sources.parameters import has_since, value_of, with_since, written


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("a > :since", "a > ?"),
        ("a > :since AND :since < b::since", "a > ? AND ? < b::since"),
        ("a > :since::date", "a > ?::date"),
        ("':since' || 'it''s :since' > :since", "':since' || 'it''s :since' > ?"),
        ('":since" > :since', '":since" > ?'),
        ("`:since` > :since", "`:since` > ?"),
        ("-- :since\n:since /* :since\n */", "-- :since\n? /* :since\n */"),
        ("$$:since$$ $tag$ :since $tag$ :since", "$$:since$$ $tag$ :since $tag$ ?"),
    ],
)
def test_only_the_parameter_is_replaced(query: str, expected: str) -> None:
    assert with_since(query, "?") == expected
    assert has_since(query)


@pytest.mark.parametrize("query", ["a > :sincere", "':since'", "a::since", "--:since", "since"])
def test_what_is_no_parameter(query: str) -> None:
    assert not has_since(query)
    assert with_since(query, "?") == query


def test_the_rest_is_written_as_the_driver_wants_it() -> None:
    assert with_since("a % 2 > :since % 3", "%(since)s", lambda text: text.replace("%", "%%")) == (
        "a %% 2 > %(since)s %% 3"
    )


@pytest.mark.parametrize(
    ("since", "value"),
    [
        ("7", 7),
        ("-7", -7),
        ("+007", 7),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("2.5", 2.5),
        (".5", 0.5),
        ("1e+16", 1e16),  # as earlier versions stored a float
        ("9007199254740993.0", Decimal("9007199254740993.0")),
        ("2024-01-01", "2024-01-01"),
        ("", ""),
        ("12e4", "12e4"),
        ("1_0", "1_0"),
        ("\u0661", "\u0661"),
        (" 7", " 7"),
        ("7\n", "7\n"),
        ("9223372036854775808", "9223372036854775808"),
        ("7" * 5000, "7" * 5000),
        ("nan", "nan"),
        ("inf", "inf"),
        ("text:000123", "000123"),
        ("text:text:7", "text:7"),
    ],
)
def test_what_a_value_stands_for(since: str, value: object) -> None:
    found = value_of(since)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "cell",
    [
        *("000123", "1", "1e+16", "text:", "text:1", "", "chess", "1_0"),
        *(0, -5, 2**63 - 1, 2**63, 10**30),
        *(1.0, 2.5, 0.1, 9007199254740994.0, 1e16, 1e-7, 1e300),
        *(Decimal("0.5"), Decimal("1E+5"), Decimal("9007199254740993.5"), Decimal(10**25)),
    ],
)
def test_a_cell_that_was_written_is_read_as_what_it_was(cell: str | int | float | Decimal) -> None:
    found = value_of(written(cell))
    assert found == cell
    assert isinstance(found, str) == isinstance(cell, str)
