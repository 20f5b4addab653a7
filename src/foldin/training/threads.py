"""How many threads torch computes with: small steps are over before a second thread has woken up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["threads_for"]

WORTH_SHARING = 500_000_000
"""Floating-point operations of a step from which more than one thread pays; on a busy machine they never do."""


@contextmanager
def threads_for(operations: int) -> Iterator[None]:
    """One thread while steps are small, all of them else; a fixed rule, since other threads give other bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if operations < WORTH_SHARING else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
