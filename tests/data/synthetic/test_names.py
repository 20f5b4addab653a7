from __future__ import annotations

import re

import numpy as np
import pytest

from foldin.data.synthetic.names import draw_names


@pytest.mark.parametrize("count", [50, 2730, 2731, 5200, 200_000])
def test_names_are_short_unique_sorted_and_hold_nle(count: int) -> None:
    names = draw_names(count, np.random.default_rng(1))
    assert len(set(names)) == count
    assert names == sorted(names)
    assert "nle" in names
    assert all(re.fullmatch("[a-z]{3,5}", name) for name in names)


def test_a_small_world_has_names_of_three_letters_from_all_over_the_alphabet() -> None:
    names = draw_names(100, np.random.default_rng(1))
    assert {len(name) for name in names} == {3}
    assert len({name[0] for name in names}) > 15
