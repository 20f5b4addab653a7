"""What the log says of requests that failed for want of something in the service itself: the store, memory, time."""

from __future__ import annotations

import logging
import re
from time import monotonic

__all__ = ["Troubles"]

PAUSE = 1.0
"""Seconds in which the same reason is said once, however many fail of it."""

MOST_REASONS = 64

_log = logging.getLogger("foldin.service")


class Troubles:
    """Tells an operator each reason as it is, with one request that it befell."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def tell(self, error: Exception, request_id: str, status: int) -> None:
        """Logs why a request failed, unless that was said just now."""
        reason, now = _without_rows(str(error)), monotonic()
        self._said = {known: at for known, at in self._said.items() if now - at < PAUSE}
        if reason in self._said or len(self._said) == MOST_REASONS:
            return
        self._said[reason] = now
        level = logging.ERROR if status == 500 else logging.WARNING
        fields = {"request_id": request_id, "status": status, "reason": reason}
        _log.log(level, "request failed", extra={"fields": fields})


def _without_rows(reason: str) -> str:
    # what PostgreSQL says in detail can hold the row, and so somebody's id
    return re.split(r" (?:DETAIL|CONTEXT|LINE \d+): ", reason)[0]
