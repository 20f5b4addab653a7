"""Where events come in: as many batches as may wait for the disk, and not one more."""

from __future__ import annotations

import asyncio
from threading import Semaphore

from foldin.errors import ConflictError, StoreError
from foldin.service.busy import BusyError
from foldin.service.outage import Outage
from foldin.store.contract import Batch, Ingested
from foldin.store.writer import Writer

__all__ = ["Intake"]


class Intake:
    """Brings batches to a writer, which would let the whole event loop wait for a place. To be closed.

    `most_waiting`: batches that may wait; at most what may wait with the writer. `outage`: of storing events.

    Raises:
        ConfigurationError, NotFoundError, StoreError: the store cannot be opened, as from `open_store`.
    """

    def __init__(self, url: str, *, most_waiting: int) -> None:
        self._writer = Writer(url)
        self._places = Semaphore(most_waiting)
        self.outage = Outage("events refused")

    async def append(self, batch: Batch) -> Ingested:
        """Stores a batch, and returns when it will survive whatever happens.

        Whoever goes away meanwhile has brought it all the same: its place is free once it is stored.

        Raises:
            BusyError: too many wait already.
            DataError, ConflictError, StoreError: as from `Writer.append`.
        """
        if not self._places.acquire(blocking=False):
            raise BusyError("more events wait for the disk than may: try again soon")
        stored = self._writer.submit(batch)
        stored.add_done_callback(lambda _: self._places.release())
        try:
            ingested = await asyncio.shield(asyncio.wrap_future(stored))
        except ConflictError:
            raise  # the store is there, and has refused it
        except StoreError as failure:
            self.outage.goes_on(failure)
            raise
        self.outage.is_over()
        return ingested

    def close(self) -> None:
        """Stores what is waiting, and ends."""
        self._writer.close()
