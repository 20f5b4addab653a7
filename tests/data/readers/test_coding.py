from __future__ import annotations

import csv
import json
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foldin.data.identifiers import normalised, refusal
from foldin.data.interactions import Interactions
from foldin.data.readers import read
from foldin.errors import DataWarning

Pair = tuple[str, str]


def pairs_of(log: Interactions) -> Counter[Pair]:
    users, items = log.user_ids[log.user_codes], log.item_ids[log.item_codes]
    return Counter(zip(users.tolist(), items.tolist(), strict=True))


def read_quietly(source: object) -> Counter[Pair]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return pairs_of(read(source))


def as_csv(pairs: list[Pair], folder: Path) -> object:
    with (folder / "log.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("user", "item"), *pairs])
    return folder / "log.csv"


def as_json_lines(pairs: list[Pair], folder: Path) -> object:
    lines = [
        json.dumps({"user": digits_as_number(user), "item": item}, ensure_ascii=bool(row % 2))
        for row, (user, item) in enumerate(pairs)
    ]
    (folder / "log.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder / "log.jsonl"


def as_parquet(pairs: list[Pair], folder: Path) -> object:
    pl.DataFrame(pairs, schema=["user", "item"], orient="row").write_parquet(folder / "log.parquet")
    return folder / "log.parquet"


def as_pandas(pairs: list[Pair], _: Path) -> object:
    return pd.DataFrame(pairs, columns=["user", "item"])


def digits_as_number(text: str) -> str | int:
    return int(text) if text.isascii() and text.isdigit() and str(int(text)) == text else text


FORMATS: dict[str, Callable[[list[Pair], Path], object]] = {
    "CSV": as_csv,
    "JSON lines": as_json_lines,
    "Parquet": as_parquet,
    "pandas": as_pandas,
}
# letters that normalisation, JSON and quoting reorder: combining marks, signs below and above letters, non-BMP
LETTERS = "aAeoz19 \"'\\,!#/\u00e9\u0301\u0308\u0327\u212b\u1112\u1161\uffe0\U0001f600\U0001d15e"
IDS = st.text(LETTERS, min_size=1, max_size=4).filter(lambda text: refusal(text) is None)


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(IDS, IDS), min_size=1, max_size=8))
def test_every_event_keeps_its_user_and_its_item(tmp_path: Path, form: str, pairs: list[Pair]) -> None:
    expected = Counter((normalised(user), normalised(item)) for user, item in pairs)
    assert read_quietly(FORMATS[form](pairs, tmp_path)) == expected


def test_normalising_reorders_no_pairs(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item\ne\u0301,z1\nzed,z2\n", encoding="utf-8")
    assert read_quietly(tmp_path / "log.csv") == {("\u00e9", "z1"): 1, ("zed", "z2"): 1}


def test_decoding_json_reorders_no_pairs(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"user": "a b", "item": "x"}\n{"user": "a", "item": "y"}\n', encoding="utf-8")
    assert read_quietly(tmp_path / "log.jsonl") == {("a b", "x"): 1, ("a", "y"): 1}


def test_numbers_among_texts_reorder_no_pairs(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"user": "a", "item": "x"}\n{"user": 1, "item": "y"}\n', encoding="utf-8")
    assert read_quietly(tmp_path / "log.jsonl") == {("a", "x"): 1, ("1", "y"): 1}


def test_normalising_a_frame_reorders_no_pairs() -> None:
    frame = pd.DataFrame({"user": ["Zoe\u0308", "Zof", "A"], "item": ["x", "y", "z"]})
    assert read_quietly(frame) == {("Zo\u00eb", "x"): 1, ("Zof", "y"): 1, ("A", "z"): 1}
