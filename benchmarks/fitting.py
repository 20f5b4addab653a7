"""EASE at 6,000 users x 3,500 items, against numpy.linalg.inv of the same Gram matrix."""

from __future__ import annotations

import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, load_npz, save_npz

from benchmarks.measuring import GIGABYTE, Figure, fastest, in_own_process, peak_memory
from benchmarks.worlds import skewed_histories
from foldin.models.ease import EASE

USERS, ITEMS, PER_USER = 6_000, 3_500, 117
L2 = 100.0
ROUNDS = 4


def figures() -> list[Figure]:
    histories = skewed_histories(USERS, ITEMS, PER_USER)
    gram = _penalised_gram(histories)
    ours, theirs = fastest(ROUNDS, lambda: EASE(L2).fit(histories), lambda: np.linalg.inv(gram))
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "histories.npz")
        save_npz(file, histories)
        memory = in_own_process(memory_of_fit, file)
    one = ITEMS**2 * 4 / GIGABYTE
    size = f"{USERS:,} x {ITEMS:,}"
    return [
        Figure(f"EASE {size}, whole fit; numpy.linalg.inv alone", ours, theirs, 1.0),
        Figure(f"EASE {size}, memory above the data; I x I floats", float(memory["process"]), one, 1.3, "GB"),
        Figure("the same, as tracemalloc counts it", float(memory["traced"]), one, 1.3, "GB"),
    ]


def memory_of_fit(file: str) -> dict[str, float | str]:
    """Gigabytes above data and libraries: of the whole process, and of what Python allocated."""
    histories = csr_array(load_npz(file))
    EASE(L2).fit(skewed_histories(50, 300, 20))  # loads the libraries and their work space
    before = peak_memory()
    EASE(L2).fit(histories)
    process = peak_memory() - before
    tracemalloc.start()
    EASE(L2).fit(histories)
    return {"process": process / GIGABYTE, "traced": tracemalloc.get_traced_memory()[1] / GIGABYTE}


def _penalised_gram(histories: csr_array) -> NDArray[np.float32]:
    dense = histories.toarray()
    gram: NDArray[np.float32] = dense.T @ dense
    gram.flat[:: ITEMS + 1] += np.float32(L2)
    return gram
