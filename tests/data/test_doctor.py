from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from foldin.data.diagnosis import Bar, Duplicates, Spread
from foldin.data.doctor import Diagnosis, as_json, examine
from foldin.errors import DataError

MESSY = """who,product_id,rating,timestamp,colour
ann,a,5,2020-01-01T00:00:00Z,red
ann,b,4,2020-01-02T00:00:00,red
ann,b,4,2020-01-02T00:00:00,blue
Ann,a,,2020-01-03T00:00:00Z,red
bo\tb,a,3,2020-01-03T00:00:00Z,red
bob,a,3,2020-01-03T00:00:00Z,red
bob,A,3,,red
bob,c,nan,2020-01-03T00:00:00Z,red
bob,c,nan,2020-01-03T00:00:00Z,red
cat,c
e\u0301,c,1,2020-01-03T00:00:00Z,red
\u00e9,c,1,2020-01-03T00:00:00Z,red
"""


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    path = tmp_path_factory.mktemp("doctor") / "messy.csv"
    path.write_text(MESSY, encoding="utf-8")
    return examine(path, user="who")


def test_how_the_columns_were_taken(messy: Diagnosis) -> None:
    assert messy.columns == {"user": "who", "item": "product_id", "value": "rating", "time": "timestamp"}
    assert messy.other_columns == ("colour",)
    assert [Path(file).name for file in messy.files] == ["messy.csv"]


def test_the_sizes(messy: Diagnosis) -> None:
    assert (messy.rows, messy.events) == (12, 8)
    assert (messy.users, messy.items, messy.pairs) == (4, 4, 6)
    assert messy.density == pytest.approx(6 / 16)
    assert messy.per_user == Spread(1, 2.0, 2.0, 2.7, 3)
    assert messy.few_users == messy.few_items == 1.0


def test_the_values(messy: Diagnosis) -> None:
    assert messy.values is not None
    assert messy.values.looks_like == "ratings"
    assert (messy.values.minimum, messy.values.maximum, messy.values.missing) == (1.0, 5.0, 1)
    assert messy.values.histogram == (Bar(1, 1, 2), Bar(3, 3, 2), Bar(4, 4, 2), Bar(5, 5, 1))


def test_the_times(messy: Diagnosis) -> None:
    assert messy.times is not None
    assert (messy.times.first, messy.times.last) == ("2020-01-01T00:00:00+00:00", "2020-01-03T00:00:00+00:00")
    assert (messy.times.missing, messy.times.naive) == (1, 2)


def test_duplicates_are_rows_and_pairs(messy: Diagnosis) -> None:
    assert messy.duplicates == Duplicates(rows=2, pairs=2)


def test_rows_without_a_value_repeat_each_other() -> None:
    found = examine(
        pd.DataFrame({"user": ["a"] * 3, "item": ["x"] * 3, "value": pd.array([None, None, 1], dtype="Int64")})
    )
    assert found.duplicates == Duplicates(rows=1, pairs=2)


def test_bad_rows_are_counted_by_reason_with_an_example(messy: Diagnosis) -> None:
    found = {(bad.field, bad.count, bad.example.row) for bad in messy.bad_rows}
    assert found == {("rating", 2, 9), ("who", 1, 6), (None, 1, 11)}
    assert messy.bad_rows[0].count == 2


def test_ids_that_are_nearly_the_same(messy: Diagnosis) -> None:
    assert messy.alike_users.examples == (("Ann", "ann"),)
    assert messy.alike_items.examples == (("A", "a"),)


def test_warnings_come_most_serious_first(messy: Diagnosis) -> None:
    told = [next(i for i, text in enumerate(messy.warnings) if word in text) for word in (
        "cannot be taken: 4 of 12", "time zone: 2", "user ids that differ", "item ids that differ",
        "100% of the users", "repeat another exactly: 2", "look like ratings (1 to 5", "NFC",
    )]  # fmt: skip
    assert told == sorted(told)


def test_it_is_plain_json(messy: Diagnosis) -> None:
    plain = as_json(messy)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["duplicates"] == {"rows": 2, "pairs": 2}


def test_a_clean_log_has_no_warning() -> None:
    users, items = np.meshgrid(np.arange(10), np.arange(10))
    found = examine(pd.DataFrame({"user": users.ravel(), "item": items.ravel()}))
    assert found.warnings == ()
    assert found.values is None
    assert found.times is None
    assert found.density == 1.0
    assert as_json(found)["values"] is None


