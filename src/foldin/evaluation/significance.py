"""How sure a mean over users is, and the difference of two of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from foldin.errors import ConfigurationError
from foldin.wording import counted

__all__ = ["Alternative", "PairedDifference", "holm", "p_value", "paired_difference", "standard_error"]

Alternative: TypeAlias = Literal["two-sided", "greater", "less"]


@dataclass(frozen=True)
class PairedDifference:
    """Mean over users of a - b, and how sure it is.

    `folds`: how many folds of a cross-validation the standard error is taken from; None where it is of the users.
    """

    mean: float
    standard_error: float
    users: int
    folds: int | None = None

    @property
    def degrees_of_freedom(self) -> int:
        """Of the t-test: of the users, or of the folds where these say how sure it is."""
        return (self.users if self.folds is None else self.folds) - 1


def paired_difference(
    a: NDArray[np.float64], b: NDArray[np.float64], folds: NDArray[np.intp] | None = None
) -> PairedDifference:
    """The difference of two contenders' values of the same users, (users,) each; `folds` as for `standard_error`.

    Pairing takes out how hard each user is, which both share, so far smaller differences become visible.

    Raises:
        ConfigurationError: the values are not of the same number of users.
    """
    if a.shape != b.shape or not len(a):
        raise ConfigurationError(f"cannot pair values of {counted(len(a), 'user')} with values of {len(b)}")
    difference = a - b
    error = standard_error(difference, folds)
    of_folds = None if folds is None or error == standard_error(difference) else int(folds.max()) + 1
    return PairedDifference(float(difference.mean()), error, len(difference), of_folds)


def p_value(difference: PairedDifference, alternative: Alternative = "two-sided") -> float:
    """The chance of a mean at least so far from 0 if the contenders were equal: the paired t-test.

    `alternative`: what is to be shown, that the difference is not 0, is "greater" than 0, or is "less".
    NaN for fewer than 2 users. Source: Student 1908, "The probable error of a mean".
    """
    if difference.users < 2:
        return float("nan")
    below = _share_below(difference)
    # the other tail by symmetry: 1 - below would lose all digits of a small chance
    above = _share_below(replace(difference, mean=-difference.mean))
    match alternative:
        case "greater":
            return above
        case "less":
            return below
        case "two-sided":
            return min(1.0, 2 * min(below, above))


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """The p-values, (tests,), corrected for their number: below .05 for any true null hypothesis in 5 % of cases only.

    The i-th smallest of m counts m - i + 1 times, and no less than any smaller one; NaN stays and does not count.
    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    adjusted = np.array(p_values, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(adjusted))
    ascending = known[np.argsort(adjusted[known], kind="stable")]
    times = np.arange(len(ascending), 0, -1)
    adjusted[ascending] = np.minimum(1.0, np.maximum.accumulate(times * adjusted[ascending]))
    return adjusted


def standard_error(values: NDArray[np.float64], folds: NDArray[np.intp] | None = None) -> float:
    """Of the mean: std / sqrt(users), with users - 1 in the variance; NaN for fewer than 2 users.

    `folds`: in which fold of a cross-validation each user was judged, (users,). The users of a fold are judged by one
    model, and so not independently: where the folds' means scatter more than users alone explain, the error is theirs.
    """
    if len(values) < 2:
        return float("nan")
    of_users = float(values.std(ddof=1) / np.sqrt(len(values)))
    return of_users if folds is None else max(of_users, _error_over_folds(values, folds))


def _error_over_folds(values: NDArray[np.float64], folds: NDArray[np.intp]) -> float:
    """Of the mean, with folds as what is independent: sqrt(n / (n - 1) sum_f r_f^2) / users, of n folds, where r_f is
    the sum of the deviations from the mean in fold f."""
    count = int(folds.max()) + 1
    residuals = np.bincount(folds, weights=values - values.mean(), minlength=count)
    return float(np.sqrt(count / (count - 1) * (residuals**2).sum()) / len(values))


def _share_below(difference: PairedDifference) -> float:
    """P(T <= t) of Student's t; half where nothing differs."""
    if difference.mean == 0:
        return 0.5
    if difference.standard_error == 0:
        return float(difference.mean > 0)
    from scipy.special import stdtr  # what compares nothing has no use for it, and starts sooner

    return float(stdtr(difference.degrees_of_freedom, difference.mean / difference.standard_error))
