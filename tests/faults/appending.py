"""A program that appends from eight threads, and reports every batch once the call that stored it has returned.

Arguments: the URL of a store, a name for the batches, and how many each thread appends (for ever without).
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count, cycle

from foldin.store.writer import Writer
from tests.faults.batches import batch_of

THREADS = 8
SIZES = 1, 1, 7, 1, 1, 50, 1, 1000


def main(url: str, name: str, most: int | None) -> None:
    with Writer(url) as writer, ThreadPoolExecutor(THREADS) as threads:
        for done in [threads.submit(append, writer, f"{name}/{thread}", most) for thread in range(THREADS)]:
            done.result()


def append(writer: Writer, name: str, most: int | None) -> None:
    for number, size in zip(count() if most is None else range(most), cycle(SIZES), strict=False):
        batch = f"{name}/{number}"
        writer.append(batch_of(batch, size))
        # one call of the system each: a line is reported whole or not at all
        os.write(sys.stdout.fileno(), f"{batch}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None)
