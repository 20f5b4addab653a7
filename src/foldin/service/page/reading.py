"""Reading the whole store for its digest: on a thread of its own, and again only where events came since."""

from __future__ import annotations

import logging
from threading import Lock, Thread
from time import monotonic

from foldin.errors import FoldinError
from foldin.service.page.digest import Digest, digest_of
from foldin.store.contract import Store
from foldin.store.opening import open_store

__all__ = ["Reading"]

PAUSE = 10
"""How many times as long as a reading took there is none after it for who is patient."""

_log = logging.getLogger("foldin.service")


class Reading:
    """The digest as it is known, and a thread that makes another where it is old; `trouble`: why there is none."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = Lock()
        self._thread: Thread | None = None
        self._digest: Digest | None = None
        self._rested = monotonic()
        self.trouble: str | None = None

    def digest(self, position: int, *, patient: bool = False) -> Digest | None:
        """The last digest, perhaps of before `position`, in which case another is begun; None before the first.

        `patient`: whoever asks again and again, so that a store to which events come all the time is not read all the
        time.
        """
        with self._lock:
            fresh = self._digest is not None and self._digest.position >= position
            reads = self._thread is not None and self._thread.is_alive()
            if not fresh and not reads and (not patient or monotonic() >= self._rested):
                self._thread = Thread(target=self._read, name="foldin-digest", daemon=True)
                self._thread.start()
            return self._digest

    def _read(self) -> None:
        began = monotonic()
        try:
            with open_store(self._url) as store:
                self._digest, self.trouble = _digest(store), None
        except FoldinError as error:
            self.trouble = str(error)
            _log.error("no digest", extra={"fields": {"reason": str(error)}})
        self._rested = monotonic() + PAUSE * (monotonic() - began)


def _digest(store: Store) -> Digest:
    snapshot = store.snapshot()
    return digest_of(snapshot.interactions, snapshot.position)
