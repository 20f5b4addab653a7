"""What was shown is remembered: soon, on a thread of its own, and never at the cost of an answer."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Callable, Sequence
from random import randbytes, random
from threading import Event, Thread
from time import time_ns

from foldin.service.outage import Outage
from foldin.store.contract import Impression, Store
from foldin.store.opening import open_store

__all__ = ["Recorder"]

PAUSE = 0.1
"""Seconds between two commits: what is shown meanwhile shares one, and disk and events have the rest; many at once
would keep answers waiting."""

MOST_WAITING = 20_000
"""Impressions that may wait for the store; of more it is only counted how many there were."""

MOST_AT_ONCE = 1_000
"""Impressions in one commit, so that events need not wait long for their turn."""


class Recorder:
    """Stores a `share` (0 to 1) of what is shown; `on_dropped` is told how many could not be. To be closed.

    Raises:
        ConfigurationError, NotFoundError, StoreError: the store cannot be opened, as from `open_store`.
    """

    def __init__(self, url: str, *, share: float, on_dropped: Callable[[int], object]) -> None:
        self._share, self._on_dropped = share, on_dropped
        self._waiting: deque[Impression] = deque()
        self._outage = Outage("impressions dropped")
        self._ended = Event()
        self._store = open_store(url)
        self._thread = Thread(target=self._work, args=(self._store,), name="foldin-recorder", daemon=True)
        self._thread.start()

    def record(self, user_id: str | None, model: str, item_ids: Sequence[str]) -> str:
        """Brings what somebody is shown, and returns the recommendation's id; waits for nothing."""
        recommendation_id = _new_id()
        if item_ids and random() < self._share:
            if len(self._waiting) < MOST_WAITING:
                now = time_ns() // 1_000
                self._waiting.append(Impression(recommendation_id, user_id, model, now, tuple(item_ids)))
            else:
                self._on_dropped(1)
        return recommendation_id

    def close(self) -> None:
        """Stores what is waiting, and ends."""
        self._ended.set()
        self._thread.join()

    def _work(self, store: Store) -> None:
        with store:
            while not self._ended.wait(PAUSE):
                self._store_waiting(store)
            self._store_waiting(store)

    def _store_waiting(self, store: Store) -> None:
        while self._waiting:
            shown = [self._waiting.popleft() for _ in range(min(MOST_AT_ONCE, len(self._waiting)))]
            try:
                store.show(shown)
            except Exception as failure:  # whatever it was, the next ones are to be tried
                self._on_dropped(len(shown))
                self._outage.goes_on(failure)
            else:
                self._outage.is_over()


def _new_id() -> str:
    """Random, behind the milliseconds since the epoch: ids of the same time lie side by side in an index.

    No secret: whoever cites it has to be the user it was made for, so the system need not be asked for each.
    """
    return urlsafe_b64encode((time_ns() // 1_000_000).to_bytes(6, "big") + randbytes(9)).decode()
