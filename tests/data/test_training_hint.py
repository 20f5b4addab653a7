from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from foldin.data.interactions import Interactions
from foldin.data.training_hint import TrainingHint, training_hint

LogOf = Callable[..., Interactions]


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ([1, 2, 3, 4, 5], "--positive-from 4"),
        ([1, 5, 5, 5], "--positive-from 5"),
        ([0, 1, 1], "--positive-from 1"),
        ([0, 1, 2], "--positive-from 2"),
        ([-1, 1, 1], "--positive-from 1"),
        ([0.5, 1.5, 3.5], "--positive-from 3.5"),
        (np.linspace(-10, 10, 60).tolist(), "--positive-from 1"),
        (list(range(101)), "--positive-from 60"),
        ([0] * 400 + [1] * 3, "--positive-from 0"),
        ([6, 512, 890], "--strength log"),
        ([0.37, 1.1, 2.5], "--strength log"),
        ([-1, *range(1, 13)], "--positive-from 1"),
        ([-2, 0.55, *range(1, 13)], "--positive-from 0.55"),
        ([-6, -2, -1, -1, *[1] * 12, 2, 2, 3, 6], "--positive-from 1"),  # pieces bought and returned
        ([1, 1], ""),
        ([7, None, 7], ""),
        ([0, 0], "--positive-from 0"),
        ([None], ""),
    ],
)
def test_a_hint_fits_the_values_and_the_rule_takes_it(log_of: LogOf, values: list[float | None], options: str) -> None:
    log = log_of([("u", "i")] * len(values), values=values)
    hint = training_hint(log.values)
    assert hint.options == options
    hint.feedback.settle(log)


def test_a_hint_says_why() -> None:
    ratings = training_hint(np.array([1, 2, 3, 4, 5, 5], dtype=np.float32)).reason
    assert ratings == (
        "the values look like ratings (1 to 5, mean 3.33): --positive-from 4 counts those above the mean as liked; "
        "to predict ratings, add --feedback explicit"
    )
    assert "explicit" not in training_hint(np.array([0, 1, 1], dtype=np.float32)).reason
    assert "2 of them below 0, as returns are" in training_hint(np.array([-3, -1, *range(1, 40)], np.float32)).reason
    assert "too few are above the mean" in training_hint(np.array([0] * 400 + [1] * 3, np.float32)).reason
    assert training_hint(None) == TrainingHint()
