"""Reading the whole store for its digest: on a thread of its own, and again only where events came since."""

from __future__ import annotations

import logging
from threading import Lock, Thread

from foldin.errors import FoldinError
from foldin.service.page.digest import Digest, digest_of
from foldin.store.contract import Store
from foldin.store.opening import open_store

__all__ = ["Reading"]

_log = logging.getLogger("foldin.service")


class Reading:
    """The digest as it is known, and a thread that makes another where it is old; `trouble`: why there is none."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = Lock()
        self._thread: Thread | None = None
        self._digest: Digest | None = None
        self.trouble: str | None = None

    def digest(self, position: int) -> Digest | None:
        """The last digest, perhaps of before `position`, in which case another is begun; None before the first."""
        with self._lock:
            fresh = self._digest is not None and self._digest.position >= position
            if not fresh and (self._thread is None or not self._thread.is_alive()):
                self._thread = Thread(target=self._read, name="foldin-digest", daemon=True)
                self._thread.start()
            return self._digest

    def _read(self) -> None:
        try:
            with open_store(self._url) as store:
                self._digest, self.trouble = _digest(store), None
        except FoldinError as error:
            self.trouble = str(error)
            _log.error("no digest", extra={"fields": {"reason": str(error)}})


def _digest(store: Store) -> Digest:
    snapshot = store.snapshot()
    return digest_of(snapshot.interactions, snapshot.position)
