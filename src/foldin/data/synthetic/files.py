"""The world as files: CSV for what the provider knows, safetensors for the truth."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from foldin.data.catalog import Attributes, ids_of
from foldin.data.files import replaced
from foldin.data.interactions import Ids, Interactions
from foldin.data.synthetic.world import Truth, World
from foldin.errors import ConfigurationError, DataError

__all__ = ["read_truth", "write_world"]

ROWS_AT_ONCE = 100_000  # of a log turned into text


def write_world(world: World, folder: Path | str) -> None:
    """Writes events.csv, ratings.csv, items.csv, users.csv and truth.safetensors, each whole or not at all.

    Times are ISO 8601, UTC. The folder is made where it is missing; files of these names in it are replaced.

    Raises:
        ConfigurationError: the folder cannot be written to.
    """
    folder = Path(folder)
    with _writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _write_csv(folder / "events.csv", ("user", "item", "kind", "timestamp"), _event_rows(world.events))
        _write_csv(folder / "ratings.csv", ("user", "item", "rating", "timestamp"), _rating_rows(world.ratings))
        _write_table(folder / "items.csv", "item", world.catalog.item_ids, world.catalog.attributes)
        _write_table(folder / "users.csv", "user", world.profiles.user_ids, world.profiles.attributes)
        _write_truth(folder / "truth.safetensors", world.truth)


def read_truth(file: Path | str) -> Truth:
    """The truth of a simulated world.

    Raises:
        DataError: the file is not there, is damaged, or holds something else.
    """
    try:
        with safe_open(file, framework="numpy") as stored:
            ids = json.loads((stored.metadata() or {})["ids"])
            truth = Truth(_ids(ids["user_ids"]), _ids(ids["item_ids"]), stored.get_tensor("affinity"))
        if ids["sha256"] != _sha256(truth):
            raise ValueError("it has changed since it was written")
    except OSError as error:
        raise DataError(f"the truth cannot be read: {error.strerror or error}", file=str(file)) from error
    except KeyError as missing:
        raise DataError(f"no {missing} in it, so it is no simulated truth", file=str(file)) from missing
    except (SafetensorError, ValueError, TypeError) as error:
        raise DataError(f"the truth is damaged ({error}); simulate it again", file=str(file)) from error
    _check_truth(truth, str(file))
    return truth


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"cannot write to {folder}: {error.strerror or error}") from error


def _write_csv(file: Path, header: Sequence[str], rows: Iterable[Sequence[str | None]]) -> None:
    with replaced(file) as draft, draft.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _write_table(file: Path, name: str, ids: Ids, attributes: Attributes) -> None:
    _write_csv(file, (name, *attributes), zip(ids, *attributes.values(), strict=True))


def _event_rows(log: Interactions) -> Iterator[tuple[str, ...]]:
    assert log.kind_names is not None
    assert log.kind_codes is not None
    for rows in _chunks(len(log)):
        yield from zip(*_columns(log, rows, log.kind_names[log.kind_codes[rows]]), strict=True)


def _rating_rows(log: Interactions) -> Iterator[tuple[str, ...]]:
    assert log.values is not None
    for rows in _chunks(len(log)):
        yield from zip(*_columns(log, rows, ids_of(f"{value:g}" for value in log.values[rows])), strict=True)


def _chunks(length: int) -> Iterator[slice]:
    return (slice(start, start + ROWS_AT_ONCE) for start in range(0, length, ROWS_AT_ONCE))


def _columns(log: Interactions, rows: slice, middle: Ids) -> tuple[Iterable[str], ...]:
    return log.user_ids[log.user_codes[rows]], log.item_ids[log.item_codes[rows]], middle, _iso_times(log, rows)


def _iso_times(log: Interactions, rows: slice) -> Iterable[str]:
    assert log.times is not None
    times = log.times[rows].astype("datetime64[us]")
    return map(str, np.datetime_as_string(times, unit="s", timezone="UTC", casting="unsafe"))


def _write_truth(file: Path, truth: Truth) -> None:
    ids = {"user_ids": list(truth.user_ids), "item_ids": list(truth.item_ids), "sha256": _sha256(truth)}
    with replaced(file) as draft:
        # safetensors writes several entries of metadata in no fixed order, and strided arrays wrongly
        save_file({"affinity": np.ascontiguousarray(truth.affinity)}, draft, metadata={"ids": json.dumps(ids)})


def _sha256(truth: Truth) -> str:
    digest = hashlib.sha256(json.dumps([list(truth.user_ids), list(truth.item_ids)]).encode())
    digest.update(np.ascontiguousarray(truth.affinity).data)
    return digest.hexdigest()


def _ids(listed: object) -> Ids:
    if not isinstance(listed, list) or not all(isinstance(entry, str) for entry in listed):
        raise ValueError("its ids are not a list of texts")
    return ids_of(listed)


def _check_truth(truth: Truth, file: str) -> None:
    shape = (len(truth.user_ids), len(truth.item_ids))
    if truth.affinity.shape != shape or truth.affinity.dtype != np.float32:
        found = f"{truth.affinity.dtype} {truth.affinity.shape}"
        raise DataError(f"found {found}, its ids need float32 {shape}", file=file, field="affinity")
    if not np.isfinite(truth.affinity).all():
        raise DataError("some numbers are not finite; simulate it again", file=file, field="affinity")
    for field, ids in (("user_ids", truth.user_ids), ("item_ids", truth.item_ids)):
        if len(set(ids)) != len(ids):
            raise DataError("an id stands twice", file=file, field=field)
