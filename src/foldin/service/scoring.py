"""Scoring for many at once: what is asked while a batch is scored makes up the next, one matrix product for all."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from threading import Condition, Thread
from time import monotonic
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.interactions import History
from foldin.data.matrix import history_matrix
from foldin.data.profiles import Profile, attributes_of
from foldin.errors import NotFoundError, ResourceError
from foldin.recommendation import Ranked, Recommendation
from foldin.service.busy import BusyError
from foldin.service.live import NO_MODEL, Live, LiveModel
from foldin.service.persons import known_of
from foldin.service.reach import Reach
from foldin.service.shelf import Shelf, described

__all__ = ["EVERYTHING", "Answer", "Candidates", "LateError", "Scorer", "Wish"]


FEW = 16
"""As many are scored together at once: each of two halves would cost nearly as much as the whole."""


class LateError(ResourceError):
    """The answer would have come after the deadline, so it was not worked out."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Which items may be ranked: `only` these, not those to `exclude`, and of at least one of the `categories`."""

    only: Sequence[str] | None = None
    exclude: Sequence[str] = ()
    categories: Sequence[str] = ()

    @property
    def all(self) -> bool:
        """Whether every item may."""
        return self.only is None and not self.exclude and not self.categories


EVERYTHING = Candidates()


@dataclass(frozen=True, eq=False)
class Wish:
    """What somebody asks: as `Recommender.recommend`, of a `user` of the store or of a `history`.

    `profile` is laid over the stored one. `query`: what they look for. `candidates`: what is the same for many is
    worked out once, where they share the object. `deadline`: on the monotonic clock, in seconds.
    """

    user: str | None = None
    history: History | None = None
    profile: Profile = field(default_factory=dict)
    query: str | None = None
    k: int = 10
    candidates: Candidates = EVERYTHING
    seen: bool = False
    diversity: float = 0
    deadline: float = float("inf")


@dataclass(frozen=True, eq=False)
class Answer:
    """One row of what was ranked together, by which model, and for whom: the history, profile and query it rests on.

    `changed`: what the catalogue says now, as `Shelf.changed`. `known`: whether the store knows the user; True where
    none was named. `founded`: whether the model knows any item of the history.
    """

    live: Live
    changed: Mapping[str, Mapping[str, str]]
    ranked: Ranked
    row: int
    history: History
    profile: Profile
    query: str | None
    known: bool
    founded: bool

    @cached_property
    def ranking(self) -> Sequence[Recommendation]:
        """In ids, with all that is said of the items.

        Put together by whoever reads it first, as everybody waits for the scorer: thousands of items take milliseconds.
        """
        return described(self.live.recommender.recommendations_of(self.ranked, self.row), self.changed)


@dataclass(frozen=True, eq=False)
class _Task:
    """A wish, the model that was live when it came, and where its answer goes, on the event loop that it came from.

    `request`: all that came with it, the same object for each of them.
    """

    wish: Wish
    live: Live | None
    future: asyncio.Future[Answer]
    request: Sequence[Wish]


_Outcome: TypeAlias = tuple[_Task, Answer | BaseException]


@dataclass(frozen=True, eq=False)
class _Person:
    wish: Wish
    history: History
    profile: Profile
    known: bool


