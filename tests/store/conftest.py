from __future__ import annotations

import pytest


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> int:
    """Rows that are now written at a time, so that a log of several blocks need not be large."""
    for module in ("coded_events", "batches", "events", "repeats", "postgres.batches"):
        monkeypatch.setattr(f"foldin.store.{module}.BLOCK", 10_000)
    return 10_000
