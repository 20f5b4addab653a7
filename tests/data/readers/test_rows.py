from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from foldin.data.interactions import NO_TIME
from foldin.data.readers import read_catalog, read_events
from foldin.data.readers.rows import Rows
from foldin.errors import DataError

BERLIN = timezone(timedelta(hours=1))


def rows(names: str, *blocks: Sequence[Sequence[object]]) -> Rows:
    return Rows("the query", names.split(), blocks)


def test_cells_become_what_they_would_in_a_file() -> None:
    key = UUID(int=7)
    block = [
        (key, Decimal("7"), Decimal("2.50"), datetime(2024, 1, 1, tzinfo=UTC)),
        ("é", 8, 3, datetime(2024, 1, 1, 1, tzinfo=BERLIN)),
        ("b", "9", 0.5, None),
        ("b", "9", None, "2024-01-01T00:00:00Z"),
    ]
    log = read_events(rows("user item value time", block)).log
    assert log.user_ids.tolist() == [str(key), "b", "é"]
    assert log.item_ids.tolist() == ["7", "8", "9"]
    assert log.values is not None
    assert log.times is not None
    assert np.nan_to_num(log.values, nan=-1).tolist() == [2.5, 3, 0.5, -1]
    start = 1_704_067_200_000_000
    assert log.times.tolist() == [start, start, NO_TIME, start]


@pytest.mark.parametrize("moment", [datetime(2024, 1, 1), date(2024, 1, 1), "2024-01-01 00:00:00"])
def test_times_without_a_zone_need_one(moment: object) -> None:
    with pytest.raises(DataError, match="the time has no time zone"):
        read_events(rows("user item time", [("a", "x", moment)]))
    log = read_events(rows("user item time", [("a", "x", moment)]), timezone="Europe/Berlin").log
    assert log.times is not None
    assert log.times.tolist() == [1_704_063_600_000_000]


@pytest.mark.parametrize("cell", [b"\xca\xfe", bytearray(b"\xca\xfe"), memoryview(b"\xca\xfe")])
def test_bytes_are_hexadecimal(cell: object) -> None:
    assert read_events(rows("user item", [(cell, b"ab")])).log.user_ids.tolist() == ["cafe"]


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        (("b", 1.5, 1), "item", "the id is a fraction"),
        (("b", Decimal("1.0"), 1), "item", "the id is a fraction"),
        ((True, "y", 1), "user", "the id is a boolean"),
        ((None, "y", 1), "user", "the id is empty"),
        ((["b"], "y", 1), "user", "the id is a list"),
        (("b", "y", float("nan")), "rating", "is NaN"),
        (("b", "y", Decimal("Infinity")), "rating", "is infinite"),
        (("b", "y", "much"), "rating", "is not a number"),
        (("b", "y", False), "rating", "is a boolean"),
    ],
)
def test_a_bad_row_is_named_by_its_number_and_field(row: tuple[object, ...], field: str, reason: str) -> None:
    blocks = [("a", "x", 1)], [("a", "x", 2), row]
    with pytest.raises(DataError, match=reason) as caught:
        read_events(rows("user item rating", *blocks))
    assert (caught.value.file, caught.value.row, caught.value.field) == ("the query", 3, field)
    reading = read_events(rows("user item rating", *blocks), skip_bad=True)
    assert (len(reading.log), [one.row for one in reading.rejected]) == (2, [3])


def test_a_number_and_its_digits_are_the_same_id_and_it_is_told() -> None:
    reading = read_events(rows("user item", [(7, "x"), ("7", "y")]))
    assert reading.log.user_ids.tolist() == ["7"]
    assert "user ids that stand both as number and as text" in reading.notes[0]


def test_no_rows_or_a_column_twice() -> None:
    with pytest.raises(DataError, match="there are no rows"):
        read_events(rows("user item"))
    with pytest.raises(DataError, match="this column more than once"):
        read_events(rows("user item user", [("a", "x", "b")]))


def test_a_catalogue_from_rows() -> None:
    block = [("x", "Chess", 1.5, ["board", "old"]), (2, None, 3, None)]
    catalog = read_catalog(rows("id title price tags", block))
    assert catalog.item_ids.tolist() == ["x", "2"]
    assert catalog.attributes["title"].tolist() == ["Chess", None]
    assert catalog.attributes["price"].tolist() == ["1.5", "3"]
    assert catalog.attributes["tags"].tolist() == ['["board","old"]', None]
    with pytest.raises(DataError, match="stands twice") as caught:
        read_catalog(rows("id title", [("x", "a"), ("x", "b")]))
    assert caught.value.row == 2
