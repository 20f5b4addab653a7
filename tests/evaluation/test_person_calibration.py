"""Two calibrations, of which each is known for those it is for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from foldin.errors import BundleError
from foldin.evaluation.calibration import ProbabilityCalibration
from foldin.evaluation.length_calibration import LengthCalibration
from foldin.evaluation.person_calibration import PersonCalibration


def level(probability: float) -> LengthCalibration:
    """The same probability for every score, after no item; half as much after three."""
    knots = np.zeros(1, dtype=np.float32)
    at = [ProbabilityCalibration(knots, np.array([part], dtype=np.float32)) for part in (probability, probability / 2)]
    return LengthCalibration((0, 3), tuple(at))


SCORES, KNOWN = np.zeros(4, dtype=np.float32), np.array([0, 0, 3, 3])
TOLD = np.array([1, 0, 1, 0], dtype=np.float32)
BOTH = PersonCalibration(level(0.8), level(0.2))


def test_everybody_has_their_own() -> None:
    found = BOTH.predict(SCORES, KNOWN, TOLD)
    assert found == pytest.approx([0.8, 0.2, 0.4, 0.1])
    assert found.dtype == np.float32


def test_of_who_tells_a_part_both_are_mixed() -> None:
    found = BOTH.predict(SCORES, KNOWN, np.array([0.25, 0.5, 0.25, 0.5], dtype=np.float32))
    assert found == pytest.approx([0.35, 0.5, 0.175, 0.25])
    assert np.isnan(replace(BOTH, told=None).predict(SCORES[:1], KNOWN[:1], np.array([0.01], dtype=np.float32))).all()


def test_a_part_above_its_knots_makes_the_mixture_a_lower_bound() -> None:
    knots, half = (np.array(values, dtype=np.float32) for values in ([2.0], [0.5]))
    higher = LengthCalibration((0,), (ProbabilityCalibration(knots, half),))
    scores, known = np.full(3, 1, dtype=np.float32), np.zeros(3, dtype=np.int64)
    shares = np.array([0, 0.5, 1], dtype=np.float32)
    assert PersonCalibration(level(0.8), higher).is_lower_bound(scores, known, shares).tolist() == [False, True, True]
    assert PersonCalibration(None, higher).is_lower_bound(scores + 2, known, shares).tolist() == [True, True, False]


@pytest.mark.parametrize("name", ["told", "untold"])
def test_where_one_was_not_learned_nothing_is_said(name: str) -> None:
    told = level(0.8) if name == "told" else None
    alone = PersonCalibration(told, None if told else level(0.2))
    found = alone.predict(SCORES, KNOWN, TOLD)
    assert np.isfinite(found).tolist() == [of == (name == "told") for of in TOLD]
    again = PersonCalibration.from_arrays(alone.arrays())
    assert np.array_equal(again.predict(SCORES, KNOWN, TOLD), found, equal_nan=True)
    assert (again.told is None, again.untold is None) == (alone.told is None, alone.untold is None)


def test_no_cells_at_all() -> None:
    assert BOTH.predict(SCORES[:0], KNOWN[:0], TOLD[:0]).shape == (0,)


def test_it_comes_back_from_its_arrays() -> None:
    again = PersonCalibration.from_arrays(dict(reversed(BOTH.arrays().items())))
    assert np.array_equal(again.predict(SCORES, KNOWN, TOLD), BOTH.predict(SCORES, KNOWN, TOLD))


@pytest.mark.parametrize(
    "arrays", [{}, {"elsewhere/0/scores": np.zeros(1)}, {**BOTH.arrays(), "0/scores": np.zeros(1)}]
)
def test_arrays_that_are_no_calibration_are_refused(arrays: dict[str, np.ndarray]) -> None:
    with pytest.raises(BundleError, match="not of people"):
        PersonCalibration.from_arrays(arrays)