class Scorer:
    """A thread that answers wishes, in batches of at most `most_at_once`; at most `most_waiting` may wait.

    It reads a user's events when it answers, so that everything acknowledged before is in the answer. `on_batch` is
    told the size of every batch. To be closed.

    Raises:
        ConfigurationError, NotFoundError, StoreError: the store cannot be opened, as from `open_store`.
    """

    def __init__(
        self,
        url: str,
        live: LiveModel,
        shelf: Shelf,
        *,
        most_at_once: int,
        most_waiting: int,
        on_batch: Callable[[int], None],
    ) -> None:
        self._on_batch = on_batch
        self._live, self._shelf = live, shelf
        self._most_at_once, self._most_waiting = most_at_once, most_waiting
        self._come: list[_Task] = []
        self._waiting: deque[_Task] = deque()
        self._changed = Condition()
        self._closed = False
        opened: Future[None] = Future()
        self._thread = Thread(target=self._work, args=(url, opened), name="foldin-scorer", daemon=True)
        self._thread.start()
        opened.result()

    @property
    def waiting(self) -> int:
        """How many wishes wait."""
        return len(self._come) + len(self._waiting)

    @property
    def away(self) -> bool:
        """Whether the store is away, so that only histories that are sent along are answered."""
        return self._reach.away

    def submit(self, wish: Wish) -> asyncio.Future[Answer]:
        """Brings a wish, on an event loop; the future gives its answer, or raises what stood in the way.

        Raises:
            BusyError: too many wait already, or the scorer is closed.
        """
        return self.submit_all([wish])[0]

    def submit_all(self, wishes: Sequence[Wish]) -> list[asyncio.Future[Answer]]:
        """Brings several wishes, all of them or none; one model answers them.

        What the event loop brings in one round is handed over at its end: the first of them alone would make up a
        batch, for which all others had to wait.

        Raises:
            BusyError: as from `submit`.
        """
        live, loop = self._live.now(), asyncio.get_running_loop()
        tasks = [_Task(wish, live, loop.create_future(), wishes) for wish in wishes]
        with self._changed:
            if self._closed or self.waiting + len(wishes) > self._most_waiting:
                raise BusyError("the service is asked more than it can answer: try again soon")
            if not self._come:
                loop.call_soon(self._hand_over)
            self._come += tasks
        return [task.future for task in tasks]

    def close(self) -> None:
        """Answers what is waiting, and ends."""
        with self._changed:
            self._closed = True
            self._hand_over()
        self._thread.join()

    def _hand_over(self) -> None:
        with self._changed:
            self._waiting += self._come
            self._come = []
            self._changed.notify()

    def _work(self, url: str, opened: Future[None]) -> None:
        try:
            self._reach = Reach(url)
        except BaseException as failure:
            opened.set_exception(failure)
            return
        opened.set_result(None)
        with closing(self._reach):
            while batch := self._next():
                _tell(self._outcomes(batch))

    def _next(self) -> list[_Task]:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            return [self._waiting.popleft() for _ in range(_share(self._waiting, self._most_at_once))]

    def _outcomes(self, batch: list[_Task]) -> list[_Outcome]:
        now = monotonic()
        self._on_batch(len(batch))
        ready: list[tuple[_Person, _Task]] = []
        outcomes: list[_Outcome] = []
        for task in batch:
            if not task.future.cancelled():
                try:
                    _refuse_late(task.wish, now)
                    ready.append((_person(self._reach, task.wish), task))
                except BaseException as failure:
                    outcomes.append((task, failure))
        for _, group in groupby(sorted(ready, key=_alike), key=_alike):
            outcomes += self._of_group(list(group))
        return outcomes

    def _of_group(self, group: list[tuple[_Person, _Task]]) -> list[_Outcome]:
        tasks = [task for _, task in group]
        try:
            answers = self._answers(tasks[0].live, [person for person, _ in group])
        except BaseException as failure:
            if len(group) > 1 and isinstance(failure, Exception):  # whatever one of them did: others are unharmed
                return [outcome for one in group for outcome in self._of_group([one])]
            return [(task, failure) for task in tasks]
        return list(zip(tasks, answers, strict=True))

    def _answers(self, live: Live | None, people: Sequence[_Person]) -> list[Answer]:
        if live is None:
            raise NotFoundError(NO_MODEL)
        recommender = live.recommender
        rows, seen = history_matrix([person.history for person in people], recommender.catalog, recommender.rule)
        ranked = recommender.rank(
            rows,
            _hidden(seen, [person.wish.seen for person in people]),
            attributes_of([person.profile for person in people]),
            queries=[person.wish.query for person in people],
            k=people[0].wish.k,
            left_out=self._left_out(live, [person.wish for person in people]),
            diversity=people[0].wish.diversity,
        )
        founded = (np.diff(recommender.foldable(rows).indptr) > 0).tolist()
        changed = self._shelf.changed(live)
        return [
            Answer(
                live,
                changed,
                ranked,
                row,
                person.history,
                person.profile,
                person.wish.query,
                person.known,
                founded[row],
            )
            for row, person in enumerate(people)
        ]

    def _left_out(self, live: Live, wishes: Sequence[Wish]) -> NDArray[np.bool_]:
        """Which items are left out, for all (items,), or, where wishes differ, for each of them (wishes, items)."""
        left_out = {candidates: self._left_out_of(live, candidates) for candidates in {w.candidates for w in wishes}}
        if len(left_out) == 1:
            return next(iter(left_out.values()))
        return np.stack([left_out[wish.candidates] for wish in wishes])

    def _left_out_of(self, live: Live, candidates: Candidates) -> NDArray[np.bool_]:
        unavailable = self._shelf.unavailable(live)
        if candidates.all:
            return unavailable
        left_out = unavailable | live.recommender.left_out(candidates.only, candidates.exclude)
        return left_out | ~self._shelf.within(live, candidates.categories) if candidates.categories else left_out


def _share(waiting: Sequence[_Task], most: int) -> int:
    """How many of those who wait are scored next: all of a few, or half of many, who are answered while the others are
    scored; whoever is answered together asks again together, and only one of two threads would work at a time."""
    share = max(min(len(waiting), FEW), -(-len(waiting) // 2))
    # a request is parted as little as can be: it is answered once all of it is scored
    while share < min(len(waiting), most) and waiting[share].request is waiting[share - 1].request:
        share += 1
    return min(share, most)


def _tell(outcomes: Sequence[_Outcome]) -> None:
    """Brings outcomes to the event loops that wait for them: one call for all, as each wakes a loop up."""
    for loop, told in groupby(outcomes, key=lambda outcome: outcome[0].future.get_loop()):
        loop.call_soon_threadsafe(_settle, list(told))


def _settle(outcomes: Sequence[_Outcome]) -> None:
    for task, outcome in outcomes:
        if task.future.done():
            continue  # whoever asked has gone away
        if isinstance(outcome, BaseException):
            task.future.set_exception(outcome)
        else:
            task.future.set_result(outcome)


def _alike(one: tuple[_Person, _Task]) -> tuple[int, int, float]:
    """What is scored together: as many items of the same model, as different."""
    task = one[1]
    return id(task.live), task.wish.k, task.wish.diversity


def _refuse_late(wish: Wish, now: float) -> None:
    if now > wish.deadline:
        raise LateError("the service is too busy to answer in time: try again soon")


def _person(reach: Reach, wish: Wish) -> _Person:
    if wish.user is None:
        return _Person(wish, History(()) if wish.history is None else wish.history, wish.profile, known=True)
    user = wish.user
    known = reach.run(lambda store: known_of(store, user))
    return _Person(wish, known.history, {**known.profile, **wish.profile}, known.heard_of)


def _hidden(seen: csr_array, shown: Sequence[bool]) -> csr_array:
    """The cells that no ranking may hold: all that was seen, but for those who ask for it all the same."""
    if not any(shown):
        return seen
    kept = ~np.repeat(np.array(shown), np.diff(seen.indptr))
    lengths = np.where(shown, 0, np.diff(seen.indptr))
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return csr_array((seen.data[kept], seen.indices[kept], starts), shape=seen.shape)
