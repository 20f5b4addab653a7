"""A store that refuses something is there all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from foldin.data.interactions import Interactions
from foldin.errors import ConflictError
from foldin.service.reach import Reach
from foldin.store.contract import Batch
from foldin.store.opening import open_store


def test_a_conflict_is_no_store_that_is_away(new_url: Callable[[], str], log_of: Callable[..., Interactions]) -> None:
    url = new_url()
    open_store(url, create=True).close()
    reach = Reach(url)
    first, other = (Batch(log_of([("ann", item)]), "tests", ["e1"]) for item in ("i01", "i02"))
    reach.run(lambda store: store.ingest([first]))
    with pytest.raises(ConflictError):
        reach.run(lambda store: store.ingest([other]))
    assert not reach.away
    assert reach.run(lambda store: store.summary()).events == 1
    reach.close()
