from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from foldin.data.doctor import examine
from foldin.data.readers import read
from foldin.errors import DataError, DataWarning

LOG = "User-ID,ISBN,Book-Rating,unixReviewTime\na,x,9,1600000000\nb,y,1,1600000001\n"


@pytest.fixture
def books(tmp_path: Path) -> Path:
    """A log whose value and time have unusual names."""
    (tmp_path / "books.csv").write_text(LOG)
    return tmp_path / "books.csv"


def test_columns_left_alone_are_named_and_those_that_look_like_a_role_asked_about(books: Path) -> None:
    with pytest.warns(DataWarning) as warned:
        read(books)
    assert [str(one.message) for one in warned] == [
        "columns left alone: Book-Rating, unixReviewTime; is 'Book-Rating' the value? --value Book-Rating takes it; "
        "is 'unixReviewTime' the time? --time unixReviewTime takes it"
    ]
    found = examine(books)
    assert found.other_columns == ("Book-Rating", "unixReviewTime")
    assert [warning for warning in found.warnings if warning.startswith("is ")] == [
        "is 'Book-Rating' the value? --value Book-Rating takes it",
        "is 'unixReviewTime' the time? --time unixReviewTime takes it",
    ]


def test_no_question_where_there_is_such_a_column_or_none_is_wanted(books: Path) -> None:
    with pytest.warns(DataWarning, match=r"^columns left alone: unixReviewTime$"):
        read(books, value="Book-Rating", time="none")


@pytest.mark.parametrize(("name", "role"), [("overall", "value"), ("my stars", "value"), ("reviewed_at", "time")])
def test_names_that_look_like_a_value_or_a_time(name: str, role: str) -> None:
    with pytest.warns(DataWarning, match=rf"is '{name}' the {role}\? --{role} "):
        read(pd.DataFrame({"user": ["a"], "item": ["x"], name: [1]}))


@pytest.mark.parametrize("name", ["starship", "playtime", "candidate", "format", "labels"])
def test_names_that_look_like_neither(name: str) -> None:
    with pytest.warns(DataWarning, match=f"^columns left alone: {name}$"):
        read(pd.DataFrame({"user": ["a"], "item": ["x"], name: [1]}))


@pytest.mark.parametrize(
    ("column", "cells", "role"),
    [("weight", ["9.5kg", "1kg"], "value"), ("date", ["soon", "late"], "time"), ("date", ["2020-01-01"] * 2, "time")],
)
def test_a_column_that_means_something_else_can_be_left_alone(column: str, cells: list[str], role: str) -> None:
    frame = pd.DataFrame({"user": ["a", "b"], "item": ["x", "y"], column: cells})
    way_out = rf"'{column}' was taken for the {role} by its name; {role}='none' / --{role} none leaves it alone"
    with pytest.raises(DataError, match=way_out):
        read(frame)
    assert way_out in examine(frame).warnings[0] or role == "time"
    with pytest.warns(DataWarning, match="left alone"):
        log = read(frame, kind="none", value="none", time="none")
    assert (log.values, log.times) == (None, None)


def test_a_single_bad_cell_is_no_reason_to_leave_a_column_alone() -> None:
    frame = pd.DataFrame({"user": ["a", "b"], "item": ["x", "y"], "weight": ["9.5kg", "1"]})
    with pytest.raises(DataError, match="the value is not a number; the row is"):
        read(frame)


def test_too_many_kinds_may_be_no_kinds() -> None:
    rows = [str(row) for row in range(128)]
    with pytest.raises(DataError, match=r"128 different kinds .*kind='none' / --kind none leaves it alone"):
        read(pd.DataFrame({"user": rows, "item": rows, "event": rows}))


def test_a_column_called_none_can_be_named() -> None:
    frame = pd.DataFrame({"user": ["a"], "item": ["x"], "none": [3.0], "rating": [4.0]})
    with pytest.warns(DataWarning, match="left alone: rating"):
        assert read(frame, value="none").values == [3.0]


def test_every_log_has_users_and_items() -> None:
    with pytest.raises(DataError, match="no column is called like a user"):
        read(pd.DataFrame({"user": ["a"], "item": ["x"]}), user="none")


def test_two_columns_of_one_name_cannot_be_told_apart_by_it(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item,rating,rating\na,x,1,2\n")
    with pytest.raises(DataError, match=r"the header has the column 'rating' more than once$"):
        read(tmp_path / "log.csv")
