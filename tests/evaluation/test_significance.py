from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from scipy.stats import ttest_rel

from foldin.errors import ConfigurationError
from foldin.evaluation.significance import (
    Alternative,
    PairedDifference,
    holm,
    p_value,
    paired_difference,
    standard_error,
)


def test_by_hand() -> None:
    difference = paired_difference(np.array([1.0, 3.0, 2.0]), np.array([0.0, 1.0, 2.0]))  # 1 2 0
    assert difference.mean == 1
    assert difference.standard_error == pytest.approx(1 / np.sqrt(3))
    assert difference.users == 3


def test_pairing_sees_what_the_standard_errors_hide() -> None:
    hard = np.random.default_rng(0).random(200)
    difference = paired_difference(hard + 0.01, hard)
    assert difference.mean == pytest.approx(0.01)
    assert difference.standard_error < 1e-9 < 0.01 < standard_error(hard)


def test_one_user_says_nothing_about_the_error() -> None:
    assert np.isnan(standard_error(np.array([1.0])))


def test_other_users_cannot_be_paired() -> None:
    with pytest.raises(ConfigurationError, match="3 users with values of 2"):
        paired_difference(np.zeros(3), np.zeros(2))


def test_the_p_value_is_that_of_scipy() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.1, 1, 40), rng.normal(0, 1, 40)
    for shift in (0.0, 0.3, 3.0, -20.0):
        difference = paired_difference(a + shift, b)
        for alternative in get_args(Alternative):
            expected = ttest_rel(a + shift, b, alternative=alternative).pvalue
            assert p_value(difference, alternative) == pytest.approx(expected, rel=1e-9), (shift, alternative)


def test_a_small_chance_keeps_its_digits_on_either_side() -> None:
    assert 0 < p_value(PairedDifference(1.0, 0.05, 40), "greater") < 1e-20
    assert 0 < p_value(PairedDifference(-1.0, 0.05, 40), "less") < 1e-20
    assert 0 < p_value(PairedDifference(1.0, 0.05, 40)) == p_value(PairedDifference(-1.0, 0.05, 40)) < 1e-20


def test_where_users_do_not_differ_from_each_other() -> None:
    assert p_value(PairedDifference(0.0, 0.0, 9)) == 1
    assert p_value(PairedDifference(0.1, 0.0, 9)) == 0
    assert p_value(PairedDifference(0.1, 0.0, 9), "less") == 1
    assert np.isnan(p_value(PairedDifference(0.1, float("nan"), 1)))


def test_holm_by_hand() -> None:
    # sorted .01 .02 .03 .04: x 4 3 2 1 is .04 .06 .06 .04, and none may fall below the one before
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.7]).tolist() == [1, 1]
    assert holm([0.01, float("nan"), 0.02]) == pytest.approx([0.02, float("nan"), 0.02], nan_ok=True)
    assert holm([]).tolist() == []


def test_holm_as_r_prints_it() -> None:
    # p.adjust(c(.01, .02, .03, .04, .05), "holm")
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
