"""A store that may be away for a while: only a thread of its own waits for it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import TypeVar

from foldin.errors import ConflictError, FoldinError, StoreError
from foldin.store.contract import Store
from foldin.store.opening import open_store

__all__ = ["Reach", "hurried"]

Result = TypeVar("Result")

PAUSE = 0.5
"""Seconds between two looks for a store that is away."""

HURRY = {"connect_timeout": 2, "tcp_user_timeout": 5_000}
"""For PostgreSQL: the seconds a server has to answer a connection, and the milliseconds a network has to take what is
sent. A command can wait for longer than somebody on a page."""


class Reach:
    """A store for one thread, which hears at once that it is away while it is looked for. To be closed.

    Raises:
        ConfigurationError, NotFoundError, StoreError: the store cannot be opened, as from `open_store`.
    """

    def __init__(self, url: str) -> None:
        self._store = open_store(url)
        self._away: str | None = None
        self._ended = Event()
        self._looking: Thread | None = None

    @property
    def away(self) -> bool:
        """Whether it is being looked for."""
        return self._away is not None

    def run(self, work: Callable[[Store], Result]) -> Result:
        """What `work` makes of the store.

        Raises:
            StoreError: it is away, or cannot do this.
            ConflictError, or whatever else `work` raises; the store is there all the same.
        """
        if self._away is not None:
            raise StoreError(self._away)
        try:
            return work(self._store)
        except ConflictError:
            raise
        except StoreError as failure:
            self._look_for_it(str(failure))
            raise

    def close(self) -> None:
        """Ends the connection."""
        self._ended.set()
        if self._looking is not None:
            self._looking.join()
        self._store.close()

    def _look_for_it(self, reason: str) -> None:
        # until it is found the connection is the looking thread's, and nobody else's
        self._away = reason
        self._looking = Thread(target=self._look, name="foldin-reach", daemon=True)
        self._looking.start()

    def _look(self) -> None:
        while not self._is_there() and not self._ended.wait(PAUSE):
            pass
        self._away = None

    def _is_there(self) -> bool:
        try:
            self._store.cursor("health")
        except FoldinError:
            return False
        return True


def hurried(url: str) -> str:
    """A store's URL with what keeps a server that does not answer from being waited for, unless the URL says it."""
    if not url.startswith("postgres"):
        return url
    place, _, query = url.partition("?")
    given = [part for part in query.split("&") if part]
    names = {part.partition("=")[0] for part in given}
    return f"{place}?{'&'.join([*given, *(f'{name}={value}' for name, value in HURRY.items() if name not in names)])}"
