"""Many threads and one commit: nothing is lost, everybody hears of their own batch, and nobody waits for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import suppress
from threading import Thread
from typing import TypeAlias

import pytest

from foldin.data.interactions import Interactions
from foldin.errors import ConflictError, DataError, FoldinError, NotFoundError, StoreError
from foldin.store.contract import Batch, Ingested
from foldin.store.opening import open_store
from foldin.store.writer import Writer

LogOf: TypeAlias = Callable[..., Interactions]
SECONDS = 60  # to fail rather than hang
FEW_AT_ONCE, FEW_WAITING = 16, 128  # as far apart as they are in use


class Fatal(list[str | None]):
    """Event ids that end the thread which looks at them."""

    def __len__(self) -> int:
        raise SystemExit


class Unfit(list[str | None]):
    """Event ids that no store can make sense of."""

    def __len__(self) -> int:
        raise TypeError("no length")


@pytest.fixture
def made(url: str) -> str:
    open_store(url, create=True).close()
    return url


@pytest.fixture
def writer(made: str) -> Iterator[Writer]:
    with Writer(made) as opened:
        yield opened


def test_what_append_returned_for_is_there(made: str, writer: Writer, log_of: LogOf) -> None:
    with open_store(made) as store:
        for number in range(20):
            assert writer.append(Batch(log_of([(f"u{number}", "x")]), "a", [f"e{number}"])).events == 1
            assert store.history(f"u{number}").item_ids == ("x",)


def test_many_threads_lose_nothing_and_hear_of_their_own(made: str, writer: Writer, log_of: LogOf) -> None:
    heard: dict[int, list[Ingested | FoldinError]] = {}

    def bring(thread: int) -> None:
        heard[thread] = []
        for number in range(50):
            # every fifth event has been brought by the thread before, every seventh cannot be stored
            event_id = f"{thread} {number}" if number % 5 else f"shared {number}"
            item = "x" if number % 7 else "nul\0"
            try:
                heard[thread].append(writer.append(Batch(log_of([("ann", item)]), f"t{thread}", [event_id])))
            except DataError as refusal:
                heard[thread].append(refusal)

    threads = [Thread(target=bring, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    for outcomes in heard.values():
        assert [isinstance(outcome, DataError) for outcome in outcomes] == [number % 7 == 0 for number in range(50)]
    stored = [outcome.events for outcomes in heard.values() for outcome in outcomes if isinstance(outcome, Ingested)]
    shared = len([number for number in range(50) if number % 5 == 0 and number % 7])
    own = len([number for number in range(50) if number % 5 and number % 7])
    with open_store(made) as store:
        assert sum(stored) == store.summary().events == 8 * own + shared


def test_what_waits_during_a_commit_goes_into_the_next(made: str, log_of: LogOf) -> None:
    with open_store(made) as other, Writer(made) as writer:
        futures = [writer.submit(Batch(log_of([("ann", f"item {number}")]), "a")) for number in range(150)]
        assert [future.result(SECONDS).new_items for future in futures] == [1] * 150
        assert other.summary().events == 150


def test_a_conflict_and_an_unfit_batch_leave_the_others_alone(writer: Writer, log_of: LogOf) -> None:
    futures = [
        writer.submit(Batch(log_of([("ann", "x")]), "a", ["e"])),
        writer.submit(Batch(log_of([("ann", "other")]), "a", ["e"])),
        writer.submit(Batch(log_of([("bob", "x")]), "a", Unfit())),
        writer.submit(Batch(log_of([("cid", "x")]), "a", ["f"])),
    ]
    wait(futures, SECONDS)
    assert [type(future.exception()) for future in futures] == [type(None), ConflictError, TypeError, type(None)]


def test_closing_stores_what_waits_and_takes_no_more(made: str, log_of: LogOf) -> None:
    writer = Writer(made)
    futures = [writer.submit(Batch(log_of([("ann", "x")]), "a")) for _ in range(100)]
    writer.close()
    writer.close()
    assert [future.result(0).events for future in futures] == [1] * 100
    with pytest.raises(StoreError, match="the writer is closed"):
        writer.append(Batch(log_of([("ann", "x")]), "a"))


def test_no_caller_hangs_when_the_thread_ends(made: str, log_of: LogOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foldin.store.writer.MOST_AT_ONCE", FEW_AT_ONCE)
    monkeypatch.setattr("foldin.store.writer.MOST_WAITING", FEW_WAITING)
    writer = Writer(made)
    fatal: list[Future[Ingested]] = []
    refused: list[Future[Ingested]] = []

    def end() -> None:
        fatal.append(writer.submit(Batch(log, "a", Fatal())))

    def bring() -> None:
        # more than may wait, so that some are brought and some still wait for a place
        with suppress(StoreError):
            refused.extend(writer.submit(Batch(log, "a")) for _ in range(FEW_WAITING * 4))

    log = log_of([("ann", "x")])
    # daemons, which do not keep the tests from ending where they hang
    threads = [Thread(target=work, daemon=True) for work in (bring, bring, bring, end)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()
    assert len(refused) < FEW_WAITING * 12
    assert wait([*fatal, *refused], SECONDS).not_done == set()
    assert isinstance(fatal[0].exception(0), SystemExit)
    stored = [future for future in refused if future.exception(0) is None]
    with open_store(made) as store:
        assert store.summary().events == len(stored)
    writer.close()


def test_a_cancelled_batch_is_not_stored(made: str, log_of: LogOf) -> None:
    with Writer(made) as writer:
        futures = [writer.submit(Batch(log_of([("ann", "x")]), "a")) for _ in range(300)]
        cancelled = sum(future.cancel() for future in futures)
    with open_store(made) as store:
        assert store.summary().events == 300 - cancelled


def test_a_store_that_is_not_there_is_refused_at_once(url: str) -> None:
    with pytest.raises((NotFoundError, StoreError)):
        Writer(url)
