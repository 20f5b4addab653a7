"""Several processes at work on one store, for every kind of store: nobody meets a lock, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys

from foldin.store.contract import Summary
from foldin.store.opening import open_store

APPENDS, OPENINGS = 120, 12
LOADED = 60_000

WRITE = f"""
import sys
import numpy as np
from foldin.data.catalog import ids_of
from foldin.data.interactions import Interactions
from foldin.store.contract import Batch
from foldin.store.opening import open_store

code = np.zeros(1, dtype=np.int32)
for opening in range({OPENINGS}):
    with open_store(sys.argv[1]) as store:
        for number in range({APPENDS // OPENINGS}):
            event = Interactions(ids_of([f"user {{number}}"]), code, ids_of(["x"]), code)
            (outcome,) = store.append([Batch(event, sys.argv[2], [f"{{sys.argv[2]}} {{opening}} {{number}}"])])
            assert outcome.events == 1, outcome
"""

READ = f"""
import sys
from foldin.store.opening import open_store

seen = -1
while seen < {2 * APPENDS}:
    with open_store(sys.argv[1]) as store:
        count = store.summary().events
        assert count >= seen and len(store.interactions()) >= count
        seen = count
"""

LOAD = f"""
import sys
import numpy as np
from foldin.data.catalog import ids_of
from foldin.data.interactions import Interactions
from foldin.store.contract import Batch
from foldin.store.opening import open_store

codes = np.arange({LOADED}, dtype=np.int32)
log = Interactions(ids_of(f"loaded {{n:04}}" for n in range(1000)), codes % 1000, ids_of(["y"]), codes * 0)
with open_store(sys.argv[1]) as store:
    assert store.ingest([Batch(log, "large")]).events == {LOADED}
"""


def started(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script, *arguments], stderr=subprocess.PIPE, text=True)


def test_two_write_single_events_while_a_third_reads(url: str) -> None:
    open_store(url, create=True).close()
    writers, reader = [started(WRITE, url, name) for name in ("one", "other")], started(READ, url)
    try:
        assert [writer.communicate()[1] for writer in writers] == [""] * 2
        assert reader.communicate()[1] == ""
    finally:
        reader.kill()  # it reads until all is there, which may not come
    with open_store(url) as store:
        assert store.sources() == {"one": APPENDS, "other": APPENDS}
        assert store.summary() == Summary(APPENDS // OPENINGS, 1, 2 * APPENDS, 2, None, None, 0, 2 * APPENDS)
        assert len(store.interactions()) == 2 * APPENDS


def test_single_events_wait_for_a_large_ingest(url: str) -> None:
    open_store(url, create=True).close()
    processes = [started(LOAD, url), started(WRITE, url, "one")]
    assert [process.communicate()[1] for process in processes] == [""] * 2
    with open_store(url) as store:
        assert store.sources() == {"large": LOADED, "one": APPENDS}
        assert len(store.interactions()) == store.summary().events == LOADED + APPENDS
