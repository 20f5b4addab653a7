"""Several processes on one store: nobody is locked out, all is there, and every reading is of one moment."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from foldin.store.contract import Store
from foldin.store.opening import open_store
from tests.faults.batches import names, torn
from tests.faults.programs import started
from tests.faults.scale import rounds

IMPORTED = rounds(100_000, 20_000)
THREADS = 8
APPENDED = rounds(300, 12)
"""Batches that each of the threads appends."""


def readings(store: Store, programs: list[subprocess.Popen[str]]) -> Iterator[set[str]]:
    """The batches that are there, again and again as long as a program runs, and once more."""
    running = True
    while running:
        running = any(program.poll() is None for program in programs)
        log = store.interactions()
        assert torn(log) == []
        yield names(log)


def test_a_writer_an_import_and_a_reader_do_not_disturb_each_other(url: str, tmp_path: Path) -> None:
    seen = set[str]()
    with (
        (tmp_path / "reports").open("w") as reports,
        started("appending", url, "appended", str(APPENDED), output=reports) as appending,
        started("importing", url, "imported", str(IMPORTED)) as importing,
        open_store(url) as store,
    ):
        for present in readings(store, [appending, importing]):
            assert seen <= present
            seen = present
        assert (appending.returncode, importing.returncode) == (0, 0)
        assert store.summary().events == len(store.interactions())
    reported = set((tmp_path / "reports").read_text().splitlines())
    assert len(reported) == APPENDED * THREADS
    assert seen == reported | {"imported"}
