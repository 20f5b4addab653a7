"""The parts of a running service, opened together and closed together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from threading import Event, Thread
from time import monotonic

from prometheus_client import Metric

from foldin.errors import FoldinError, NotFoundError
from foldin.recommendation import Recommendation
from foldin.service.bundle_list import BundleList
from foldin.service.clicks import Clicks
from foldin.service.desk import Desk
from foldin.service.intake import Intake
from foldin.service.jobs import Jobs
from foldin.service.keys import KeyRing
from foldin.service.live import Live, LiveModel
from foldin.service.measures import Measures
from foldin.service.notices import Notices
from foldin.service.offload import Worker
from foldin.service.outage import Outage
from foldin.service.reach import hurried
from foldin.service.recorder import Recorder
from foldin.service.retraining import Retraining
from foldin.service.scoring import Scorer
from foldin.service.settings import Settings
from foldin.service.shelf import Shelf, described
from foldin.service.tallies import Tallies
from foldin.service.write_check import WriteCheck
from foldin.workspace import open_workspace

__all__ = ["Service"]

PAUSE = 10
"""How many times as long as a look took there is none after it: a large catalogue takes seconds to read."""

LONGEST_PAUSE = 30.0
"""Seconds."""

EXPLAINER_BUSY = "too many requests for explanations are waiting: try again soon"

_log = logging.getLogger("foldin.service")


class Service:
    """What routes work with. A thread looks for new models and a changed catalogue. To be closed.

    Raises:
        NotFoundError: there is no workspace.
        ConfigurationError, StoreError: its settings or keys cannot be read, or its store cannot be opened.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.workspace = open_workspace(settings.workspace)
        self.workspace.store(create=True).close()
        url = hurried(self.workspace.store_url)
        self.bundle_list = BundleList(self.workspace)
        self.keys = KeyRing(settings.workspace)
        if settings.auth:
            self.keys.open()
        self.measures = Measures()
        self.shelf = Shelf()
        self.live = LiveModel(self.workspace, prepare=self.shelf.prepare)
        self.desk = Desk(url)
        # an import keeps whoever writes waiting for minutes, and nobody who reads
        self.writing_desk = Desk(url)
        self.intake = Intake(url, most_waiting=settings.most_writes)
        self.write_check = WriteCheck(self.writing_desk, self.intake.outage)
        self.clicks = Clicks(self.desk)
        self.recorder = Recorder(url, share=settings.impressions, on_dropped=self.measures.dropped.inc)
        self.desk.now(self.shelf.refresh)
        self.live.refresh()
        self.scorer = Scorer(
            url,
            self.live,
            self.shelf,
            most_at_once=settings.most_at_once,
            most_waiting=settings.most_waiting,
            on_batch=self.measures.batch.observe,
        )
        self.tallies = None if settings.tallies is None else Tallies(settings.tallies, self._measured)
        self.explainer = Worker("foldin-explainer", settings.most_explained, EXPLAINER_BUSY)
        self.notices = Notices()
        self.jobs = Jobs(settings.workspace)
        self._looks: list[tuple[str, Callable[[], object]]] = [
            ("catalogue", lambda: self.desk.now(self.shelf.refresh)),
            ("models", self.live.refresh),
        ]
        if settings.retrain is not None:
            retraining = Retraining(self.workspace, self.jobs, settings.retrain, keep=settings.keep, live=self.live.now)
            self._looks.append(("trainings", retraining.look))
        self._ended = Event()
        self._lookout = Thread(target=self._look, name="foldin-lookout", daemon=True)
        self._lookout.start()

    def close(self) -> None:
        """Answers and stores what is waiting, ends the trainings that were started here, and ends."""
        self._ended.set()
        self._lookout.join()
        self.jobs.close()
        self.explainer.close()
        self.scorer.close()
        self.recorder.close()
        self.intake.close()
        self.writing_desk.close()
        self.desk.close()
        if self.tallies is not None:
            self.tallies.close()

    def similar(self, live: Live, item: str, k: int) -> list[Recommendation]:
        """What goes with an item, of what can be had now; it may take a while.

        Raises:
            NotFoundError: the model lacks the item.
        """
        if self.shelf.catalog.knows([item]).all() and not live.recommender.catalog.knows([item]).all():
            raise NotFoundError(f"item '{item}' is newer than the model {live.version}: the next training knows it")
        found = live.recommender.similar(item, k, left_out=self.shelf.unavailable(live))
        return described(found, self.shelf.changed(live))

    def all_measures(self) -> Sequence[Metric]:
        """The measures of all the processes of the service; it may take a while where they are several."""
        return self._measured() if self.tallies is None else self.tallies.total()

    def _measured(self) -> list[Metric]:
        return self.measures.measured(self.live.now(), self.scorer.waiting)

    def _look(self) -> None:
        spent = 0.0
        outages = {what: Outage("no look", at=what) for what, _ in self._looks}
        while not self._ended.wait(max(self.settings.look, min(PAUSE * spent, LONGEST_PAUSE))):
            began = monotonic()
            for what, look in self._looks:
                try:
                    look()
                    outages[what].is_over()
                except FoldinError as error:  # as where the store is away for a while: what was read last still holds
                    outages[what].goes_on(error)
                except Exception:
                    _log.exception("no look", extra={"fields": {"at": what}})
            spent = monotonic() - began
