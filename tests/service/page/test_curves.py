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
    handover = Handover(1.0, np.array([0, 1, 10]), np.array(weights, dtype=np.float32))
    outcome = Outcome([], {}, [], curve_of(handover, known), "1-ease", [], None)
    text = bytes(page("changed.html", draft=Draft(), past=[], outcome=outcome).body).decode()
    assert [one for one in (MORE, LEVEL) if one in text] == ([said] if said else [])
    assert ">known items</text>" in text
