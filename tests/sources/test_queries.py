from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest

from foldin.errors import ConfigurationError, DataError
from foldin.sources import read_sql, read_sql_catalog, read_sql_profiles, source_name
from foldin.sources.queries import Furthest

DAYS = [1_704_067_200_000_000, 1_704_153_600_000_000, 1_704_240_000_500_000]
ALL = "SELECT * FROM events ORDER BY seq"


def test_a_log_is_the_same_from_every_database(database: str) -> None:
    answered = read_sql(database, ALL, time="moment")
    assert answered.reading is not None
    log, reading = answered.reading.log, answered.reading
    assert log.user_ids[log.user_codes].tolist() == ["1", "2", "1"]
    assert log.item_ids[log.item_codes].tolist() == ["x", "é%", "y"]
    assert log.values is not None
    assert log.times is not None
    assert np.nan_to_num(log.values, nan=-1).tolist() == [4, -1, 2.5]
    assert log.times.tolist() == DAYS
    assert reading.event_ids is not None
    assert reading.event_ids.tolist() == ["e1", "e2", "e3"]
    assert answered.cursor is not None
    assert answered.cursor.startswith("2024-01-03 00:00:00.5")


@pytest.mark.parametrize("cursor", ["moment", "seq"])
def test_a_cursor_leads_on_from_where_it_stood(database: str, cursor: str) -> None:
    query = f"SELECT * FROM events WHERE {cursor} > :since /* not :since */ AND item_id <> ':since' ORDER BY seq"
    if cursor == "moment" and not database.startswith("sqlite"):
        query = query.replace("> :since", "> CAST(:since AS TIMESTAMPTZ)", 1)
    first = read_sql(database, "SELECT * FROM events WHERE seq < 3", time="moment", cursor=cursor)
    then = read_sql(database, query, time="moment", cursor=cursor, since=first.cursor)
    assert then.reading is not None
    assert then.reading.event_ids is not None
    assert then.reading.event_ids.tolist() == ["e3"]
    nothing = read_sql(database, query, time="moment", cursor=cursor, since=then.cursor)
    assert (nothing.reading, nothing.cursor) == (None, None)


def test_what_is_bound_is_never_read_as_sql(database: str) -> None:
    query = "SELECT * FROM events WHERE item_id = :since AND item_id LIKE '%y'"
    assert read_sql(database, query, time="moment", since="' OR 1=1 --").reading is None
    found = read_sql(database, query + ";", time="moment", since="y").reading
    assert found is not None
    assert len(found.log) == 1


def test_catalogue_and_profiles(database: str) -> None:
    catalog = read_sql_catalog(database, "SELECT * FROM items ORDER BY id")
    assert catalog.item_ids.tolist() == ["x", "y"]
    assert catalog.attributes["title"].tolist() == ["Chess", None]
    profiles = read_sql_profiles(database, "SELECT * FROM people ORDER BY id")
    assert (profiles.user_ids.tolist(), profiles.attributes["role"].tolist()) == (["1", "2"], ["cook", "nurse"])


def test_bad_rows_are_named_by_their_number_in_the_result(database: str) -> None:
    query = "SELECT user_id, CASE WHEN seq = 2 THEN ' ' ELSE item_id END AS item_id FROM events ORDER BY seq"
    with pytest.raises(DataError, match="the id is blank") as caught:
        read_sql(database, query)
    assert (caught.value.row, caught.value.field) == (2, "item_id")
    reading = read_sql(database, query, skip_bad=True).reading
    assert reading is not None
    assert (len(reading.log), [row.row for row in reading.rejected]) == (2, [2])


@pytest.mark.parametrize("query", ["SELECT * FROM nowhere", "SELECT FROM FROM", "DELETE FROM events"])
def test_what_is_no_select_is_refused_and_changes_nothing(database: str, query: str) -> None:
    with pytest.raises(DataError, match=r"cannot be read|must be a SELECT"):
        read_sql(database, query, time="moment")
    reading = read_sql(database, ALL, time="moment").reading
    assert reading is not None
    assert len(reading.log) == 3


def test_an_empty_result_is_an_error_but_for_what_is_new(database: str) -> None:
    with pytest.raises(DataError, match="there are no rows"):
        read_sql(database, "SELECT * FROM events WHERE seq > 9", time="moment")


def test_since_and_the_parameter_go_together(database: str) -> None:
    with pytest.raises(ConfigurationError, match="has the parameter :since"):
        read_sql(database, "SELECT * FROM events WHERE seq > :since")
    with pytest.raises(ConfigurationError, match="needs the parameter :since"):
        read_sql(database, "SELECT * FROM events WHERE item_id > ':since' -- :since", since="1")
    with pytest.raises(DataError, match="no column 'when' for the cursor"):
        read_sql(database, ALL, cursor="when")


def test_many_rows_come_in_their_order(sqlite_of: Callable[[str], str]) -> None:
    numbers = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 120000)"
    answered = read_sql(sqlite_of(""), f"{numbers} SELECT n AS user, n AS item, n AS event_id FROM t", cursor="item")
    assert answered.reading is not None
    log = answered.reading.log
    assert (log.item_ids[log.item_codes] == answered.reading.event_ids).all()
    assert (len(log), answered.cursor) == (120_000, "120000")


