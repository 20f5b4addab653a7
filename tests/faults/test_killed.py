"""A writer that is killed leaves whole batches behind, among them every one whose append had returned."""

from __future__ import annotations

from pathlib import Path
from random import Random

import apsw
import pytest

from foldin.store.contract import Ingested
from foldin.store.opening import open_store
from tests.faults.batches import batch_of, names, torn
from tests.faults.programs import started
from tests.faults.scale import rounds

KILLS = rounds(5, 3)
MOST_REPORTS = 150


def killed_writer(url: str, name: str, after: int) -> list[str]:
    """Kills a writer that has reported so many batches, and is at work on others; all it had reported."""
    with started("appending", url, name) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(after)]
        writer.kill()
        lines += writer.stdout.readlines()
    assert "" not in lines, "the writer ended before it was killed"
    return [line.rstrip("\n") for line in lines]


@pytest.mark.parametrize("seed", range(rounds(20, 1)))
def test_no_batch_is_torn_and_none_is_lost(url: str, seed: int) -> None:
    random, reported = Random(seed), set[str]()
    for kill in range(KILLS):
        reported.update(killed_writer(url, f"kill {kill}", random.randint(1, MOST_REPORTS)))
        with open_store(url) as store:
            log = store.interactions()
            assert torn(log) == []
            assert reported <= names(log)
            assert store.summary().events == len(log)
            # the killed writer may have stored one event only, so that two of the three users are new
            (after,) = store.append([batch_of(f"after {kill}", 3)])
            assert isinstance(after, Ingested)
            assert (after.events, after.new_items) == (3, 1)


@pytest.mark.parametrize("seed", range(rounds(10)))
def test_the_file_is_sound_after_a_kill(tmp_path: Path, seed: int) -> None:
    file = tmp_path / "store.sqlite"
    open_store(f"sqlite:///{file}", create=True).close()
    killed_writer(f"sqlite:///{file}", "killed", Random(seed).randint(1, MOST_REPORTS))
    connection = apsw.Connection(str(file))
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
