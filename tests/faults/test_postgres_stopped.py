"""A PostgreSQL server that crashes or is stopped under load keeps what was acknowledged, and is found again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count, cycle
from queue import Queue
from random import Random
from threading import Event
from typing import TypeAlias

import pytest

from foldin.errors import FoldinError, StoreError
from foldin.store.contract import Batch, Ingested
from foldin.store.opening import open_store
from foldin.store.writer import Writer
from tests.faults.batches import batch_of, names, torn
from tests.faults.crashes import crash
from tests.faults.scale import rounds
from tests.store.postgres_server import PostgresServer

Append: TypeAlias = Callable[[Batch], Ingested]
Reports: TypeAlias = "Queue[str]"

THREADS = 4
SIZES = 1, 1, 9, 200
PATIENCE = 120
"""Seconds until a thread that gives no sign is taken for stuck."""


def stop(server: PostgresServer) -> None:
    """Connections are cut off, and what they had begun is rolled back."""
    server.stop()


@contextmanager
def a_store(url: str) -> Iterator[Append]:
    with open_store(url) as store:

        def append(batch: Batch) -> Ingested:
            (result,) = store.append([batch])
            assert not isinstance(result, FoldinError)
            return result

        yield append


@contextmanager
def stores_of_their_own(url: str) -> Iterator[list[Append]]:
    """One store for every thread."""
    with a_store(url) as one, a_store(url) as two, a_store(url) as three, a_store(url) as four:
        yield [one, two, three, four]


@contextmanager
def one_writer(url: str) -> Iterator[list[Append]]:
    """One writer for all threads."""
    with Writer(url) as writer:
        yield [writer.append] * THREADS


def append_until(done: Event, failed: Event, append: Append, name: str, reports: Reports) -> None:
    """Appends batch after batch, each until it is acknowledged; `failed` is set where one is not."""
    for number, size in zip(count(), cycle(SIZES), strict=False):
        batch = batch_of(f"{name}/{number}", size)
        while not acknowledged(append, batch):
            failed.set()
        reports.put(f"{name}/{number}")
        if done.is_set():
            return


def acknowledged(append: Append, batch: Batch) -> bool:
    try:
        append(batch)
    except StoreError:
        return False
    return True


WAYS = stores_of_their_own, one_writer
ENDS = crash, stop


@pytest.fixture(scope="module")
def postgres_server(unlucky_postgres_server: PostgresServer) -> PostgresServer:
    return unlucky_postgres_server


@pytest.mark.parametrize("seed", range(rounds(20)))
def test_all_that_was_acknowledged_is_there_and_the_same_stores_go_on(
    postgres_server: PostgresServer, seed: int
) -> None:
    url, random = postgres_server.new_url(), Random(seed)
    open_store(url, create=True).close()
    # the first two rounds have both ends and both ways, the first four all of their pairs
    end, way = ENDS[seed % 2], WAYS[(seed + seed // 2) % 2]
    done, failed, reports = Event(), Event(), Queue[str]()
    with way(url) as appends, ThreadPoolExecutor(THREADS) as threads:
        running = [
            threads.submit(append_until, done, failed, append, f"thread {number}", reports)
            for number, append in enumerate(appends)
        ]
        reported = [reports.get(timeout=PATIENCE) for _ in range(random.randint(1, 60))]
        end(postgres_server)
        assert failed.wait(PATIENCE)
        postgres_server.start()
        reported += [reports.get(timeout=PATIENCE) for _ in range(reports.qsize() + 10 * THREADS)]
        done.set()
        for thread in running:
            thread.result(PATIENCE)
    reported += [reports.get() for _ in range(reports.qsize())]
    with open_store(url) as store:
        log = store.interactions()
    assert torn(log) == []
    assert set(reported) == names(log)
