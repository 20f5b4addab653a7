"""At a power failure nothing acknowledged is lost and no batch is torn, at whatever moment it comes.

What was not synchronised may be on the disk or not, sector by sector; see `losing_disk`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from random import Random
from typing import cast

import apsw
import pytest

from foldin.errors import StoreError
from foldin.store.contract import Ingested, Store
from foldin.store.opening import open_store
from foldin.store.sqlite import SqliteStore
from tests.faults.batches import batch_of, name_of, names, torn
from tests.faults.losing_disk import LosingDisk
from tests.faults.scale import rounds

CREATION = 40
"""More changes than the creation of a store makes, of which the power fails at any."""

LATEST = 3_000
"""The last of the changes at which the power fails; by then the log has been checkpointed several times."""

SIZES = 1, 1, 1, 1, 7, 50, 1500


@contextmanager
def power(fails_at: int) -> Iterator[LosingDisk]:
    disk = LosingDisk(fails_at)
    try:
        yield disk
    finally:
        disk.unregister()


def worked(url: str, random: Random, synchronous: str | None) -> Iterator[str]:
    """Appends until the power fails, and closes and opens the store now and then; gives what was acknowledged."""
    for session in count():
        with open_store(url, create=True) as store:
            if synchronous is not None:
                cast("SqliteStore", store)._connection.pragma("synchronous", synchronous)
            for call in range(random.randint(1, 60)):
                yield from appended(store, random, f"{session}/{call}")


def appended(store: Store, random: Random, name: str) -> list[str]:
    batches = [batch_of(f"{name}/{number}", random.choice(SIZES)) for number in range(random.randint(1, 3))]
    results = store.append(batches)
    return [name_of(batch) for batch, result in zip(batches, results, strict=True) if isinstance(result, Ingested)]


def crashed(folder: Path, fails_at: int, random: Random, synchronous: str | None = None) -> set[str]:
    """What had been acknowledged when the power failed; what is found when it is back is in `folder`/after."""
    before, after = folder / "before", folder / "after"
    before.mkdir(parents=True)
    after.mkdir()
    acknowledged = set[str]()
    with power(fails_at) as disk:
        with pytest.raises(StoreError, match="the power has failed"):
            acknowledged.update(worked(url_in(before), random, synchronous))
        disk.left_behind(after, random)
    return acknowledged


def url_in(folder: Path) -> str:
    return f"sqlite:///{folder}/store.sqlite"


def found(folder: Path) -> set[str]:
    """The batches that are there; the file is sound, none of them is torn, and the store goes on working."""
    url = url_in(folder / "after")
    with open_store(url, create=True) as store:
        log = store.interactions()
        assert torn(log) == []
        assert store.summary().events == store.summary().position == len(log)
        assert isinstance(store.append([batch_of("after", 3)])[0], Ingested)
    connection = apsw.Connection(str(folder / "after" / "store.sqlite"))
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    return names(log)


@pytest.mark.parametrize("seed", range(rounds(300, 15)))
def test_nothing_acknowledged_is_lost(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    acknowledged = crashed(tmp_path, random.randint(CREATION, LATEST), random)
    assert acknowledged <= found(tmp_path)


@pytest.mark.parametrize("fails_at", range(1, CREATION + 1))
def test_a_store_is_created_whole_or_can_be_created_again(tmp_path: Path, fails_at: int) -> None:
    for seed in range(rounds(10)):
        folder = tmp_path / str(seed)
        assert crashed(folder, fails_at, Random(seed)) <= found(folder)


def test_the_harness_sees_what_is_lost_without_synchronisation(tmp_path: Path) -> None:
    lost, most = 0, rounds(150, 8)
    for seed in range(most):
        random, folder = Random(seed), tmp_path / str(seed)
        acknowledged = crashed(folder, random.randint(CREATION, LATEST), random, synchronous="normal")
        lost += not acknowledged <= found(folder)
    assert lost > most // 2
