"""Batches that say of themselves how large they are, so that a torn, a lost or a doubled one is seen."""

from __future__ import annotations

import numpy as np

from foldin.data.catalog import ids_of
from foldin.data.interactions import Interactions
from foldin.store.contract import Batch

__all__ = ["batch_of", "name_of", "names", "torn"]


def batch_of(name: str, size: int, *, source: str = "faults") -> Batch:
    """As many events: the item is the name of the batch, the value its size, and every event has an id."""
    users = sorted(f"user {number}" for number in range(size))
    codes = np.arange(size, dtype=np.int32)
    log = Interactions(
        ids_of(users),
        codes,
        ids_of([name]),
        np.zeros(size, dtype=np.int32),
        values=np.full(size, size, dtype=np.float32),
        times=codes.astype(np.int64),
    )
    return Batch(log, source, event_ids=[f"{name}/{number}" for number in range(size)])


def name_of(batch: Batch) -> str:
    """The name a batch was made with."""
    return str(batch.log.item_ids[0])


def names(log: Interactions) -> set[str]:
    """The batches of which anything is there."""
    return set(log.item_ids.tolist())


def torn(log: Interactions) -> list[str]:
    """The batches that are not there whole and once."""
    if log.values is None:
        return []
    counts = np.bincount(log.item_codes, minlength=len(log.item_ids))
    sizes = np.zeros(len(log.item_ids))
    sizes[log.item_codes] = log.values
    listed: list[str] = log.item_ids[counts != sizes].tolist()
    return listed
