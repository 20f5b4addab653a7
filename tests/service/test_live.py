"""Which model answers, and which one must not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from shutil import copytree

import pytest

from foldin.bundle import load_bundle
from foldin.data.interactions import Interactions
from foldin.errors import BundleError, WorkspaceError
from foldin.fitting import fit
from foldin.models.ease import EASE
from foldin.recommender import Recommender
from foldin.service.live import Live, LiveModel
from foldin.service.shelf import Shelf
from foldin.workspace import Workspace, open_workspace
from tests.faults.small_disk import SmallDisk
from tests.faults.unreadable import unreadable
from tests.service.faults.publishing import publish_damaged


@dataclass
class Clock:
    """One that goes on as a test says; `now`: in seconds."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of a live model."""
    clock = Clock()
    monkeypatch.setattr("foldin.service.live.monotonic", clock)
    return clock


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the bundles that are read, one after another."""
    names: list[str] = []

    def reading(folder: Path) -> Recommender:
        names.append(folder.name)
        return load_bundle(folder)

    monkeypatch.setattr("foldin.workspace.load_bundle", reading)
    return names


@pytest.fixture(autouse=True)
def _heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foldin.service.live._log.propagate", True)


@pytest.fixture
def own(new_workspace: Callable[[], Workspace]) -> Workspace:
    return new_workspace()


def version(live: LiveModel) -> str | None:
    present = live.now()
    return None if present is None else present.version


def tries(live: LiveModel, clock: Clock, reads: list[str], seconds: int) -> list[int]:
    """The seconds from now in which a look, of one each second, reads a bundle."""
    began, tried = clock.now, []
    for second in range(seconds):
        clock.now = began + second
        reads.clear()
        assert not live.refresh()
        tried += [second] * len(reads)
    return tried


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log says of what went wrong."""
    return [record.message for record in caplog.records if record.levelname == "ERROR"]


def test_a_damaged_model_is_refused_and_the_one_before_answers_on(own: Workspace, checkerboard: Interactions) -> None:
    live = LiveModel(own, Shelf().prepare)
    assert live.refresh()
    name = publish_damaged(own, fit(checkerboard, estimator=EASE(l2=5)), Random(1))
    assert not live.refresh()
    assert not live.refresh()
    assert version(live) == "1-ease"
    assert list(live.refused) == [name]


def test_a_model_that_knows_few_of_the_items_is_refused(own: Workspace, checkerboard: Interactions) -> None:
    live = LiveModel(own, Shelf().prepare)
    live.refresh()
    own.publish(fit(checkerboard.where(checkerboard.item_codes < 4), estimator=EASE(l2=5)))
    assert not live.refresh()
    assert "it knows 4 of 12 items" in live.refused["2-ease"]


def test_a_model_that_knows_few_of_the_items_is_taken_as_the_refusal_says(
    own: Workspace, checkerboard: Interactions
) -> None:
    live = LiveModel(own, Shelf().prepare)
    live.refresh()
    few = own.publish(fit(checkerboard.where(checkerboard.item_codes < 4), estimator=EASE(l2=5)))
    own.use("1-ease")
    with pytest.raises(BundleError, match=f"2-ease did not go live: .*`foldin models use {few}` and restart the serv"):
        live.use(few)
    own.use(few)
    assert not live.refresh()
    assert version(live) == "1-ease"
    restarted = LiveModel(own, Shelf().prepare)
    assert restarted.refresh()
    assert version(restarted) == few


def test_a_model_is_taken_into_use_at_once_and_read_once(
    own: Workspace, checkerboard: Interactions, reads: list[str]
) -> None:
    live = LiveModel(own, Shelf().prepare)
    live.refresh()
    own.publish(fit(checkerboard, estimator=EASE(l2=5)))
    own.use("1-ease")
    reads.clear()
    assert live.use("2") == "2-ease"
    assert (version(live), own.current_name()) == ("2-ease", "2-ease")
    assert not live.refresh()
    assert reads == ["2-ease"]


def test_a_model_that_answers_already_goes_on(own: Workspace) -> None:
    live = LiveModel(own, Shelf().prepare)
    live.refresh()
    present = live.now()
    assert live.use("1-ease") == "1-ease"
    assert live.now() is present


