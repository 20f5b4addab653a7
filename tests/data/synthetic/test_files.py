from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from foldin.data.synthetic import World, read_truth, simulate, write_world
from foldin.errors import ConfigurationError, DataError


@pytest.fixture(scope="module")
def small() -> World:
    return simulate(users=50, items=24, seed=1)


@pytest.fixture
def folder(small: World, tmp_path: Path) -> Path:
    write_world(small, tmp_path / "a" / "world")
    return tmp_path / "a" / "world"


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def flip(file: Path, place: int) -> None:
    damaged = bytearray(file.read_bytes())
    damaged[place] ^= 1
    file.write_bytes(bytes(damaged))


def microseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000


def test_a_world_is_five_files(folder: Path) -> None:
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["events.csv", "items.csv", "ratings.csv", "truth.safetensors", "users.csv"]


def test_events_are_written_as_they_are(small: World, folder: Path) -> None:
    log, rows = small.events, rows_of(folder / "events.csv")
    assert log.kind_names is not None
    assert log.times is not None
    assert list(rows[0]) == ["user", "item", "kind", "timestamp"]
    assert [row["user"] for row in rows] == list(log.user_ids[log.user_codes])
    assert [row["item"] for row in rows] == list(log.item_ids[log.item_codes])
    assert [row["kind"] for row in rows] == list(log.kind_names[log.kind_codes])
    assert [microseconds(row["timestamp"]) for row in rows] == log.times.tolist()


def test_ratings_are_written_as_they_are(small: World, folder: Path) -> None:
    log, rows = small.ratings, rows_of(folder / "ratings.csv")
    assert log.values is not None
    assert log.times is not None
    assert list(rows[0]) == ["user", "item", "rating", "timestamp"]
    assert [row["user"] for row in rows] == list(log.user_ids[log.user_codes])
    assert [row["item"] for row in rows] == list(log.item_ids[log.item_codes])
    assert {row["rating"] for row in rows} <= set("12345")
    assert [float(row["rating"]) for row in rows] == log.values.tolist()
    assert [microseconds(row["timestamp"]) for row in rows] == log.times.tolist()


def test_catalogue_and_profiles_are_written_as_they_are(small: World, folder: Path) -> None:
    items, users = rows_of(folder / "items.csv"), rows_of(folder / "users.csv")
    assert items == [{"item": lab_id, **small.catalog.item(at)} for at, lab_id in enumerate(small.catalog.item_ids)]
    names = small.profiles.attributes
    assert users == [
        {"user": name, **{key: names[key][at] or "" for key in names}}
        for at, name in enumerate(small.profiles.user_ids)
    ]


def test_the_truth_comes_back_bit_for_bit(small: World, folder: Path) -> None:
    truth = read_truth(folder / "truth.safetensors")
    assert truth.affinity.tobytes() == small.truth.affinity.tobytes()
    assert list(truth.user_ids) == list(small.truth.user_ids)
    assert list(truth.item_ids) == list(small.truth.item_ids)


def test_a_truth_of_every_second_item_is_written_right(small: World, tmp_path: Path) -> None:
    half = replace(small.truth, item_ids=small.truth.item_ids[::2], affinity=small.truth.affinity[:, ::2])
    write_world(replace(small, truth=half), tmp_path)
    assert np.array_equal(read_truth(tmp_path / "truth.safetensors").affinity, half.affinity)


def test_writing_again_replaces(small: World, folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "events.csv").write_text("old")
    write_world(small, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_that_is_a_file_is_refused(small: World, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(ConfigurationError, match=r"cannot write to .*taken"):
        write_world(small, tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(small: World, folder: Path) -> None:
    (folder / "users.csv").unlink()
    (folder / "users.csv").mkdir()  # cannot be replaced by a file
    with pytest.raises(ConfigurationError, match="cannot write"):
        write_world(small, folder)
    assert (folder / "users.csv").is_dir()
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_a_cut_truth_is_refused(folder: Path, length: int) -> None:
    file = folder / "truth.safetensors"
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(DataError, match=r"truth\.safetensors: .*damaged"):
        read_truth(file)


@pytest.mark.parametrize(
    "where", [b"user_ids", b'\\"nle', b"HOL-2002", b"sha256", b"F32", b"affinity", b"50,24", b"__meta"]
)
def test_a_flipped_bit_in_the_head_of_the_truth_is_refused(folder: Path, where: bytes) -> None:
    file = folder / "truth.safetensors"
    flip(file, file.read_bytes().index(where) + 2)
    with pytest.raises(DataError, match=r"truth\.safetensors"):
        read_truth(file)


@pytest.mark.parametrize("place", [0, 8, 40, 200, -1, -2000])
def test_a_flipped_bit_in_the_truth_is_refused(folder: Path, place: int) -> None:
    file = folder / "truth.safetensors"
    flip(file, place)
    with pytest.raises(DataError, match=r"truth\.safetensors"):
        read_truth(file)


def test_a_truth_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.safetensors: the truth cannot be read"):
        read_truth(tmp_path / "nowhere.safetensors")


IDS = {"user_ids": ["a", "b"], "item_ids": ["x", "y", "z"], "sha256": ""}


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        (None, "no 'ids' in it"),
        ({"ids": "{"}, "damaged"),
        ({"ids": "[]"}, "damaged"),
        ({"ids": "{}"}, "no 'user_ids' in it"),
        ({"ids": json.dumps({**IDS, "user_ids": [1, 2]})}, "not a list of texts"),
        ({"ids": json.dumps(IDS)}, "changed since it was written"),
    ],
)
def test_arrays_of_something_else_are_refused(metadata: dict[str, str] | None, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "other.safetensors"
    save_file({"affinity": np.zeros((2, 3), dtype=np.float32)}, file, metadata=metadata)
    with pytest.raises(DataError, match=reason):
        read_truth(file)


def test_a_truth_that_does_not_fit_its_ids_is_refused(small: World, tmp_path: Path) -> None:
    truth = small.truth
    for affinity, ids, reason in (
        (truth.affinity[1:], truth.user_ids, r"found float32 \(49, 24\), its ids need float32 \(50, 24\)"),
        (truth.affinity[:, 1:], truth.user_ids, r"\(50, 23\)"),
        (np.full_like(truth.affinity, np.nan), truth.user_ids, "not finite"),
        (truth.affinity, np.full_like(truth.user_ids, "a"), "an id stands twice"),
    ):
        write_world(replace(small, truth=replace(truth, affinity=affinity, user_ids=ids)), tmp_path)
        with pytest.raises(DataError, match=reason):
            read_truth(tmp_path / "truth.safetensors")
