"""How long a training will take is said before it begins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from foldin.choosing import Progress, Training
from foldin.data.interactions import Interactions
from foldin.fitting import fit
from foldin.forecast import Forecast, forecast
from foldin.models import speed
from foldin.models.autoencoder import AutoEncoder
from foldin.models.ease import EASE, EDLAE
from foldin.models.popularity import Popularity
from foldin.models.protocols import Estimator
from foldin.tuning import Trial

FLOPS_PER_SECOND = 1e10
POPULAR, RARE = 1_000, 9_000


@pytest.fixture(autouse=True)
def _known_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_flops_per_second", lambda: FLOPS_PER_SECOND)


def of_many_items(estimator: Estimator, fixed: tuple[str, ...] | None = ()) -> Forecast:
    users_per_item = np.concatenate([np.zeros(50_000), np.full(POPULAR, 30), np.full(RARE, 2)]).astype(np.int64)
    return forecast(estimator, 1_000, users_per_item, 40_000, 100, fixed)


def test_a_search_costs_a_solve_of_the_items_with_events_for_each_value() -> None:
    found = of_many_items(EDLAE())
    assert (found.model, found.fits) == ("edlae", 7 + 5 + 6 + 2)
    assert found.seconds_per_fit == pytest.approx((POPULAR + RARE) ** 3 / FLOPS_PER_SECOND, rel=1e-3)
    assert found.seconds > found.fits * found.seconds_per_fit


def test_a_long_search_names_the_minimum_that_makes_it_quick() -> None:
    assert of_many_items(EDLAE()).fewer == (3, POPULAR)
    assert of_many_items(Popularity(), None).fewer is None


@pytest.mark.parametrize(
    ("estimator", "fixed", "fits"),
    [(EDLAE(), ("l2",), 8), (EDLAE(), None, 2), (EASE(), (), 9), (AutoEncoder(), (), 3), (Popularity(), (), 2)],
)
def test_fields_that_are_set_need_no_trials(estimator: Estimator, fixed: tuple[str, ...] | None, fits: int) -> None:
    assert of_many_items(estimator, fixed).fits == fits


def test_it_is_said_before_the_first_trial(checkerboard: Interactions) -> None:
    said: list[Forecast | Trial] = []
    fit(checkerboard, training=Training(progress=replace(Progress(), forecast=said.append, trial=said.append)))
    first, *trials = said
    assert isinstance(first, Forecast)
    assert len(trials) >= first.fits - 2
    assert all(isinstance(one, Trial) for one in trials)
    assert first.seconds == 0


def test_the_machine_is_measured() -> None:
    assert speed._seconds_of_a_product() > 0
