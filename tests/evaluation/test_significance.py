from __future__ import annotations

import numpy as np
import pytest

from foldin.errors import ConfigurationError
from foldin.evaluation.significance import paired_difference, standard_error


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
