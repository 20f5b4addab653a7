"""10 million events with string ids, from Parquet to the user-item matrix, against pandas."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from benchmarks.measuring import GIGABYTE, Figure, in_own_process, peak_memory

EVENTS, USERS, ITEMS = 10_000_000, 200_000, 20_000
ROUNDS = 3
HASHED = 1_000_003

Result = dict[str, float | str]


def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "events.parquet")
        in_own_process(write_events, file)
        ways = (ours, pandas_by_ids, pandas_by_codes)
        runs = [[in_own_process(way, file) for way in ways] for _ in range(ROUNDS)]
    of_ours, by_ids, by_codes = zip(*runs, strict=True)
    if len({str(run["result"]) for row in runs for run in row}) != 1:
        raise AssertionError("foldin and pandas come to different matrices")
    return [
        Figure("10M events to matrix; pandas: drop repeated rows, code", _least(of_ours), _least(by_ids), 0.5),
        Figure("the same; pandas: code, drop repeated codes", _least(of_ours), _least(by_codes), None),
        Figure("10M events to matrix, memory of the process", _peak(of_ours), None, 1.2, "GB"),
        Figure("the same, beside pandas", _peak(of_ours), min(_peak(by_ids), _peak(by_codes)), None, "GB"),
    ]


def write_events(file: str) -> Result:
    """Writes the events: users and items of very unequal popularity, every id a text."""
    import duckdb

    duckdb.execute("SET enable_progress_bar = false")  # it would write where the result is read
    user, item = (f"(hash(i, {salt}) % {HASHED}) / {HASHED}.0" for salt in (1, 2))
    duckdb.execute(
        f"COPY (SELECT format('user-{{:06d}}', floor({USERS} * pow({user}, 1.5))::INT) AS user, "
        f"format('item-{{:05d}}', floor({ITEMS} * pow({item}, 2.5))::INT) AS item "
        f"FROM range({EVENTS}) events(i)) TO '{file}' (FORMAT parquet)"
    )
    return {}


def ours(file: str) -> Result:
    """foldin's way."""
    from foldin.data.catalog import Catalog
    from foldin.data.feedback import Feedback
    from foldin.data.matrix import user_item_matrix
    from foldin.data.readers import read

    def load() -> tuple[csr_array, Sequence[str], Sequence[str]]:
        log = read(file)
        matrix = user_item_matrix(log, Catalog(log.item_ids), Feedback().settle(log))
        return matrix.histories, list(matrix.user_ids), list(log.item_ids)

    return _measured(load)


def pandas_by_ids(file: str) -> Result:
    """pandas as it is mostly written: repeated rows are dropped, then ids are coded."""
    import pandas

    def load() -> tuple[csr_array, Sequence[str], Sequence[str]]:
        events = pandas.read_parquet(file, columns=["user", "item"]).drop_duplicates()
        users, user_ids = pandas.factorize(events["user"], sort=True)
        items, item_ids = pandas.factorize(events["item"], sort=True)
        return _matrix(users, items, len(user_ids), len(item_ids)), list(user_ids), list(item_ids)

    return _measured(load)


def pandas_by_codes(file: str) -> Result:
    """pandas at its best: ids are coded first, so that whole numbers are compared."""
    import pandas

    def load() -> tuple[csr_array, Sequence[str], Sequence[str]]:
        events = pandas.read_parquet(file, columns=["user", "item"])
        users, user_ids = pandas.factorize(events["user"], sort=True)
        items, item_ids = pandas.factorize(events["item"], sort=True)
        pairs = pandas.DataFrame({"user": users, "item": items}).drop_duplicates()
        matrix = _matrix(pairs["user"].to_numpy(), pairs["item"].to_numpy(), len(user_ids), len(item_ids))
        return matrix, list(user_ids), list(item_ids)

    return _measured(load)


def _matrix(users: NDArray[np.intp], items: NDArray[np.intp], rows: int, columns: int) -> csr_array:
    return csr_array((np.ones(len(users), dtype=np.float32), (users, items)), shape=(rows, columns))


def _measured(load: Callable[[], tuple[csr_array, Sequence[str], Sequence[str]]]) -> Result:
    start = time.perf_counter()
    matrix, user_ids, item_ids = load()
    seconds, peak = time.perf_counter() - start, peak_memory()
    digest = hashlib.sha256("\n".join([*user_ids, *item_ids]).encode())
    for array in (matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data.astype(np.float32)):
        digest.update(array.tobytes())
    return {"seconds": seconds, "peak": peak, "result": digest.hexdigest()}


def _least(runs: Sequence[Result]) -> float:
    return min(float(run["seconds"]) for run in runs)


def _peak(runs: Sequence[Result]) -> float:
    return max(float(run["peak"]) for run in runs) / GIGABYTE
