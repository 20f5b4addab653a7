from __future__ import annotations

import pytest

from foldin.sources.parameters import as_number, has_since, with_since


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


@pytest.mark.parametrize(("text", "value"), [("7", 7), ("2.5", 2.5), ("2024-01-01", "2024-01-01"), ("", "")])
def test_numbers(text: str, value: object) -> None:
    found = as_number(text)
    assert (found, type(found)) == (value, type(value))
