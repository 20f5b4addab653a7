from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from foldin.data.readers import read, read_events
from foldin.errors import DataError

HEADERS = {
    "user": ["user", "User", "USER_ID", "userId", "user id", "uid", "visitorid", "customer_id", "person", "user_name"],
    "item": ["item", "itemId", "item_id", "movieId", "product_id", "track_id", "lab", "ASIN"],
    "kind": ["kind", "event", "event_type", "action", "behavior"],
    "value": ["value", "rating", "score", "stars", "count", "plays", "n", "quantity", "weight"],
    "time": ["time", "timestamp", "ts", "date", "datetime", "created_at", "event_time"],
}
CELLS = {"user": "a", "item": "b", "kind": "view", "value": "1", "time": "5"}


@pytest.mark.parametrize("turn", range(max(map(len, HEADERS.values()))))
def test_usual_names(tmp_path: Path, turn: int) -> None:
    names = {role: names[turn % len(names)] for role, names in HEADERS.items()}
    (tmp_path / "log.csv").write_text(",".join(names.values()) + ",other\n" + ",".join(CELLS.values()) + ",z\n")
    assert read_events(tmp_path / "log.csv", skip_bad=True).columns == names


def test_a_plain_name_is_preferred_to_a_longer_one() -> None:
    frame = pd.DataFrame({"user_name": ["Ann"], "user_id": ["1"], "item": ["x"], "product_id": ["y"]})
    assert read_events(frame, skip_bad=True).columns == {"user": "user_id", "item": "item"}


def test_two_columns_that_fit_equally_are_refused_with_the_option_to_give() -> None:
    frame = pd.DataFrame({"user": ["a"], "item": ["b"], "rating": [1], "plays": [2]})
    with pytest.raises(DataError, match=r"'rating' and 'plays' .* name it with value / --value"):
        read(frame)
    assert read_events(frame, value="plays", skip_bad=True).columns["value"] == "plays"


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item,user\na,b,c\n")
    with pytest.raises(DataError, match="the column 'user' more than once"):
        read(tmp_path / "log.csv")


def test_a_named_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("who,who,item\na,b,c\n")
    with pytest.raises(DataError, match="the header has the column 'who' more than once"):
        read(tmp_path / "log.csv", user="who")


def test_no_fitting_column_names_the_columns_and_the_option() -> None:
    with pytest.raises(DataError, match=r"'foo', 'item'; name it with user / --user"):
        read(pd.DataFrame({"foo": ["a"], "item": ["b"]}))


def test_a_named_column_that_is_not_there_lists_the_columns() -> None:
    with pytest.raises(DataError, match="no column 'who' for user; the columns are 'user', 'item'"):
        read(pd.DataFrame({"user": ["a"], "item": ["b"]}), user="who")


def test_files_must_have_the_same_roles(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user,item\na,b\n")
    (tmp_path / "b.csv").write_text("user,item,rating\na,b,1\n")
    with pytest.raises(DataError, match=r"a\.csv.*no column for the value, which .*b\.csv has"):
        read(str(tmp_path / "*.csv"))


def test_a_missing_header_is_named(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("1,2,3\n4,5,6\n")
    with pytest.raises(DataError, match=r"the names of the columns is missing"):
        read(tmp_path / "log.csv")
