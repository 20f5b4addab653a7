"""The model that answers now, and how another takes its place: loaded whole, warmed up and checked before it does."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from time import monotonic
from typing import TypeAlias

import numpy as np

from foldin.bundle_files import FileFacts
from foldin.errors import BundleError, ConfigurationError, FoldinError, NotFoundError, UnreadableError
from foldin.recommender import Recommender
from foldin.wording import counted
from foldin.workspace import Workspace

__all__ = ["NO_MODEL", "Live", "LiveModel"]

NO_MODEL = "no model yet: put events in, then train one with `foldin train` or POST /v1/train"

TRIED = 32
"""Items whose histories of one a new model must answer before it goes live."""

KEPT = 0.5
"""What part of the items the present model knows a new one must know, so that nobody sees a broken import."""

PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a bundle that cannot be read is tried again, the first time and at most; each is twice the last."""

Identity: TypeAlias = tuple[str, Mapping[str, FileFacts] | None]
"""The name of a bundle, and its files with their hashes, None where it does not even say that."""

_log = logging.getLogger("foldin.service")


@dataclass(frozen=True, eq=False)
class Live:
    """A recommender with its version, a bundle's name; `since`: when it went live here."""

    version: str
    recommender: Recommender
    since: datetime


class LiveModel:
    """The recommender in use. Whoever asks keeps what they got: a request ends on the model it began with.

    `prepare` is told of each before it answers.
    """

    def __init__(self, workspace: Workspace, prepare: Callable[[Live], None]) -> None:
        self._workspace, self._prepare = workspace, prepare
        self._lock = Lock()
        self._live: Live | None = None
        self._tried: Identity | None = None
        self._pause, self._next = PAUSE, 0.0
        self.refused: dict[str, str] = {}
        """Versions that did not go live, and why not."""

    def now(self) -> Live | None:
        """What answers now; None before the first training."""
        return self._live

    def answering(self) -> Live:
        """What answers now.

        Raises:
            NotFoundError: nothing was trained yet.
        """
        if self._live is None:
            raise NotFoundError(NO_MODEL)
        return self._live

    def refresh(self) -> bool:
        """Makes what the workspace calls current live, unless it is or was refused; whether something changed.

        A bundle that takes the name of one that was removed is another: it is known by what is in it.
        """
        with self._lock:
            current = self._current()
            if current is None or (current == self._tried and self._is_settled(current[0])):
                return False
            if current != self._tried:
                self._tried, self._pause, self._next = current, PAUSE, 0.0
            return self._try(current[0])

    def use(self, version: str) -> str:
        """Takes a bundle of the workspace into use, by its name or number: here at once, in other processes at their
        next look; returns its name. What stands against it is found before it is current: nothing is to be undone.

        Raises:
            NotFoundError: there is no such bundle.
            BundleError: it is damaged, learned from users forgotten since, or would be refused at a look.
            UnreadableError: its files cannot be read.
            WorkspaceError: the workspace cannot be written to.
            StoreError: the store, which knows who is forgotten, cannot be read.
        """
        with self._lock:  # or a look would load it a second time
            return self._use(self._workspace.named(version))

    def rollback(self) -> str:
        """Takes the bundle before the current one into use, as `use`; several at once go as many steps.

        Raises:
            NotFoundError: there is none before it.
            BundleError, WorkspaceError, StoreError: as from `use`.
        """
        with self._lock:
            return self._use(self._workspace.name_before())

    def remove(self, version: str) -> str:
        """Removes a bundle of the workspace, by its name or number; returns its name.

        Raises:
            NotFoundError: there is no such bundle.
            ConfigurationError: it is in use, or answers here.
            WorkspaceError: the workspace cannot be written to.
        """
        with self._lock:
            name = self._workspace.named(version)
            if self._is_live(name):  # also one that is not current any more, as the current one was refused
                raise ConfigurationError(f"{name} answers now: take another into use first")
            self._workspace.remove(name)
            self.refused.pop(name, None)
            return name

    def _try(self, version: str) -> bool:
        try:
            recommender = self._workspace.load(version)
            _check(version, recommender, self._live)
        except FoldinError as error:
            self._refuse(version, error)
            self._next = self._rested() if isinstance(error, UnreadableError) else math.inf
            return False
        self._go_live(version, recommender)
        return True

    def _rested(self) -> float:
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
        return monotonic() + pause

    def _use(self, name: str) -> str:
        identity, recommender = self._identity(name), self._workspace.load_for_use(name)
        try:
            _check(name, recommender, self._live)
        except FoldinError as error:
            self._refuse(name, error)
            raise BundleError(f"{name} did not go live: {error}") from error
        self._workspace.make_current(name)
        if identity != self._tried or name in self.refused or not self._is_live(name):
            self._tried = identity
            self._go_live(name, recommender)
        return name

    def _go_live(self, version: str, recommender: Recommender) -> None:
        live = Live(version, recommender, datetime.now(UTC))
        self._prepare(live)
        self._live = live
        self.refused.pop(version, None)
        _log.info("model live", extra={"fields": {"model": version}})

    def _refuse(self, version: str, error: FoldinError) -> None:
        known, self.refused[version] = self.refused.get(version), str(error)
        # what cannot be read is tried again and again
        if not isinstance(error, UnreadableError) or known != str(error):
            _log.error("model refused", extra={"fields": {"model": version, "reason": str(error)}})

    def _is_settled(self, version: str) -> bool:
        return monotonic() < self._next if version in self.refused else self._is_live(version)

    def _is_live(self, version: str) -> bool:
        return self._live is not None and self._live.version == version

    def _current(self) -> Identity | None:
        try:
            version = self._workspace.current_name()
        except FoldinError as error:
            _log.error("no current model", extra={"fields": {"reason": str(error)}})
            return None
        return None if version is None else self._identity(version)

    def _identity(self, version: str) -> Identity:
        try:
            return version, self._workspace.manifest(version).files
        except FoldinError:
            return version, None


def _check(version: str, recommender: Recommender, present: Live | None) -> None:
    """Answers for nobody and for short histories, so that the first user waits for nothing and no nonsense goes live.

    Raises:
        BundleError: it recommends nothing, or knows far fewer items than the present one.
        TrainingError: its scores are not numbers.
    """
    warm = np.flatnonzero(recommender.blend.prior.warm)
    tried = recommender.catalog.ids(warm[np.linspace(0, len(warm) - 1, min(TRIED, len(warm)), dtype=np.intp)])
    answers = recommender.recommend_many([[], *([item_id] for item_id in tried)])
    if len(warm) and not any(answers):
        raise BundleError("it recommends nothing to anybody")
    if present is not None:
        known = recommender.catalog.knows(present.recommender.catalog.item_ids)
        if known.mean() < KEPT:
            raise BundleError(
                f"it knows {known.sum():,} of {counted(len(known), 'item')} of {present.version}: "
                f"if that is meant, take it into use with `foldin models use {version}` and restart the service"
            )
