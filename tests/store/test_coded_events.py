"""Events known already are found block by block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from foldin.errors import ConflictError
from foldin.store import coded_events
from foldin.store.coded_events import Body, CodedEvents, unknown_rows


def events_of(items: Sequence[int], ids: Sequence[str | None]) -> CodedEvents:
    column = np.array(items, dtype=np.int64)
    return CodedEvents(np.ones_like(column), column, None, None, None, np.array(ids, dtype=np.object_))


@pytest.fixture(params=[1, 2, 3, 100])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(coded_events, "BLOCK", request.param)
    size: int = request.param
    return size


def test_events_known_to_the_store_or_from_a_row_above_are_left_out(block: int) -> None:
    events = events_of([1, 2, 3, 1, 4, 3, 5, 1], ["a", "b", None, "a", "c", None, "d", "a"])
    stored: dict[str, Body] = {"b": (1, 2, None, None, None), "d": (1, 5, None, None, None)}
    asked: list[list[str]] = []

    def bodies_of(ids: list[str]) -> dict[str, Body]:
        asked.append(ids)
        return {event_id: stored[event_id] for event_id in ids if event_id in stored}

    assert unknown_rows(events, lambda _: None, bodies_of).tolist() == [0, 2, 4, 5]
    assert [event_id for ids in asked for event_id in ids] == ["a", "b", "a", "c", "d", "a"]
    assert max(map(len, asked)) <= block


@pytest.mark.parametrize("stored", [{}, {"a": (1, 1, None, None, None)}])
def test_an_id_of_another_event_is_refused_wherever_that_is(block: int, stored: dict[str, Body]) -> None:
    events = events_of([1, 2, 3, 9], ["a", "b", "c", "a"])
    with pytest.raises(ConflictError, match="event id 'a' belongs to another event"):
        unknown_rows(events, lambda _: None, lambda ids: stored if "a" in ids else {})


def test_no_events_are_no_rows(block: int) -> None:
    assert unknown_rows(events_of([], []), lambda _: None, lambda _: {}).tolist() == []
