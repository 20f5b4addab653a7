"""What does not work for a while: the log says so once, and once that it works again."""

from __future__ import annotations

import logging

from foldin.store.file_identity import MovedError

__all__ = ["Outage"]

_log = logging.getLogger("foldin.service")


class Outage:
    """Of one thing, which `what` names in the log."""

    def __init__(self, what: str, **fields: str) -> None:
        self._what, self._fields = what, fields
        self._begun = False

    @property
    def begun(self) -> bool:
        """Whether it did not work the last time."""
        return self._begun

    def goes_on(self, reason: object) -> None:
        """It did not work."""
        if not self._begun:
            level = logging.ERROR if isinstance(reason, MovedError) else logging.WARNING
            _log.log(level, self._what, extra={"fields": {**self._fields, "reason": str(reason)}})
        self._begun = True

    def is_over(self) -> None:
        """It worked."""
        if self._begun:
            _log.info("%s: over", self._what, extra={"fields": self._fields})
        self._begun = False
