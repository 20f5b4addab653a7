"""A program that ingests one large batch.

Arguments: the URL of a store, the name of the batch, and how many events it has.
"""

from __future__ import annotations

import sys

from foldin.store.opening import open_store
from tests.faults.batches import batch_of

if __name__ == "__main__":
    url, name, size = sys.argv[1:]
    with open_store(url) as store:
        store.ingest([batch_of(name, int(size))])
