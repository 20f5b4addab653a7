"""A person's past is told item by item; they are looked up at once, and many of them aside."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import get_ident

import numpy as np
import pytest
from numpy.typing import NDArray

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import NO_TIME, History, Ids
from foldin.service.page.past import LONG, Done, past_of
from tests.service.loops import completed

CATALOG = Catalog(
    ids_of(["a", "b", "c"]),
    {"name": ids_of(["Name of a", "Name of b", None]), "title": ids_of(["Title of a", None, None])},
)


def test_an_item_has_one_line_and_the_last_comes_first() -> None:
    day = 86_400_000_000
    history = History(
        ("b", "a", "gone", "b", "c"),
        values=np.array([1, np.nan, 3, 4, 5], dtype=np.float32),
        times=np.array([0, day, NO_TIME, 2 * day, NO_TIME]),
    )
    assert completed(past_of(history, CATALOG)) == [
        Done("c", "c", 1, None, 5.0, known=True),
        Done("b", "Name of b", 2, datetime(1970, 1, 3, tzinfo=UTC), 4.0, known=True),
        Done("gone", "gone", 1, None, 3.0, known=False),
        Done("a", "Title of a", 1, datetime(1970, 1, 2, tzinfo=UTC), None, known=True),
    ]
    assert completed(past_of(History(()), CATALOG)) == []
    other = Catalog(ids_of(["a", "gone"]), {"title": ids_of(["Another title", "Title of gone"])})
    found = {done.item: (done.title, done.known) for done in completed(past_of(history, CATALOG, other))}
    assert (found["gone"], found["a"]) == (("Title of gone", True), ("Title of a", True))


@pytest.mark.parametrize("times", [1, LONG])
def test_all_items_are_looked_up_at_once_and_many_aside(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    indices = Catalog.indices

    def told(catalog: Catalog, ids: Ids) -> NDArray[np.int32]:
        asked.append((len(ids), get_ident()))
        return indices(catalog, ids)

    async def on_the_loop() -> int:
        await past_of(History(("a", "b", "c") * times), CATALOG)
        return get_ident()

    monkeypatch.setattr(Catalog, "indices", told)
    loop = completed(on_the_loop())
    ((count, thread),) = asked
    assert count == 3
    assert (thread == loop) == (times == 1)
