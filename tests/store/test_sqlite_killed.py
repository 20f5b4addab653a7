"""A writer that is killed leaves whole batches behind, among them every one whose append had returned."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import apsw

from foldin.store.sqlite import SqliteStore

BATCH = 20_000

APPEND_FOR_EVER = f"""
import sys
from itertools import count
from pathlib import Path
import numpy as np
from foldin.data.catalog import ids_of
from foldin.data.interactions import Interactions
from foldin.store.contract import Batch
from foldin.store.sqlite import SqliteStore

users, items = ids_of(sorted(f"user {{n}}" for n in range(500))), ids_of(["x"])
log = Interactions(users, np.arange({BATCH}, dtype=np.int32) % 500, items, np.zeros({BATCH}, dtype=np.int32))
with SqliteStore(Path(sys.argv[1])) as store:
    for number in count():
        print("begun", f"{{sys.argv[2]}} {{number}}", flush=True)
        store.ingest([Batch(log, f"{{sys.argv[2]}} {{number}}")])
        print("stored", f"{{sys.argv[2]}} {{number}}", flush=True)
"""


def killed_writer(path: Path, name: str, after: float) -> list[str]:
    """Kills a writer that long after it began its second batch; the batches it had reported as stored."""
    writer = subprocess.Popen([sys.executable, "-c", APPEND_FOR_EVER, path, name], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    lines = [writer.stdout.readline() for _ in range(3)]
    time.sleep(after)
    writer.kill()
    lines += writer.stdout.read().splitlines()
    writer.wait()
    writer.stdout.close()
    return [line.removeprefix("stored ").strip() for line in lines if line.startswith("stored ")]


def test_no_batch_is_torn_and_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    SqliteStore(path, create=True).close()
    for kill, after in enumerate((0.0, 0.01, 0.02, 0.04, 0.08)):
        stored = killed_writer(path, f"kill {kill}", after)
        with SqliteStore(path) as store:
            sources = store.sources()
            assert set(sources.values()) == {BATCH}
            assert set(stored) <= set(sources)
            assert len(store.interactions()) == store.summary().events == BATCH * len(sources)
    connection = apsw.Connection(str(path))
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("SELECT next FROM arrivals").fetchall() == [(BATCH * len(sources),)]
    connection.close()
