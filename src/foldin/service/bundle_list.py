"""The list of bundles, without waiting until all of their files are hashed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from threading import Lock, Thread

from foldin.errors import FoldinError, UnreadableError
from foldin.workspace import Bundle, Workspace

__all__ = ["BundleList"]

WAIT_SECONDS = 5.0
"""What a look waits for files that were not hashed yet: a large bundle takes seconds, many take minutes."""


class BundleList:
    """The bundles of a workspace, whose files are hashed in one background thread.

    The thread is no member of a pool: other requests need the threads of that, and a process waits for them at its end.
    """

    def __init__(self, workspace: Workspace, wait_seconds: float = WAIT_SECONDS) -> None:
        self._workspace, self._wait_seconds = workspace, wait_seconds
        self._lock = Lock()
        self._running: Future[None] | None = None
        self._unreadable: dict[str, str] = {}

    async def bundles(self) -> list[Bundle]:
        """All bundles, oldest first; those whose files are still being hashed are not `checked`.

        Raises:
            StoreError: the store, which knows who is forgotten, cannot be read.
        """
        bundles = await asyncio.to_thread(self._listed)
        unchecked = [bundle.name for bundle in bundles if not bundle.checked]
        if not unchecked:
            return bundles
        await asyncio.wait([asyncio.wrap_future(self._check(unchecked))], timeout=self._wait_seconds)
        return await asyncio.to_thread(self._listed)

    def _listed(self) -> list[Bundle]:
        unreadable = self._unreadable
        return [
            bundle if bundle.checked else replace(bundle, damage=unreadable.get(bundle.name))
            for bundle in self._workspace.bundles(hashing=False)
        ]

    def _check(self, names: Sequence[str]) -> Future[None]:
        """Starts to hash the files of bundles, or returns what is running already."""
        with self._lock:
            if self._running is None:
                running: Future[None] = Future()
                running.set_running_or_notify_cancel()  # a request that ends early cannot cancel it
                Thread(target=self._run, args=(names, running), name="foldin-hashing", daemon=True).start()
                self._running = running  # once the thread has started, as it resets this at its end, under the lock
            return self._running

    def _run(self, names: Sequence[str], running: Future[None]) -> None:
        unreadable = {}
        try:
            for name in names:
                try:
                    self._workspace.check(name)
                except UnreadableError as error:
                    unreadable[name] = str(error)
                except FoldinError:
                    continue  # the next look finds damage by itself, as the digest is remembered
        finally:
            with self._lock:
                self._unreadable, self._running = unreadable, None
            running.set_result(None)