def test_a_cursor_of_several_types_is_refused_where_it_is_wanted(sqlite_of: Callable[[str], str]) -> None:
    url = sqlite_of(
        "CREATE TABLE e (user, item, time); INSERT INTO e VALUES ('a', 'x', 5), ('a', 'y', '1970-01-01 00:00Z')"
    )
    assert read_sql(url, "SELECT * FROM e").cursor is None
    with pytest.raises(DataError, match="a cursor is a number, a time or a text, not number and text") as caught:
        read_sql(url, "SELECT * FROM e", cursor="time")
    assert caught.value.field == "time"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([2, Decimal("2.5"), 1.0, None], "2.5"),
        (["a", "é", "b"], "é"),
        ([datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, 3, tzinfo=UTC)], "2024-01-02 03:00:00+00:00"),
        ([date(2024, 1, 2), date(2024, 1, 1)], "2024-01-02"),
        (["2024-01-01 00:00:00+00", "infinity"], "2024-01-01 00:00:00+00"),
        ([None], None),
        ([1.5, float("inf"), float("nan"), Decimal("NaN"), Decimal("Infinity"), Decimal(1)], "1.5"),
        ([float("inf")], None),
        (["000122", "000123"], "text:000123"),
        ([10**20], "100000000000000000000.0"),
    ],
)
def test_the_furthest_cell(cells: list[object], expected: str | None) -> None:
    furthest = Furthest()
    for cell in cells:
        furthest.note([cell])
    assert furthest.text() == expected


@pytest.mark.parametrize(
    ("type_", "cells"),
    [
        ("VARCHAR(30)", ["000123", "000124", "000125"]),
        ("VARCHAR(30)", ["12e4", "12f0", "1300"]),
        ("VARCHAR(30)", ["1_0", "1_1", "9"]),
        ("VARCHAR(30)", ["99999999999999999998", "99999999999999999999", "999999999999999999990"]),
        ("NUMERIC(30, 3)", [1.5, 2.5, 10]),
        ("DOUBLE PRECISION", [1.5, 2.5, 1e20]),
        ("BIGINT", [9, 10, 2**63 - 1]),
    ],
)
def test_a_cursor_stays_what_it_was(database: str, type_: str, cells: list[object]) -> None:
    rows = " UNION ALL ".join(f"SELECT {n} AS item, CAST('{cell}' AS {type_}) AS place" for n, cell in enumerate(cells))
    query = f"SELECT 'ann' AS user, item, place FROM ({rows}) AS rows"
    first = read_sql(database, f"{query} WHERE item = 0", cursor="place")
    then = read_sql(database, f"{query} WHERE place > :since", cursor="place", since=first.cursor)
    assert then.reading is not None
    assert then.reading.log.item_ids.tolist() == ["1", "2"]
    assert read_sql(database, f"{query} WHERE place > :since", cursor="place", since=then.cursor).reading is None


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([5, 4_000_000_000, 7], "7"),  # the future
        ([5, 1e999, 7], "7"),
        ([5, 1_700_000_000_000, 7], "7"),  # milliseconds among seconds
        (["2024-01-01T00:00Z", "2094-01-01T00:00Z", "zzz"], "2024-01-01T00:00Z"),
        ([4_000_000_000, 4_000_000_000], None),
    ],
)
def test_a_time_that_is_refused_moves_no_cursor(
    sqlite_of: Callable[[str], str], times: list[float | str], expected: str | None
) -> None:
    rows = ", ".join(f"('ann', {number}, {time!r})" for number, time in enumerate(times)).replace("inf", "1e999")
    url = sqlite_of(f"CREATE TABLE e (user, item, time); INSERT INTO e VALUES {rows}")
    query = "SELECT * FROM e WHERE time > :since OR typeof(time) = 'text' ORDER BY item"
    answered = read_sql(url, query, since="0", skip_bad=True)
    assert answered.cursor == expected
    assert read_sql(url, query, since="0", skip_bad=True, cursor="item").cursor == str(len(times) - 1)


def test_a_row_refused_for_anything_else_counts_as_read(sqlite_of: Callable[[str], str]) -> None:
    url = sqlite_of("CREATE TABLE e (user, item, time); INSERT INTO e VALUES ('ann', 'x', 5), ('', 'y', 7)")
    assert read_sql(url, "SELECT * FROM e", skip_bad=True).cursor == "7"


@pytest.mark.parametrize("cell", [b"x", True, [1]])
def test_what_can_be_no_cursor(cell: object) -> None:
    furthest = Furthest()
    furthest.note([cell])
    with pytest.raises(ValueError, match="a cursor is"):
        furthest.text()


def test_two_queries_have_two_names_and_no_password() -> None:
    url = "postgresql://ann:secret@host/shop?password=secret"
    one, two = source_name(url, "SELECT 1"), source_name(url, "SELECT 2")
    assert one != two
    assert one == source_name(url, " SELECT 1\n")
    assert one.startswith("postgresql://ann@host/shop#")
    assert "secret" not in one