def test_what_a_training_publishes_while_a_model_is_refused_stays_current(
    own: Workspace, checkerboard: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = LiveModel(own, Shelf().prepare)
    live.refresh()
    few = own.publish(fit(checkerboard.where(checkerboard.item_codes < 4), estimator=EASE(l2=5)))
    own.use("1-ease")
    recommend = Recommender.recommend_many

    def trained_meanwhile(self: Recommender, *arguments: object) -> object:
        monkeypatch.undo()
        own.publish(fit(checkerboard, estimator=EASE(l2=7)))
        return recommend(self, *arguments)  # type: ignore[arg-type]  # whatever it was asked

    monkeypatch.setattr(Recommender, "recommend_many", trained_meanwhile)
    with pytest.raises(BundleError, match="it knows 4 of 12 items"):
        live.use(few)
    assert own.current_name() == "3-ease"
    assert live.refresh()
    assert version(live) == "3-ease"


def test_a_model_that_cannot_be_made_current_does_not_answer(
    disk: SmallDisk, own: Workspace, checkerboard: Interactions
) -> None:
    small = open_workspace(copytree(own.folder, disk.folder / "w"))
    live = LiveModel(small, Shelf().prepare)
    live.refresh()
    small.publish(fit(checkerboard, estimator=EASE(l2=5)))
    small.use("1-ease")
    with disk.read_only(), pytest.raises(WorkspaceError, match="Read-only file system"):
        live.use("2-ease")
    assert (version(live), small.current_name(), live.refused) == ("1-ease", "1-ease", {})
    assert live.use("2-ease") == version(live) == "2-ease"


def test_a_model_that_takes_the_name_of_one_that_was_removed_is_another(
    own: Workspace, checkerboard: Interactions
) -> None:
    live = LiveModel(own, Shelf().prepare)
    live.refresh()
    name = publish_damaged(own, fit(checkerboard, estimator=EASE(l2=5)), Random(1))
    live.refresh()
    own.use("1-ease")
    own.remove(name)
    assert own.publish(fit(checkerboard, estimator=EASE(l2=7))) == name
    assert live.refresh()
    assert version(live) == name
    assert live.refused == {}


def test_a_model_that_cannot_be_read_is_tried_ever_less_often_and_goes_live_once_it_can(
    own: Workspace, checkerboard: Interactions, caplog: pytest.LogCaptureFixture, clock: Clock, reads: list[str]
) -> None:
    live = LiveModel(own, Shelf().prepare)
    live.refresh()
    name = own.publish(fit(checkerboard, estimator=EASE(l2=5)))
    with unreadable(own.folder / "bundles" / name / "model.safetensors"):
        assert tries(live, clock, reads, seconds=200) == [0, 1, 3, 7, 15, 31, 63, 123, 183]
        assert "Input/output error" in live.refused[name]
        assert told(caplog) == ["model refused"]
    clock.now = 242
    assert not live.refresh()
    clock.now = 243
    assert live.refresh()
    assert (version(live), live.refused) == (name, {})


def test_a_model_whose_manifest_cannot_be_read_goes_live_as_soon_as_it_can(
    own: Workspace, checkerboard: Interactions, caplog: pytest.LogCaptureFixture, clock: Clock, reads: list[str]
) -> None:
    live = LiveModel(own, Shelf().prepare)
    live.refresh()
    name = own.publish(fit(checkerboard, estimator=EASE(l2=5)))
    with unreadable(own.folder / "bundles" / name / "manifest.json"):
        assert tries(live, clock, reads, seconds=10) == [0, 1, 3, 7]
        assert "manifest.json cannot be read: Input/output error" in live.refused[name]
        assert told(caplog) == ["model refused"]
    assert live.refresh()
    assert (version(live), live.refused) == (name, {})


def test_after_one_that_cannot_be_read_another_is_tried_at_once_and_told_of(
    own: Workspace, checkerboard: Interactions, caplog: pytest.LogCaptureFixture, clock: Clock, reads: list[str]
) -> None:
    live = LiveModel(own, Shelf().prepare)
    live.refresh()
    for number in (2, 3):
        name = own.publish(fit(checkerboard, estimator=EASE(l2=number)))
        with unreadable(own.folder / "bundles" / name / "model.safetensors"):
            assert tries(live, clock, reads, seconds=5) == [0, 1, 3]
        assert len(told(caplog)) == number - 1
    assert own.publish(fit(checkerboard, estimator=EASE(l2=5))) == "4-ease"
    assert live.refresh()
    assert version(live) == "4-ease"


def test_a_model_that_is_found_damaged_once_it_can_be_read_is_not_tried_again(
    own: Workspace, checkerboard: Interactions, clock: Clock, reads: list[str]
) -> None:
    live = LiveModel(own, Shelf().prepare)
    live.refresh()
    name = publish_damaged(own, fit(checkerboard, estimator=EASE(l2=5)), Random(1))
    files = own.folder / "bundles" / name
    with unreadable(files / "model.safetensors"), unreadable(files / "catalog.json"):
        assert tries(live, clock, reads, seconds=2) == [0, 1]
    assert len(tries(live, clock, reads, seconds=200)) == 1
    assert "damaged" in live.refused[name]


def test_a_model_that_could_not_be_read_is_taken_into_use_at_once(
    own: Workspace, checkerboard: Interactions, clock: Clock
) -> None:
    name = own.publish(fit(checkerboard, estimator=EASE(l2=5)))
    live = LiveModel(own, Shelf().prepare)
    live.refresh()
    former = live.now()
    own.use("1-ease")
    own.remove(name)
    assert own.publish(fit(checkerboard, estimator=EASE(l2=7))) == name
    with unreadable(own.folder / "bundles" / name / "model.safetensors"):
        assert not live.refresh()
    assert live.use(name) == version(live) == name
    assert live.now() is not former
    assert live.refused == {}


def test_a_model_is_prepared_for_before_it_answers(own: Workspace) -> None:
    answering: list[Live | None] = []
    prepared: list[Live] = []

    def prepare(new: Live) -> None:
        answering.append(live.now())
        prepared.append(new)

    live = LiveModel(own, prepare)
    live.refresh()
    assert answering == [None]
    assert prepared == [live.now()]
