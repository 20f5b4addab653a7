"""How sure a mean over users is, and the difference of two of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldin.errors import ConfigurationError

__all__ = ["PairedDifference", "paired_difference", "standard_error"]


@dataclass(frozen=True)
class PairedDifference:
    """Mean over users of a - b, and how sure it is."""

    mean: float
    standard_error: float
    users: int


def paired_difference(a: NDArray[np.float64], b: NDArray[np.float64]) -> PairedDifference:
    """The difference of two contenders' values of the same users, (users,) each.

    Pairing takes out how hard each user is, which both share, so far smaller differences become visible.

    Raises:
        ConfigurationError: the values are not of the same number of users.
    """
    if a.shape != b.shape or not len(a):
        raise ConfigurationError(f"cannot pair values of {len(a)} users with values of {len(b)}")
    difference = a - b
    return PairedDifference(float(difference.mean()), standard_error(difference), len(difference))


def standard_error(values: NDArray[np.float64]) -> float:
    """Of the mean: std / sqrt(users), with users - 1 in the variance; NaN for fewer than 2 users."""
    if len(values) < 2:
        return float("nan")
    return float(values.std(ddof=1) / np.sqrt(len(values)))
