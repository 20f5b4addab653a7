"""What is said of the handover is what its curve does from where the person stands on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from foldin.coldstart.handover import Handover
from foldin.service.page.curves import curve_of
from foldin.service.page.drafts import Draft
from foldin.service.page.rendering import page
from foldin.service.routes.page import Outcome

MORE = "with every item the history has more of the say"
LEVEL = "with more items it stays at that"


@pytest.mark.parametrize(
    ("weights", "known", "said"),
    [
        ([1, 0.5, 0.2], 1, MORE),
        ([1, 0.5, 0.2], 10, LEVEL),
        ([1, 0.5, 0.2], 25, LEVEL),
        ([0.35, 0.35, 0.35], 1, LEVEL),
        ([1, 0.35, 0.349], 1, LEVEL),
        ([0.2, 0.2, 0.5], 1, ""),
    ],
)
def test_what_further_items_do_is_said(weights: Sequence[float], known: int, said: str) -> None:
    told = np.array(weights, dtype=np.float32)
    handover = Handover(1.0, np.array([0, 1, 10]), told, told / np.float32(2), 1.0)
    outcome = Outcome([], {}, [], curve_of(handover, known, telling=1), "1-ease", [], "")
    text = bytes(page("changed.html", draft=Draft(), past=[], outcome=outcome).body).decode()
    assert [one for one in (MORE, LEVEL) if one in text] == ([said] if said else [])
    assert ">known items</text>" in text


def test_a_profile_that_tells_nothing_has_a_curve_of_its_own() -> None:
    weights, untold = (np.array(of, dtype=np.float32) for of in ([1, 0.8, 0.4], [0.5, 0.2, 0]))
    handover = Handover(1.0, np.array([0, 1, 10]), weights, untold, 1.0)
    told, nothing = (curve_of(handover, 1, telling=of) for of in (1, 0))
    assert told is not None
    assert nothing is not None
    assert (told.weight, nothing.weight) == pytest.approx((0.8, 0.2))
    alone = curve_of(handover, 0, telling=0)
    assert alone is not None
    assert alone.y < told.y  # beside no item the prior speaks alone, above all that it weighs beside some
    assert nothing.y > told.y  # both are drawn to the same scale, and y goes down
