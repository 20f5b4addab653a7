"""How often the faults are tried: a tenth of what `make soak` does, unless it asks for all."""

from __future__ import annotations

import os

__all__ = ["SOAK", "STEP", "rounds"]

SOAK = os.environ.get("SOAK") == "1"
"""Whether everything is tried."""

STEP = 1 if SOAK else 3
"""From one call that fails to the next, where every call of a row could."""


def rounds(soak: int) -> int:
    """The number of rounds of which a soak has `soak`; `make soak` sets SOAK=1."""
    return soak if SOAK else max(1, soak // 10)
