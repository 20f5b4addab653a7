"""Worker threads for long work: the event loop serves other requests meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread, local
from typing import Any, Generic, TypeVar

from foldin.service.busy import BusyError

__all__ = ["Worker", "check_cancelled", "offload"]

Result = TypeVar("Result")

_current = local()


@dataclass(frozen=True, eq=False)
class _Job(Generic[Result]):
    """`future` stays pending while the work runs, so that it can be cancelled until there is a result."""

    work: Callable[[], Result]
    future: Future[Result]


class Worker:
    """A daemon thread that runs one piece of work after another. To be closed.

    Work whose request has ended, as at its deadline, is not started, and work that calls `check_cancelled` between
    its steps stops there. The exit of the process does not wait for work that hangs. `max_waiting`: pieces of work
    that may wait or run at once; None sets no limit. `busy`: the error's message beyond that.
    """

    def __init__(
        self, name: str, max_waiting: int | None = None, busy: str = "too much work is waiting: try again soon"
    ) -> None:
        self._name, self._max_waiting, self._busy = name, max_waiting, busy
        self._jobs: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._pending: set[Future[Any]] = set()
        self._starting = Lock()
        self._thread: Thread | None = None

    async def run(self, work: Callable[[], Result]) -> Result:
        """Returns what the work returns, or raises what it raises.

        Raises:
            BusyError: too much work waits already.
        """
        if self._max_waiting is not None and len(self._pending) >= self._max_waiting:
            raise BusyError(self._busy)
        future: Future[Result] = Future()
        self._pending.add(future)
        try:
            self._start()
            self._jobs.put(_Job(work, future))
            return await asyncio.wrap_future(future)
        finally:
            future.cancel()  # does nothing once there is a result
            self._pending.discard(future)

    def close(self) -> None:
        """Cancels what waits and what runs, and ends the thread; does not wait for work that ignores this."""
        for future in list(self._pending):
            future.cancel()
        self._jobs.put(None)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not job.future.cancelled():
                _run(job)


def check_cancelled() -> None:
    """Stops work on a worker's thread whose request has ended; does nothing on other threads.

    Raises:
        CancelledError: the request has ended.
    """
    future: Future[Any] | None = getattr(_current, "future", None)
    if future is not None and future.cancelled():
        raise CancelledError


# one thread for all: with more of them the event loop waits longer for its turn
_shared = Worker("foldin-offload")


async def offload(work: Callable[[], Result], *, long: bool) -> Result:
    """Runs long work on the thread that all requests share, and short work at once."""
    return await _shared.run(work) if long else work()


def _run(job: _Job[Any]) -> None:
    _current.future = job.future
    try:
        result = job.work()
    except BaseException as failure:
        with suppress(InvalidStateError):  # cancelled meanwhile
            job.future.set_exception(failure)
    else:
        with suppress(InvalidStateError):
            job.future.set_result(result)
    finally:
        _current.future = None
