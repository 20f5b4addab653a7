"""The parts of a running service, opened together and closed together."""

from __future__ import annotations

import logging
from contextlib import suppress
from threading import Event, Thread

from foldin.errors import FoldinError
from foldin.service.desk import Desk
from foldin.service.jobs import Jobs
from foldin.service.keys import KeyRing
from foldin.service.live import LiveModel
from foldin.service.measures import Measures
from foldin.service.retraining import Retraining
from foldin.service.scoring import Scorer
from foldin.service.settings import Settings
from foldin.service.shelf import Shelf
from foldin.store.writer import Writer
from foldin.workspace import open_workspace

__all__ = ["Service"]

_log = logging.getLogger("foldin.service")


class Service:
    """What routes work with. A thread looks for new models and a changed catalogue. To be closed.

    Raises:
        NotFoundError: there is no workspace.
        ConfigurationError, StoreError: its settings cannot be read, or its store cannot be opened.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.workspace = open_workspace(settings.workspace)
        self.workspace.store(create=True).close()
        url = self.workspace.store_url
        self.keys = KeyRing(settings.workspace)
        self.measures = Measures()
        self.live, self.shelf = LiveModel(self.workspace), Shelf()
        self.desk = Desk(url)
        self.writer = Writer(url)
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
        self.jobs = Jobs(settings.workspace)
        self._retraining = None if settings.retrain is None else Retraining(self.workspace, self.jobs, settings.retrain)
        self._ended = Event()
        self._lookout = Thread(target=self._look, name="foldin-lookout", daemon=True)
        self._lookout.start()

    def close(self) -> None:
        """Answers and stores what is waiting, ends the trainings that were started here, and ends."""
        self._ended.set()
        self._lookout.join()
        self.jobs.close()
        self.scorer.close()
        self.writer.close()
        self.desk.close()

    def _look(self) -> None:
        while not self._ended.wait(self.settings.look):
            with suppress(FoldinError):  # the store may be away for a while: what was read last still holds
                self.desk.now(self.shelf.refresh)
            try:
                self.live.refresh()
            except Exception:
                _log.exception("no look at the models")
            if self._retraining is not None:
                self._train_again(self._retraining)

    def _train_again(self, retraining: Retraining) -> None:
        try:
            retraining.look()
        except Exception:
            _log.exception("no training")
