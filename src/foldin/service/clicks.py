"""What was shown and clicked, as the store counts it: the same whichever process is asked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from foldin.errors import StoreError
from foldin.service.desk import Desk
from foldin.store.contract import ClickThrough

__all__ = ["Clicks"]


class Clicks:
    """Looks the counts up; while the store is away, the last ones still hold."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._last: Sequence[ClickThrough] = ()

    async def counted(self) -> Sequence[ClickThrough]:
        """Shown and clicked by model and rank."""
        with suppress(StoreError):
            self._last = await self._desk.run(lambda store: store.click_through())
        return self._last
