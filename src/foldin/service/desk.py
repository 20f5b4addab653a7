"""One connection to the store for all that is not a ranking or an event, on a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from foldin.service.reach import Reach
from foldin.store.contract import Store

__all__ = ["Desk"]

Result = TypeVar("Result")


class Desk:
    """Does one thing with the store after the other, while the event loop goes on. To be closed.

    Raises:
        ConfigurationError, NotFoundError, StoreError: the store cannot be opened, as from `open_store`.
    """

    def __init__(self, url: str) -> None:
        self._thread = ThreadPoolExecutor(1, "foldin-desk")
        self._reach = self._thread.submit(Reach, url).result()

    async def run(self, work: Callable[[Store], Result]) -> Result:
        """What `work` makes of the store."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._reach.run, work)

    def now(self, work: Callable[[Store], Result]) -> Result:
        """The same for a thread that may wait."""
        return self._thread.submit(self._reach.run, work).result()

    def close(self) -> None:
        """Ends what is being done, and the connection."""
        self._thread.submit(self._reach.close).result()
        self._thread.shutdown()
