"""Training again every so often, where there is something new to learn from."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic

from foldin.audit import audit
from foldin.errors import BundleError
from foldin.service.jobs import Job, Jobs, RunningError
from foldin.service.live import Live
from foldin.workspace import Workspace

__all__ = ["Retraining"]

RETRAINING = "--retrain"
"""Who it is, for the audit, that starts a training when it is time."""

LOOK = 60.0
"""Seconds between looks whether there is something new, at most."""

_log = logging.getLogger("foldin.service")


class Retraining:
    """Starts a training once `every` seconds have passed since the last one began and the store has moved on.

    `keep`: bundles that it leaves; older ones are removed once the new one is published.
    `live`: returns what answers. Where that is not the current bundle, which was refused then, none is removed: the
    one that answers may be the oldest.
    Of several processes that look, one starts it: whether it is wanted is decided where jobs begin, one at a time.
    """

    def __init__(
        self, workspace: Workspace, jobs: Jobs, every: float, *, keep: int, live: Callable[[], Live | None]
    ) -> None:
        self._workspace, self._jobs, self._every, self._keep, self._live = workspace, jobs, every, keep, live
        self._next = monotonic()

    def look(self) -> Job | None:
        """The job that was started; None where it is too early, nothing is new, or one is running.

        Raises:
            WorkspaceError, StoreError: workspace or store cannot be read or written.
        """
        if monotonic() < self._next:
            return None
        self._next = monotonic() + min(self._every, LOOK)
        if not self._due(self._jobs.all()) or not self._anything_new():
            return None
        try:
            job = self._jobs.start(wanted=self._due, keep=self._keep if self._current_answers() else None)
        except RunningError:
            return None
        if job is not None:
            audit(self._workspace.folder, RETRAINING, "start training", job=job.id, outcome="done")
            _log.info("training again", extra={"fields": {"job": job.id}})
        return job

    def _due(self, jobs: Sequence[Job]) -> bool:
        """Whether the last training, by whomever, was long enough ago."""
        newest = self._workspace.newest_manifest()
        trained = [job.started for job in jobs[-1:]] + ([] if newest is None else [newest.created])
        if not trained:
            return True
        last = max(datetime.fromisoformat(moment) for moment in trained)
        return (datetime.now(UTC) - last).total_seconds() >= self._every

    def _anything_new(self) -> bool:
        newest = self._workspace.newest_manifest()
        learned = None if newest is None else newest.data_position
        with self._workspace.store() as store:
            summary = store.summary()
        # a restored store differs from the model, too
        return summary.events > 0 if learned is None else summary.position != learned

    def _current_answers(self) -> bool:
        live = self._live()
        with suppress(BundleError):
            return live is not None and live.version == self._workspace.current_name()
        return False
