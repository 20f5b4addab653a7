"""When the n-th write, synchronisation or cut fails, a call does all or nothing, and the next one works."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from itertools import count
from typing import TypeAlias, cast

import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.profiles import Profiles
from foldin.errors import FoldinError, StoreError
from foldin.store.contract import Batch, Store, Summary
from foldin.store.opening import open_store
from foldin.store.sqlite import SqliteStore
from tests.faults.batches import batch_of
from tests.faults.failing_disk import FAILURES, FailingDisk, Failure
from tests.faults.scale import STEP

Content: TypeAlias = tuple[str, Summary, dict[str, int], str | None]

FOR_EVER = sys.maxsize
CHECKPOINTS = {"a checkpoint now and then": 1000, "a checkpoint at every commit": 1}
HELPFUL = r"store.sqlite: (the disk is full; free some space|reading or writing it failed; check the disk)"
ERASED_BUT_FOR_THE_LOG = (
    "the user is forgotten, but the write-ahead log still holds what was erased; forget the user again"
)

CATALOG = Catalog(ids_of(["z", "a"]), {"title": ids_of(["Zed", "Aye"])})
PROFILES = Profiles(ids_of(["user 1", "zoe"]), {"role": ids_of(["admin", "guest"])})


def appended(*batches: Batch) -> Callable[[Store], object]:
    return lambda store: [one_or_raised(result) for result in store.append(batches)]


def one_or_raised(result: object) -> object:
    if isinstance(result, FoldinError):
        raise result
    return result


CALLS: dict[str, Callable[[Store], object]] = {
    "append one event": appended(batch_of("one", 1)),
    "append several batches": appended(batch_of("two", 2), batch_of("three", 3), batch_of("before", 5)),
    "append what does not fit the cache": appended(batch_of("large", 400)),
    "ingest": lambda store: store.ingest([batch_of("fifty", 50)], catalog=CATALOG, profiles=PROFILES),
    "ingest with a digest": lambda store: store.ingest([Batch(batch_of("nine", 9).log, "a", None, "digest", "page 2")]),
    "put a catalogue": lambda store: store.put_catalog(CATALOG),
    "put profiles": lambda store: store.put_profiles(PROFILES),
    "forget": lambda store: store.forget("user 1"),
    "readmit": lambda store: store.readmit("user 99"),
}


def content(store: Store) -> Content:
    return store.fingerprint(), store.summary(), dict(store.sources()), store.cursor("a")


def settled(store: Store, checkpoint: int) -> Store:
    """A store that writes what a large one writes: pages before the commit, and checkpoints."""
    connection = cast("SqliteStore", store)._connection
    connection.pragma("cache_size", 10)
    connection.pragma("wal_autocheckpoint", checkpoint)
    return store


def done(call: Callable[[Store], object], store: Store) -> bool:
    """Whether a call did what it should, by its own account."""
    try:
        call(store)
    except StoreError as error:
        return done_but_for_the_log(str(error))
    return True


def done_but_for_the_log(message: str) -> bool:
    erased = ERASED_BUT_FOR_THE_LOG in message
    assert erased or re.search(HELPFUL, message), message
    return erased


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
@pytest.mark.parametrize("checkpoint", CHECKPOINTS.values(), ids=CHECKPOINTS)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_that_fails_does_nothing_and_the_next_one_works(
    copied: Callable[[], str],
    disk: FailingDisk,
    call: Callable[[Store], object],
    checkpoint: int,
    failure: Failure,
) -> None:
    for nth in count(1, STEP):
        url = copied()
        with settled(open_store(url), checkpoint) as store:
            before = content(store)
            with disk.failing(failure, nth):
                did = done(call, store)
            there = content(store)
            call(store)
            after = content(store)
            assert there == (after if did else before)
        with open_store(url) as store:
            assert content(store) == after
        if not disk.failed:
            return


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_while_nothing_can_be_written_all_is_read(
    copied: Callable[[], str], disk: FailingDisk, failure: Failure
) -> None:
    url = copied()
    with open_store(url) as store, open_store(url) as reader:
        before = content(store)
        with disk.failing(failure, 1, FOR_EVER):
            for call in (*CALLS.values(), *CALLS.values()):
                assert not done(call, store)
                assert content(store) == content(reader) == before
                assert store.history("user 1").item_ids == reader.history("user 1").item_ids == ("before", "first")
        assert all(done(call, store) for call in CALLS.values())
        assert content(store) == content(reader)
