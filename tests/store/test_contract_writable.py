from __future__ import annotations

from collections.abc import Callable

from foldin.data.interactions import Interactions
from foldin.store.contract import Batch
from foldin.store.opening import open_store


def test_a_check_whether_a_store_can_be_written_changes_nothing(url: str, log_of: Callable[..., Interactions]) -> None:
    with open_store(url, create=True) as store:
        store.append([Batch(log_of([("ann", "x")]), "a")])
        before = store.fingerprint(), store.summary(), dict(store.sources())
        store.check_writable()
        assert (store.fingerprint(), store.summary(), dict(store.sources())) == before
