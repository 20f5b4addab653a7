from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from foldin.errors import BundleError
from foldin.evaluation.calibration import ProbabilityCalibration
from foldin.evaluation.length_calibration import LengthCalibration, by_length

LENGTHS = (0, 1, 3, 15)


def one(scores: list[float], probabilities: list[float]) -> ProbabilityCalibration:
    return ProbabilityCalibration(np.array(scores, dtype=np.float32), np.array(probabilities, dtype=np.float32))


AT = one([0, 1], [0.1, 0.2]), one([-1, 2], [0.0, 1.0]), one([0.5], [0.4]), one([0, 1, 2], [0.0, 0.0, 0.6])
CALIBRATION = LengthCalibration(LENGTHS, AT)
SCORES = np.linspace(-2, 3, 21, dtype=np.float32)


def after(known: int, calibration: LengthCalibration = CALIBRATION) -> NDArray[np.float32]:
    return calibration.predict(SCORES, np.full(len(SCORES), known))


@pytest.mark.parametrize(("length", "at"), list(zip(LENGTHS, AT, strict=True)))
def test_at_a_length_it_is_that_lengths_own(length: int, at: ProbabilityCalibration) -> None:
    assert np.array_equal(after(length), at.predict(SCORES))
    assert after(length).dtype == np.float32


@pytest.mark.parametrize("known", [4, 7, 14])
def test_between_two_lengths_both_are_mixed_straight_in_the_logarithm(known: int) -> None:
    share = (np.log(1 + known) - np.log(4)) / (np.log(16) - np.log(4))
    assert after(known) == pytest.approx((1 - share) * AT[2].predict(SCORES) + share * AT[3].predict(SCORES), abs=1e-6)


def test_half_way_is_half_of_each() -> None:
    assert after(7) == pytest.approx((AT[2].predict(SCORES) + AT[3].predict(SCORES)) / 2, abs=1e-6)


@pytest.mark.parametrize(("known", "from_score"), [(0, 1.0), (1, 2.0), (2, 0.5), (3, 0.5), (7, 0.5), (15, 2.0)])
def test_a_mixture_is_a_lower_bound_where_one_of_its_parts_is(known: int, from_score: float) -> None:
    lower_bounds = CALIBRATION.is_lower_bound(SCORES, np.full(len(SCORES), known))
    assert np.array_equal(lower_bounds, from_score < SCORES)


def test_beyond_the_ends_it_is_level() -> None:
    assert np.array_equal(after(1_000_000), after(15))
    middle = LengthCalibration(LENGTHS[1:3], AT[1:3])
    assert np.array_equal(after(0, middle), after(1, middle))
    assert np.array_equal(after(4, middle), after(3, middle))


def test_a_single_length_holds_for_all() -> None:
    alone = LengthCalibration((2,), AT[1:2])
    assert all(np.array_equal(after(known, alone), AT[1].predict(SCORES)) for known in (0, 2, 9))


def test_every_score_is_judged_by_its_own_history() -> None:
    known = np.arange(len(SCORES)) % 20
    alone = [CALIBRATION.predict(SCORES[[i]], known[[i]])[0] for i in range(len(SCORES))]
    assert np.array_equal(CALIBRATION.predict(SCORES, known), alone)
    assert CALIBRATION.predict(SCORES[:0], known[:0]).shape == (0,)


@given(
    st.lists(st.floats(-3, 4, width=32), min_size=2, max_size=20),
    st.integers(0, 60),
    st.lists(st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3), min_size=1, max_size=4),
)
def test_a_higher_score_never_has_a_lower_probability(
    scores: list[float], known: int, levels: list[list[float]]
) -> None:
    calibration = LengthCalibration(LENGTHS[: len(levels)], tuple(one([-1, 0, 2], sorted(level)) for level in levels))
    ordered = np.sort(np.array(scores, dtype=np.float32))
    found = calibration.predict(ordered, np.full(len(scores), known))
    assert (np.diff(found) >= -1e-6).all()
    assert (found >= 0).all()
    assert (found <= 1 + 1e-6).all()


# -- as arrays


def test_it_comes_back_from_its_arrays() -> None:
    again = LengthCalibration.from_arrays(dict(reversed(CALIBRATION.arrays().items())))
    assert again.lengths == LENGTHS
    known = np.arange(len(SCORES))
    assert np.array_equal(again.predict(SCORES, known), CALIBRATION.predict(SCORES, known))


def test_lengths_are_ordered_as_numbers() -> None:
    wide = LengthCalibration((5, 10, 50), AT[:3])
    assert LengthCalibration.from_arrays(wide.arrays()).lengths == (5, 10, 50)


@pytest.mark.parametrize("name", ["scores", "/scores", "-1/scores", "x/scores", "1.5/scores"])
def test_what_is_of_no_length_is_named(name: str) -> None:
    with pytest.raises(BundleError, match=f"holds '{name}', which is of no history length"):
        LengthCalibration.from_arrays({**CALIBRATION.arrays(), name: np.zeros(1)})


def test_no_array_at_all_is_refused() -> None:
    with pytest.raises(BundleError, match="of no history length"):
        LengthCalibration.from_arrays({})


@pytest.mark.parametrize("part", ["scores", "probabilities"])
def test_a_missing_or_damaged_part_is_refused(part: str) -> None:
    arrays = CALIBRATION.arrays()
    arrays[f"15/{part}"] = np.array([3.0, 2.0, 1.0])
    with pytest.raises(BundleError, match="not ascending probabilities"):
        LengthCalibration.from_arrays(arrays)
    del arrays[f"15/{part}"]
    with pytest.raises(BundleError, match=f"lacks '{part}'"):
        LengthCalibration.from_arrays(arrays)


# -- what there is


def test_lengths_without_a_calibration_are_passed_over() -> None:
    found = by_length([(0, None), (1, AT[0]), (2, None), (3, AT[1])])
    assert found is not None
    assert found.lengths == (1, 3)
    assert found.at == AT[:2]


def test_none_where_no_length_has_one() -> None:
    assert by_length([(0, None), (1, None)]) is None
    assert by_length([]) is None
