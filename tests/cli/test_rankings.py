"""Rankings in a table: what is said of probabilities that are lower bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from foldin.cli.rankings import print_ranking
from foldin.evaluation.calibration import ProbabilityCalibration
from foldin.evaluation.length_calibration import LengthCalibration
from foldin.evaluation.person_calibration import PersonCalibration
from foldin.recommender import Recommender


@pytest.mark.parametrize(("highest", "bounded"), [(-1e6, True), (1e6, False)])
def test_a_lower_bound_says_or_more(
    linear: Recommender, highest: float, bounded: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    level = ProbabilityCalibration(np.array([highest], dtype=np.float32), np.array([0.5], dtype=np.float32))
    recommender = replace(linear, calibration=PersonCalibration(None, LengthCalibration((0,), (level,))))
    print_ranking("Ranking", recommender.recommend(["i00", "i04"], k=3), recommender)
    printed = capsys.readouterr().out
    assert printed.count("50.0%") == 3
    assert printed.count("50.0% or more") == (3 if bounded else 0)
    assert (
        "or more: too few held-out users had scores as high as this; the probability is at least" in printed
    ) == bounded
