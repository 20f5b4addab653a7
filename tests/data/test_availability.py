from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

import foldin
from foldin.data.availability import unavailable
from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Interactions
from foldin.data.known_attributes import AVAILABLE_FROM, AVAILABLE_UNTIL, HIDDEN
from foldin.errors import DataError

UNKNOWN: Any = None  # a cell that is not known
NOON = datetime(2027, 3, 10, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def catalog(**columns: list[str]) -> Catalog:
    count = len(next(iter(columns.values()))) if columns else 2
    ids = [f"lab{number}" for number in range(count)]
    return Catalog(ids_of(ids), {name: ids_of(cells) for name, cells in columns.items()})


def gone(at: datetime = NOON, **cells: str) -> bool:
    """Whether an item with these cells is not to be had."""
    return unavailable(catalog(**{name: [cell] for name, cell in cells.items()}), at) == ["lab0"]


def test_a_catalogue_that_says_nothing_hides_nothing() -> None:
    assert unavailable(catalog(), NOON) == []
    assert unavailable(catalog(title=["hidden", "2020-01-01"]), NOON) == []


@pytest.mark.parametrize("cell", ["true", "yes", "1", "on", "TRUE", " Yes "])
def test_hidden(cell: str) -> None:
    assert gone(hidden=cell)


@pytest.mark.parametrize("cell", ["false", "no", "0", "off", "FALSE", "", "  ", UNKNOWN])
def test_not_hidden(cell: str) -> None:
    assert not gone(hidden=cell)


@pytest.mark.parametrize("cell", ["", "  ", UNKNOWN])
def test_no_date_is_no_limit(cell: str) -> None:
    assert not gone(available_from=cell)
    assert not gone(available_until=cell)


def test_from_a_moment_on() -> None:
    cell = "2027-03-10T12:00:00Z"
    assert gone(NOON - SECOND, available_from=cell)
    assert not gone(NOON, available_from=cell)
    assert not gone(NOON + SECOND, available_from=cell)


def test_until_a_moment() -> None:
    cell = "2027-03-10T12:00:00Z"
    assert not gone(NOON - SECOND, available_until=cell)
    assert gone(NOON, available_until=cell)
    assert gone(NOON + SECOND, available_until=cell)


def test_a_date_is_its_midnight_in_utc() -> None:
    midnight = datetime(2027, 3, 10, tzinfo=UTC)
    assert gone(midnight - SECOND, available_from="2027-03-10")
    assert not gone(midnight, available_from="2027-03-10")
    assert not gone(midnight - SECOND, available_until="2027-03-10")
    assert gone(midnight, available_until="2027-03-10")


@pytest.mark.parametrize(
    "cell", ["2027-03-10T14:00+02:00", "2027-03-10T06:30-05:30", "2027-03-10 12:00", "20270310T12Z"]
)
def test_time_zones_are_heeded_and_utc_is_meant_where_none_is_said(cell: str) -> None:
    assert gone(NOON - SECOND, available_from=cell)
    assert not gone(NOON, available_from=cell)


@pytest.mark.parametrize("hours", [-11, 0, 5, 14])
def test_it_does_not_matter_where_one_asks(hours: int) -> None:
    here = NOON.astimezone(timezone(timedelta(hours=hours)))
    assert not gone(here, available_from="2027-03-10T12:00Z")
    assert gone(here - SECOND, available_from="2027-03-10T12:00Z")


def test_a_moment_without_a_zone_is_utc_as_in_the_catalogue() -> None:
    naive = NOON.replace(tzinfo=None)
    assert not gone(naive, available_from="2027-03-10T12:00Z")
    assert gone(naive - SECOND, available_from="2027-03-10T12:00Z")


def test_now_is_meant_where_no_moment_is_named() -> None:
    past, future = "2001-01-01", "2999-01-01"
    labs = catalog(available_from=[past, future, UNKNOWN, UNKNOWN], available_until=[UNKNOWN, UNKNOWN, past, future])
    assert foldin.unavailable(labs) == ["lab1", "lab2"]


def test_what_cannot_be_had_is_left_out_of_a_recommendation(checkerboard: Interactions) -> None:
    ids = checkerboard.item_ids
    labs = Catalog(ids, {"hidden": ids_of(["yes" if item_id in ("i00", "i03") else "no" for item_id in ids])})
    recommender = foldin.fit(checkerboard, estimator=foldin.models.EASE(l2=1), catalog=labs)
    ranking = recommender.recommend(k=12, exclude=foldin.unavailable(labs))
    assert {one.item_id for one in ranking} == set(ids) - {"i00", "i03"}


def test_all_three_count_together() -> None:
    def season(at: datetime, hidden: str) -> bool:
        return gone(at, available_from="2027-03-01", available_until="2027-04-01", hidden=hidden)

    assert not season(NOON, "no")
    assert season(NOON, "yes")
    assert season(NOON - timedelta(days=20), "no")
    assert season(NOON + timedelta(days=30), "no")


def test_the_items_gone_are_named_in_the_catalogues_order() -> None:
    labs = catalog(
        hidden=["no", "yes", UNKNOWN, UNKNOWN, "yes"],
        available_from=[UNKNOWN, UNKNOWN, "2028-01-01", "2026-01-01", "2028-01-01"],
        available_until=["2027-01-01", UNKNOWN, UNKNOWN, "2027-12-31", UNKNOWN],
    )
    assert unavailable(labs, NOON) == ["lab0", "lab1", "lab2", "lab4"]


@pytest.mark.parametrize(
    ("field", "cell", "problem"),
    [
        (HIDDEN, "maybe", "'maybe' is neither true nor false"),
        (AVAILABLE_FROM, "soon", "'soon' is no date or time such as 2027-01-31"),
        (AVAILABLE_UNTIL, "2027-02-30", "'2027-02-30' is no date or time"),
        (AVAILABLE_UNTIL, "31.01.2027", "'31.01.2027' is no date or time"),
    ],
)
def test_a_cell_that_cannot_be_understood_is_named_with_its_item(field: str, cell: str, problem: str) -> None:
    with pytest.raises(DataError, match=f"field '{field}': item 'lab1': {problem}") as caught:
        unavailable(catalog(**{field: [UNKNOWN, cell]}), NOON)
    assert caught.value.field == field


@pytest.mark.parametrize("cell", ["0001-01-01", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00+14:00"])
def test_the_ends_of_the_calendar(cell: str) -> None:
    assert gone(available_from=cell) == cell.startswith("9")
