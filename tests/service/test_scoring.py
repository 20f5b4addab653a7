"""Answers find whoever waits for them, whatever became of the others of a batch."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event
from time import sleep

import pytest

from foldin.data.interactions import History
from foldin.errors import ConfigurationError
from foldin.service import scoring
from foldin.service.busy import BusyError
from foldin.service.live import LiveModel
from foldin.service.scoring import LateError, Scorer, Wish
from foldin.service.shelf import Shelf
from foldin.workspace import open_workspace
from tests.service.loops import completed

MOST_WAITING = 40
PATIENCE = 60.0
"""Seconds that a busy machine may take; they pass only where a test fails."""

TOO_SOON = 0.1
"""Seconds in which a scorer that was told of a wish too soon would have begun with it, on most machines."""


@pytest.fixture
def batches() -> list[int]:
    return []


@pytest.fixture
def scorer(workspace: Path, batches: list[int]) -> Iterator[Scorer]:
    opened, shelf = open_workspace(workspace), Shelf()
    live = LiveModel(opened, shelf.prepare)
    live.refresh()
    made = Scorer(opened.store_url, live, shelf, most_at_once=64, most_waiting=MOST_WAITING, on_batch=batches.append)
    yield made
    made.close()


def wish(*item_ids: str, k: int = 3, deadline: float = float("inf")) -> Wish:
    return Wish(history=History(item_ids), k=k, deadline=deadline)


def test_whoever_went_away_keeps_nobody_from_an_answer(
    scorer: Scorer, batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    scored, tell = Event(), scoring._tell

    def told(outcomes: Sequence[scoring._Outcome]) -> None:
        tell(outcomes)
        scored.set()

    async def one_goes() -> list[int]:
        gone, *others = scorer.submit_all([wish("i00"), wish("i02"), wish("i04")])
        await asyncio.sleep(0)
        assert scored.wait(PATIENCE)  # the event loop stands still meanwhile, and hears of it later
        gone.cancel()
        return [len((await other).ranking) for other in others]

    monkeypatch.setattr(scoring, "_tell", told)
    assert completed(one_goes()) == [3, 3]
    assert batches == [3]


def test_one_that_cannot_be_answered_leaves_the_others_theirs(scorer: Scorer) -> None:
    async def asked() -> list[object]:
        wishes = [wish("i00"), wish("i02", k=0), wish("i04", deadline=0)]
        return await asyncio.gather(*scorer.submit_all(wishes), return_exceptions=True)

    good, impossible, late = completed(asked())
    assert len(good.ranking) == 3  # type: ignore[attr-defined]  # an answer
    assert isinstance(impossible, ConfigurationError)
    assert isinstance(late, LateError)


def test_what_comes_in_one_round_of_the_event_loop_is_scored_together(scorer: Scorer, batches: list[int]) -> None:
    async def one() -> None:
        answer = scorer.submit(wish("i00"))
        sleep(TOO_SOON)  # the scorer has nothing to do while the others come
        await answer

    async def several() -> None:
        await asyncio.gather(*(one() for _ in range(5)))

    completed(several())
    assert batches == [5]


def test_of_many_half_are_answered_while_the_others_are_scored(scorer: Scorer, batches: list[int]) -> None:
    async def many() -> list[int]:
        answers = await asyncio.gather(*(scorer.submit(wish("i00")) for _ in range(MOST_WAITING)))
        return [len(answer.ranking) for answer in answers]

    assert completed(many()) == [3] * MOST_WAITING
    assert batches == [20, 16, 4]


@pytest.mark.parametrize(
    ("requests", "together"),
    [
        ([40], [40]),  # half of it would be worth nothing to anybody
        ([1, 39], [40]),
        ([1] * 20 + [20], [20, 20]),
        ([30] + [1] * 10, [30, 10]),
        ([30, 10], [30, 10]),
    ],
)
def test_what_comes_in_one_request_is_scored_together(
    requests: list[int], together: list[int], scorer: Scorer, batches: list[int]
) -> None:
    async def asked() -> int:
        futures = [future for size in requests for future in scorer.submit_all([wish("i00")] * size)]
        return len(await asyncio.gather(*futures))

    assert completed(asked()) == MOST_WAITING
    assert batches == together


def test_of_a_request_that_is_too_large_as_much_is_scored_as_can_be_at_once(
    workspace: Path, batches: list[int]
) -> None:
    opened, shelf = open_workspace(workspace), Shelf()
    live = LiveModel(opened, shelf.prepare)
    live.refresh()
    with closing(
        Scorer(opened.store_url, live, shelf, most_at_once=24, most_waiting=MOST_WAITING, on_batch=batches.append)
    ) as scorer:

        async def asked() -> None:
            await asyncio.gather(*scorer.submit_all([wish("i00")] * MOST_WAITING))

        completed(asked())
    assert batches == [24, 16]


def test_what_came_is_answered_at_the_end(scorer: Scorer) -> None:
    async def asked() -> int:
        future = scorer.submit(wish("i00"))
        scorer.close()
        return len((await future).ranking)

    assert completed(asked()) == 3


def test_of_too_many_none_is_taken(scorer: Scorer, batches: list[int]) -> None:
    async def too_many() -> None:
        with pytest.raises(BusyError):
            scorer.submit_all([wish("i00")] * (MOST_WAITING + 1))
        await scorer.submit(wish("i00"))

    completed(too_many())
    assert batches == [1]
