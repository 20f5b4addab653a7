"""How often the faults are tried: a tenth of what `make soak` does or less, unless it asks for all."""

from __future__ import annotations

import os

__all__ = ["SOAK", "STEP", "rounds"]

SOAK = os.environ.get("SOAK") == "1"
"""Whether everything is tried."""

STEP = 1 if SOAK else 5
"""From one call that fails to the next, where every call of a row could."""


def rounds(soak: int, otherwise: int | None = None) -> int:
    """Returns the number of rounds: `soak` with SOAK=1, as `make soak` sets it, else `otherwise` or a tenth of it."""
    if SOAK:
        return soak
    return max(1, soak // 10) if otherwise is None else otherwise
