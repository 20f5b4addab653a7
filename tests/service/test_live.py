"""Which model answers, and which one must not."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from foldin.data.interactions import Interactions
from foldin.fitting import fit
from foldin.models.ease import EASE
from foldin.service.live import Live, LiveModel
from foldin.service.shelf import Shelf
from foldin.workspace import Workspace
from tests.service.faults.publishing import publish_damaged


@pytest.fixture
def own(new_workspace: Callable[[], Workspace]) -> Workspace:
    return new_workspace()


def version(live: LiveModel) -> str | None:
    present = live.now()
    return None if present is None else present.version


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
