"""Reasons, one request after the other: they take long, and nothing else is to wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from foldin.service.scoring import BusyError

__all__ = ["Explainer"]

Result = TypeVar("Result")


class Explainer:
    """A thread that explains; at most `most_waiting` requests may be there. To be closed."""

    def __init__(self, most_waiting: int) -> None:
        self._thread = ThreadPoolExecutor(1, "foldin-explainer")
        self._most_waiting, self._waiting = most_waiting, 0

    async def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns.

        Raises:
            BusyError: too many wait already.
        """
        if self._waiting >= self._most_waiting:
            raise BusyError("the service is asked for more reasons than it can tell: try again soon")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Ends what is being explained; what waits is not begun."""
        self._thread.shutdown(cancel_futures=True)
