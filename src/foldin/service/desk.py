"""One connection to the store for all that is not a ranking or an event, on a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from foldin.store.contract import Store
from foldin.store.opening import open_store

__all__ = ["Desk"]

Result = TypeVar("Result")


class Desk:
    """Does one thing with the store after the other, while the event loop goes on. To be closed.

    Raises:
        ConfigurationError, NotFoundError, StoreError: the store cannot be opened, as from `open_store`.
    """

    def __init__(self, url: str) -> None:
        self._thread = ThreadPoolExecutor(1, "foldin-desk")
        self._store = self._thread.submit(open_store, url).result()

    async def run(self, work: Callable[[Store], Result]) -> Result:
        """What `work` makes of the store."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._store)

    def now(self, work: Callable[[Store], Result]) -> Result:
        """The same for a thread that may wait."""
        return self._thread.submit(work, self._store).result()

    def close(self) -> None:
        """Ends what is being done, and the connection."""
        self._thread.submit(self._store.close).result()
        self._thread.shutdown()
