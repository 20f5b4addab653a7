"""A writer whose disk fails stores what it says it has stored, and goes on by itself."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from foldin.errors import StoreError
from foldin.store.opening import open_store
from foldin.store.writer import Writer
from tests.faults.batches import batch_of, names, torn
from tests.faults.failing_disk import FAILURES, FailingDisk, Failure
from tests.faults.scale import STEP


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_a_writer_stores_what_it_says_and_goes_on(
    copied: Callable[[], str], disk: FailingDisk, failure: Failure
) -> None:
    for nth in count(1, STEP):
        url = copied()
        with Writer(url) as writer, open_store(url) as reader:
            writer.append(batch_of("begun", 1))
            with disk.failing(failure, nth):
                results = [writer.submit(batch_of(f"new {number}", 1 + 40 * number)) for number in range(3)]
                acknowledged = {f"new {number}" for number, result in enumerate(results) if result.exception() is None}
            log = reader.interactions()
            assert (torn(log), names(log)) == ([], {"before", "first", "begun"} | acknowledged)
            assert all(isinstance(result.exception(), StoreError | None) for result in results)
            assert writer.append(batch_of("after", 2)).events == 2
        if not disk.failed:
            return
