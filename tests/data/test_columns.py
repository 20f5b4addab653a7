from __future__ import annotations

import pytest

from foldin.data.catalog import ids_of
from foldin.data.cells import listed, number_of, pieces_of, value_of
from foldin.data.columns import Column, recognise

TAGS = ["sql", "python", "networking", "security"]
COLUMNS = {
    "roles": (["Admin", "admin ", "developer", "ADMIN", "developer"] * 4, Column("category")),
    "ages": ([str(age) for age in range(20, 60)], Column("number")),
    "scientific numbers": (["1e3", "-.5", "+7", " 12. "], Column("number")),
    "a slip among numbers": (["unknown", *map(str, range(40))], Column("number")),
    "postcodes": ([f"{number:05}" for number in range(1, 9000, 300)], Column("code")),
    "days": (["2024-01-05", "05-Jan-1995", "2024-01-05T10:00:00Z", "1/2/2024"], Column("date")),
    "addresses": (["https://example.org/a?b=1", "www.example.org"], Column("address")),
    "bars": ([f"{a}|{b}" for a in TAGS for b in TAGS], Column("values", "|")),
    "semicolons": ([f"{a}; {b}" for a in TAGS for b in TAGS], Column("values", ";")),
    "commas": ([f"{a}, {b}" for a in TAGS for b in TAGS], Column("values", ",")),
    "JSON": (['["sql", "C#"]', "[]", '["caf\\u00e9"]'], Column("values", "[]")),
    "Python": (["['sql', \"don't\"]", "[]"], Column("values", "[]")),
    "a category with a comma": (["Finance, risk and insurance", "IT", "Sales"] * 9, Column("category")),
    "sentences": ([f"I want to learn topic {n}, then more; and soon" for n in range(30)], Column("text")),
    "titles with semicolons": ([f"Cats {n}; dogs {n}" for n in range(30)], Column("text")),
    "nothing": (["", " ", "NaN", "n/a", "unknown", "-", "\\N", "None", "undefined", "?"], Column("empty")),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_recognised_with_and_without_gaps(name: str) -> None:
    cells, column = COLUMNS[name]
    gaps: list[str] = [None, "", "NaN"]  # type: ignore[list-item]  # None is not known
    assert recognise(ids_of(cells), rarest=5) == column
    assert recognise(ids_of([*gaps, *cells, *gaps]), rarest=5) == column


@pytest.mark.parametrize("cell", ["1e400", "-1e400", "inf", "nan", "1_000", "0x10", "", "007", "٣x", "12 kg", None])
def test_what_is_no_number(cell: str | None) -> None:
    assert number_of(cell) is None


def test_values_are_compared_without_case_and_spaces() -> None:
    assert value_of("  Network   ENGINEER\n") == "network engineer"
    assert value_of("STRASSE") == value_of("Straße")
    assert pieces_of(" SQL | sql|| Python |NaN", "|") == ["sql", "python"]
    assert pieces_of('["a|b", "C"]', "[]") == ["a|b", "c"]
    assert pieces_of("no list", "[]") == ["no list"]
    assert pieces_of(None, "|") == []


@pytest.mark.parametrize("cell", ["[1, {}]", "['a' + 'b']", "[" * 50_000 + "]" * 50_000, "[a]", "['a", '["a"] x'])
def test_what_is_no_list(cell: str) -> None:
    assert listed(cell) is None
