"""Seconds per epoch of the autoencoder with one and with two threads, by the number of items.

`python -m benchmarks.threads`, in a quiet moment: it says from which size on a second thread pays, on which
`WORTH_SHARING` in training/threads.py rests.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from scipy.sparse import csr_array

from benchmarks.worlds import skewed_histories
from foldin.models.autoencoder import AutoEncoder
from foldin.training import threads as rule

USERS, PER_USER = 2_000, 30
EPOCHS, ROUNDS = 3, 4
SIZES = ((252, 64), (500, 64), (1_000, 64), (2_000, 64), (3_500, 64), (3_500, 512))
"""Items, and users in a batch."""


def main() -> None:
    rule.WORTH_SHARING = 0
    print(f"{'items':>6} {'batch':>6} {'1 thread':>10} {'2 threads':>10} {'1 / 2':>7}")
    for items, batch in SIZES:
        histories = skewed_histories(USERS, items, PER_USER)
        times = [[epoch_seconds(histories, batch, threads) for threads in (1, 2)] for _ in range(ROUNDS)]
        one, two = (min(of_threads) for of_threads in zip(*times, strict=True))
        print(f"{items:6} {batch:6} {one:8.3f} s {two:8.3f} s {one / two:7.2f}", flush=True)


def epoch_seconds(histories: csr_array, batch: int, threads: int) -> float:
    """The shortest epoch of a short training."""
    torch.set_num_threads(threads)
    ends: list[float] = [time.perf_counter()]
    estimator = AutoEncoder(epochs=EPOCHS, batch_size=batch)
    estimator.fit(histories, on_epoch=lambda _: ends.append(time.perf_counter()))
    return float(np.diff(ends)[1:].min())  # the first holds the preparations


if __name__ == "__main__":
    main()
