"""Long work goes to a thread, which takes turns with the event loop, where everybody else is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["aside"]

Result = TypeVar("Result")

# one thread: the more of them, the longer it takes until the loop has its turn
_thread = ThreadPoolExecutor(1, "foldin-aside")


async def aside(work: Callable[[], Result], *, long: bool) -> Result:
    """What the work returns or raises: at once, or, where it is long, one such work after the other."""
    return await asyncio.get_running_loop().run_in_executor(_thread, work) if long else work()
