"""Whether events can be stored now, for readiness checks."""

from __future__ import annotations

import asyncio
from time import monotonic

import apsw

from foldin.errors import FoldinError
from foldin.service.desk import Desk
from foldin.service.outage import Outage

__all__ = ["WriteCheck"]

MIN_SECONDS_BETWEEN_PROBES = 1.0
"""Health routes need no key, so they must not write as often as they are asked."""

MAX_PROBE_SECONDS = 1.0
"""An import keeps a probe waiting for minutes; until then the last write counts."""


class WriteCheck:
    """Knows from `outage` whether the last event could be stored, and finds out by a probe through `desk`, which writes
    a few bytes."""

    def __init__(self, desk: Desk, outage: Outage) -> None:
        self._desk, self._outage = desk, outage
        self._probe: asyncio.Task[None] | None = None
        self._last = float("-inf")

    async def succeeds(self, *, probe: bool) -> bool:
        """Whether events can be stored. `probe`: whether to write even where the last write worked; after one that
        failed, that is always tried."""
        if not (probe or self._outage.begun):
            return True
        if self._is_due():
            self._last = monotonic()
            self._probe = asyncio.create_task(self._write())
        if self._probe is not None:
            await asyncio.wait({self._probe}, timeout=MAX_PROBE_SECONDS)
        return not self._outage.begun

    def _is_due(self) -> bool:
        running = self._probe is not None and not self._probe.done()
        return not running and monotonic() - self._last >= MIN_SECONDS_BETWEEN_PROBES

    async def _write(self) -> None:
        try:
            await self._desk.run(lambda store: store.check_writable())
        except (FoldinError, apsw.Error, OSError) as failure:
            self._outage.goes_on(failure)
        else:
            self._outage.is_over()