def test_a_given_zone_is_not_warned_of(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item,time\na,x,2020-07-01T12:00:00\n")
    without, given = examine(tmp_path / "log.csv"), examine(tmp_path / "log.csv", timezone="Europe/Berlin")
    assert given.times is not None
    assert given.times.first == "2020-07-01T10:00:00+00:00"
    assert any("time zone" in text for text in without.warnings)
    assert not any("time zone" in text for text in given.warnings)


def test_a_user_far_beyond_the_rest_is_likely_a_bot() -> None:
    counts = {f"u{number}": 5 for number in range(2_000)} | {"crawler": 600}
    users = np.repeat(list(counts), list(counts.values()))
    found = examine(pd.DataFrame({"user": users, "item": np.arange(len(users)) % 50}))
    assert [(bot.user_id, bot.events) for bot in found.bots] == [("crawler", 600)]
    assert any("crawler" in text for text in found.warnings)


def test_a_superhuman_rate_is_likely_a_bot() -> None:
    hasty = pd.DataFrame({"user": "hasty", "item": np.arange(1_500), "time": 1_500_000_000 + np.arange(1_500)})
    patient = pd.DataFrame({"user": "patient", "item": np.arange(1_500), "time": 3_600 * np.arange(1_500)})
    busy = [pd.DataFrame({"user": name, "item": np.arange(600), "time": 1_500_000_000}) for name in ("hal", "han")]
    found = examine(pd.concat([hasty, patient, *busy]))
    assert [bot.user_id for bot in found.bots] == ["hasty"]
    assert "within an hour" in found.bots[0].reason


@pytest.mark.parametrize(
    ("values", "meaning"),
    [
        ([1, 2, 3, 4, 5], "ratings"),
        ([0.5, 1.0, 5.0], "ratings"),
        ([0, 1, 1, 0], "ratings"),
        ([0, 1, 2, 2], "ratings"),
        ([-1, 1, 1], "ratings"),
        (np.linspace(-10, 10, 60).tolist(), "ratings"),
        (list(range(101)), "ratings"),
        ([1, 1, 1, 2, 3], "amounts"),
        ([1, 40, 352_698], "amounts"),
        ([0.37, 2.5, 1.1], "amounts"),
        ([-1, *range(1, 12)], "amounts"),
        ([*range(1, 60), *[1, 2, 3] * 30], "amounts"),
        ([-80_995, *range(1, 30), 80_995], "amounts"),
        ([1, 1, 1], "constant"),
    ],
)
def test_what_the_values_look_like(values: list[float], meaning: str) -> None:
    found = examine(pd.DataFrame({"user": "a", "item": range(len(values)), "value": values}))
    assert found.values is not None
    assert found.values.looks_like == meaning
    assert sum(bar.count for bar in found.values.histogram) == len(values)


def test_many_amounts_fall_into_bars_that_hold_them_all() -> None:
    values = np.geomspace(1, 1e5, 200)
    found = examine(pd.DataFrame({"user": "a", "item": range(200), "plays": values}))
    assert found.values is not None
    bars = found.values.histogram
    assert sum(bar.count for bar in bars) == 200
    assert bars[0].low == 1.0
    assert bars[-1].high == pytest.approx(1e5)


def test_the_memory_for_training() -> None:
    found = examine(pd.DataFrame({"user": ["a", "b", "a"], "item": [1, 2, 1]}))
    assert found.memory.matrix == 2 * 8 + 3 * 4
    assert found.memory.linear == 2 * 2 * 4
    parameters = 3 * 128 + 129 * 64 + 65 * 128 + 129 * 2
    assert found.memory.network == 4 * 4 * parameters


def test_a_catalogue_too_large_for_a_linear_model_is_warned_of() -> None:
    found = examine(pd.DataFrame({"user": np.arange(300_000) % 7, "item": np.arange(300_000)}))
    assert found.memory.linear == 300_000**2 * 4
    assert (found.memory.linear > found.memory.available) == any("take a network" in text for text in found.warnings)


def test_a_log_of_bad_rows_only_is_described() -> None:
    found = examine(pd.DataFrame({"user": ["", " "], "item": ["x", "y"]}))
    assert (found.rows, found.events, found.users) == (2, 0, 0)
    assert "nothing to learn from" in found.warnings[1]
    json.dumps(as_json(found))


def test_kinds_are_counted() -> None:
    found = examine(pd.DataFrame({"user": "a", "item": range(4), "event": ["view", "buy", "view", None]}))
    assert found.kinds == {"buy": 1, "view": 2}


def test_broken_json_lines_are_counted(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"user": 1, "item": 2}\n[1]\n{\n[2]\n')
    found = examine(tmp_path / "log.jsonl")
    assert sorted(bad.count for bad in found.bad_rows) == [1, 2]


def test_what_is_no_log_still_raises(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("foo,bar\n1,x\n")
    with pytest.raises(DataError, match="no column is called like a user"):
        examine(tmp_path / "log.csv")
