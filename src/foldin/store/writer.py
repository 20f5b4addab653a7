"""Many threads, one commit: a thread of its own stores whatever has come in meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from threading import Condition, Thread
from types import TracebackType
from typing import Self, TypeAlias

from foldin.errors import StoreError
from foldin.store.contract import Batch, Ingested, Store
from foldin.store.opening import open_store

__all__ = ["Writer"]

MOST_WAITING = 4096
"""Batches that may wait; whoever brings one more waits for a place."""

MOST_AT_ONCE = 512
"""Batches in one commit, so that the first need not wait for all."""

_Task: TypeAlias = tuple[Batch, "Future[Ingested]"]


class Writer:
    """Stores batches from any number of threads, as many in one commit as have come in during the one before (group
    commit: the disk is waited for once per commit, however many batches it holds).

    To be closed, or used in a `with`: what was brought until then is stored, and nothing is taken after.

    Raises:
        ConfigurationError, NotFoundError, StoreError: the store cannot be opened, as from `open_store`.
    """

    def __init__(self, url: str) -> None:
        self._waiting: deque[_Task] = deque()
        self._changed = Condition()
        self._closed = False
        opened: Future[None] = Future()
        self._thread = Thread(target=self._work, args=(url, opened), name="foldin-writer", daemon=True)
        self._thread.start()
        opened.result()

    def append(self, batch: Batch) -> Ingested:
        """Stores a batch, and returns when it will survive whatever happens.

        Raises:
            DataError, ConflictError: this batch cannot be stored; others are unharmed.
            StoreError: the database failed and the batch was not stored, or the writer is closed.
        """
        return self.submit(batch).result()

    def submit(self, batch: Batch) -> Future[Ingested]:
        """Brings a batch; the future gives what `append` returns or raises. Waits only while too many are waiting.

        Raises:
            StoreError: the writer is closed.
        """
        future: Future[Ingested] = Future()
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._waiting) < MOST_WAITING)
            if self._closed:
                raise StoreError("the writer is closed, and the batch was not stored; open another")
            self._waiting.append((batch, future))
            self._changed.notify_all()
        return future

    def close(self) -> None:
        """Stores what is waiting, and ends."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(self, url: str, opened: Future[None]) -> None:
        try:
            with open_store(url) as store:
                opened.set_result(None)
                while tasks := self._next():
                    _store(store, tasks)
        except BaseException as failure:
            # of one that ended the work, all who had brought something have heard
            if not opened.done():
                opened.set_exception(failure)
        finally:
            self._refuse_the_rest()

    def _next(self) -> Sequence[_Task]:
        """What is waiting, once something is; nothing only where the writer is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            tasks = [self._waiting.popleft() for _ in range(min(MOST_AT_ONCE, len(self._waiting)))]
            self._changed.notify_all()
        return tasks

    def _refuse_the_rest(self) -> None:
        with self._changed:
            self._closed = True
            tasks = list(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        for _, future in tasks:
            _refuse(future, StoreError("the writer has failed, and the batch was not stored; open another"))


def _store(store: Store, tasks: Sequence[_Task]) -> None:
    running = [(batch, future) for batch, future in tasks if future.set_running_or_notify_cancel()]
    try:
        _settle(running, _outcomes(store, [batch for batch, _ in running]))
    except BaseException as failure:
        _settle(running, [failure] * len(running))
        raise


def _outcomes(store: Store, batches: Sequence[Batch]) -> Sequence[Ingested | BaseException]:
    try:
        return store.append(batches)
    except StoreError as failure:
        return [failure] * len(batches)
    except Exception as failure:
        # a batch that is none, as one with ids that are no text: only whoever brought it shall hear of it
        return [failure] if len(batches) == 1 else [one for batch in batches for one in _outcomes(store, [batch])]


def _settle(tasks: Sequence[_Task], outcomes: Sequence[Ingested | BaseException]) -> None:
    for (_, future), outcome in zip(tasks, outcomes, strict=True):
        if isinstance(outcome, Ingested):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)


def _refuse(future: Future[Ingested], error: StoreError) -> None:
    if future.set_running_or_notify_cancel():
        future.set_exception(error)
