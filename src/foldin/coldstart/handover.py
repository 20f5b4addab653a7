"""The handover: how much the prior still counts when the history holds n known items, learned on held-out users."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from foldin.errors import BundleError
from foldin.evaluation.truncation import LENGTHS
from foldin.ranking.metrics import hits_of, ndcg, relevant_of
from foldin.ranking.top_k import masked, top_k

__all__ = [
    "FEW_USERS",
    "WEIGHTS",
    "Handover",
    "Truncated",
    "handover_of",
    "learn_weights",
    "ranking_quality",
    "spread_unit",
    "usual_handover",
    "usual_weights",
]

WEIGHTS = (0.0, *(2.0 ** (exponent / 2) for exponent in range(-12, 9)))
STEP = 2.0
"""By how many values of `WEIGHTS` neighbouring lengths usually differ: a standard deviation."""

LEAST = 2.0**-10
"""No weight is smaller: where a history tells nothing of any item, the prior orders them, and elsewhere only ties."""

SHARES = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12)
FADES = (np.inf, 64.0, 32.0, 16.0, 8.0, 4.0, 2.0, 1.0, 0.5)

USUAL_WEIGHTS = (1.0, 1.0, 0.7, 0.5, 0.35, 0.2, 0.12, 0.06)
"""Where nobody can be held out to learn from."""

SMALLEST_ERROR = 1e-4
"""Of a mean NDCG: where all users lose the same, it is not known exactly all the same."""

CUTOFF = 100

ARRAYS = ("unit", "usual_lead", "lengths", "weights", "untold")

CELLS = 2**20
"""Scores ranked at once, if one weight has no more."""

FEWEST_USERS = 5

FEW_USERS = 50
"""With fewer held-out users than that, what is learned of them may be chance: it has to prove itself."""

SURE = 2.0
"""Standard errors by which a path that few users teach must rank better than the usual one to be taken."""


@dataclass(frozen=True, eq=False)
class Handover:
    """score = unit x model(history) + w(n, t) x prior(profile), n being the number of known items in the history.

    `unit` brings the model's scores to the prior's scale: to a spread over items of 1. It is 0 for a model that does
    not look at histories. w is straight between `lengths` in log(1 + n), and level beyond the longest. t says how much
    the profile tells, from 0 to 1: w is `untold` at 0, `weights` at 1, and straight between. t is how far above the
    mean item the best one is by what the prior makes of the profile, in the `usual_lead` of profiles, at most 1.
    Shapes: `lengths`, `weights` and `untold` (lengths,).
    """

    unit: float
    lengths: NDArray[np.int64]
    weights: NDArray[np.float32]
    untold: NDArray[np.float32]
    usual_lead: float

    def telling(self, leads: NDArray[np.float32]) -> NDArray[np.float32]:
        """t of profiles with such leads, in any shape."""
        if not self.usual_lead:
            return np.zeros_like(leads)
        return np.asarray(np.minimum(leads, self.usual_lead) / self.usual_lead, dtype=np.float32)

    def weight(self, known: NDArray[np.integer], telling: NDArray[np.float32]) -> NDArray[np.float32]:
        """w(n, t) for histories of n known items and profiles that tell so much, in any shape."""
        at, lengths = np.log1p(known), np.log1p(self.lengths)
        told, untold = (np.interp(at, lengths, weights) for weights in (self.weights, self.untold))
        return np.asarray(telling * told + (1 - telling) * untold, dtype=np.float32)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All there is, by name; `from_arrays` makes the same of it."""
        weights = {"weights": self.weights, "untold": self.untold}
        scales = {"unit": np.array([self.unit]), "usual_lead": np.array([self.usual_lead])}
        return {"lengths": self.lengths, **scales, **weights}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Handover:
        """The handover that `arrays` came from.

        Raises:
            BundleError: an array is missing, or they are no weights at ascending lengths.
        """
        try:
            unit, usual_lead, lengths, weights, untold = (arrays[name] for name in ARRAYS)
        except KeyError as missing:
            raise BundleError(f"the handover lacks {missing}; the bundle is damaged") from None
        fits = unit.shape == usual_lead.shape == (1,) and lengths.shape == weights.shape == untold.shape
        finite = all(np.isfinite(numbers).all() for numbers in (unit, usual_lead, weights, untold))
        if not (
            fits
            and finite
            and usual_lead[0] >= 0
            and lengths.ndim == 1
            and len(lengths)
            and (np.diff(lengths) > 0).all()
        ):
            raise BundleError("the handover is no weights at ascending lengths; the bundle is damaged")
        each = weights.astype(np.float32), untold.astype(np.float32)
        return cls(float(unit[0]), lengths.astype(np.int64), *each, float(usual_lead[0]))


@dataclass(frozen=True, eq=False)
class Truncated:
    """Held-out users whose histories were cut to the same length: what the two sides make of them.

    `users`: whose each row is; one user may stand there several times, cut differently. Shapes: `users` (rows,), the
    others (rows, items), `prior` perhaps (1, items). `history` is in the handover's unit.
    """

    users: NDArray[np.intp]
    history: NDArray[np.float32]
    prior: NDArray[np.float32]
    shown: csr_array
    targets: csr_array

    def qualities(self, weights: Sequence[float]) -> NDArray[np.float64]:
        """NDCG@100 of history + weight x prior for each of the weights, (weights, rows)."""
        step = max(1, CELLS // max(1, self.history.size))
        parts = [self._together(weights[first : first + step]) for first in range(0, len(weights), step)]
        return np.concatenate(parts)

    def _together(self, weights: Sequence[float]) -> NDArray[np.float64]:
        # what takes time in small rankings is to begin: those of all weights are begun once
        each = np.array(weights, dtype=np.float32)[:, None, None]
        scores = (self.history + each * self.prior).reshape(-1, self.history.shape[1])
        shown, targets = (_repeated(matrix, len(weights)) for matrix in (self.shown, self.targets))
        return ranking_quality(scores, shown, targets).reshape(len(weights), -1)


def _repeated(matrix: csr_array, times: int) -> csr_array:
    return csr_array(vstack([matrix] * times, format="csr"))


def ranking_quality(scores: NDArray[np.float32], shown: csr_array, targets: csr_array) -> NDArray[np.float64]:
    """NDCG@100 of each row of scores, all items ranked but those shown, (rows,)."""
    return np.asarray(ndcg(hits_of(top_k(masked(scores, shown), CUTOFF), targets, CUTOFF), relevant_of(targets)))


def learn_weights(
    cut: Callable[[int], Iterable[Truncated]],
    whole: Callable[[int], Iterable[Truncated]],
    usual: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """w(n) at every one of `LENGTHS`, (lengths,), by NDCG@100 on held-out users.

    `cut` gives those whose histories were cut to a length: people on their way, of whom much is to come. A length with
    few users knows its own best weight badly, and the curve is flat near the best. So what is minimised over all
    lengths together is sum_n z_n(w_n)^2 / 2 + sum_n (s_n / STEP)^2 / 2, z_n(w) being by how many standard errors
    (paired over users) w ranks worse than the best weight at that length, and s_n the number of values between w at two
    neighbouring lengths; exactly, by dynamic programming. 0 counts as the value below the smallest. The `usual` weights
    where that tells no weight from another, as with too few users; with fewer than `FEW_USERS`, also where that path
    does not rank them better than the usual one by more than two standard errors.

    `whole` gives those whose whole history is nearest to a length: people who have had their share of what is popular.
    All of these on average must not be ranked worse than by the model alone. Where they are, c w(n) / (1 + (n / k)^4)
    is taken, with c of `SHARES` and k of `FADES`: of those that mend it the one of least cost, or else the last.
    None is below `LEAST`.
    """
    usual = usual_weights() if usual is None else usual
    judged = [_judged(cut(length) if length else ()) for length in LENGTHS]
    costs = np.stack([_costs(one.qualities) for one in judged])
    if not costs.any():
        return usual
    costs[LENGTHS.index(0), WEIGHTS.index(0)] = np.inf  # with no history nothing else would speak
    gains = np.stack([_gains(_judged(whole(length) if length else ()).qualities) for length in LENGTHS])
    path = _smoothest(costs)
    if _stands(path, _nearest(usual), judged):
        weights = _held_back(np.array(WEIGHTS)[path], costs, gains)
    else:  # where costs are chance, the usual path is held back from the longest histories first
        weights = _held_back(usual.astype(np.float64), np.zeros_like(costs), gains)
    return np.maximum(weights, LEAST).astype(np.float32)


def handover_of(unit: float, weights: NDArray[np.float32], untold: NDArray[np.float32], usual_lead: float) -> Handover:
    """The handover that has been learned as weights at `LENGTHS`, (lengths,) each."""
    return Handover(unit, np.array(LENGTHS, dtype=np.int64), weights, untold, usual_lead)


def usual_handover(unit: float) -> Handover:
    """The usual handover, where nobody could be held out to learn it from."""
    return handover_of(unit, usual_weights(), usual_weights(), 1.0)


def usual_weights() -> NDArray[np.float32]:
    """Those of the usual handover, (lengths,)."""
    return np.array(USUAL_WEIGHTS, dtype=np.float32)


def spread_unit(scores: NDArray[np.float32]) -> float:
    """What brings scores, (users, items), to a spread over items of 1; 0 if all users have the same scores."""
    if not len(scores) or (scores == scores[:1]).all():
        return 0.0
    variance = scores.var(axis=1, dtype=np.float64).mean()
    return float(1 / np.sqrt(variance)) if variance > 0 else 1.0


def _costs(qualities: NDArray[np.float64]) -> NDArray[np.float64]:
    """z^2 / 2 of every weight, (weights,); 0 where there are too few users to tell."""
    if qualities.shape[1] < FEWEST_USERS:
        return np.zeros(len(WEIGHTS))
    behind = qualities[int(np.argmax(qualities.mean(axis=1)))] - qualities
    errors = behind.std(axis=1, ddof=1) / np.sqrt(behind.shape[1])
    return np.asarray(np.square(behind.mean(axis=1) / np.maximum(errors, SMALLEST_ERROR)) / 2)


def _gains(qualities: NDArray[np.float64]) -> NDArray[np.float64]:
    """What every weight gains over the model alone, a sum over users, (weights,)."""
    return np.asarray((qualities - qualities[0]).sum(axis=1))


def _held_back(
    weights: NDArray[np.float64], costs: NDArray[np.float64], gains: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The weights, (lengths,), held back as little as it takes: `gains`, (lengths, weights), add up to no loss."""
    lengths, places = np.array(LENGTHS), np.arange(len(LENGTHS))
    candidates = [share * weights / (1 + (lengths / fade) ** 4) for share, fade in product(SHARES, FADES)]
    nearest = [_nearest(one) for one in candidates]
    kept = [number for number, at in enumerate(nearest) if gains[places, at].sum() >= 0]
    # the shortest length is no history at all, where any weight ranks the same
    best = min(kept, key=lambda number: costs[places, nearest[number]][1:].sum(), default=len(candidates) - 1)
    held_back = np.array(candidates[best])
    held_back[0] = weights[0]
    return held_back


def _nearest(weights: NDArray[np.floating]) -> NDArray[np.intp]:
    """The places in `WEIGHTS` of the values nearest to some weights, (lengths,)."""
    return np.asarray(np.abs(np.array(WEIGHTS) - weights[:, None]).argmin(axis=1))


@dataclass(frozen=True, eq=False)
class _Judged:
    """NDCG@100 of every weight for every user, (weights, users), a mean over the rows of each of `users`, ascending."""

    users: NDArray[np.intp]
    qualities: NDArray[np.float64]


def _judged(parts: Iterable[Truncated]) -> _Judged:
    judged = [(part.users, part.qualities(WEIGHTS)) for part in parts]
    users = np.concatenate([np.empty(0, dtype=np.intp), *(users for users, _ in judged)])
    rows = np.concatenate([np.empty((len(WEIGHTS), 0)), *(qualities for _, qualities in judged)], axis=1)
    return _Judged(np.unique(users), _by_user(rows, users))


def _stands(path: NDArray[np.intp], usual: NDArray[np.intp], judged: Sequence[_Judged]) -> bool:
    """Whether a path through (lengths, weights) has enough users to be believed, or else is surely better than another.

    A user's gain is the sum over the lengths they were cut to.
    """
    users, codes = np.unique(np.concatenate([one.users for one in judged]), return_inverse=True)
    if len(users) >= FEW_USERS:
        return True
    pairs = zip(path, usual, judged, strict=True)
    gains = np.bincount(codes, np.concatenate([one.qualities[at] - one.qualities[other] for at, other, one in pairs]))
    return bool(gains.mean() > SURE * max(gains.std(ddof=1) / np.sqrt(len(users)), SMALLEST_ERROR))


def _by_user(qualities: NDArray[np.float64], users: NDArray[np.intp]) -> NDArray[np.float64]:
    """The mean over the rows of each user, (weights, users)."""
    _, codes, counts = np.unique(users, return_inverse=True, return_counts=True)
    means: NDArray[np.float64] = np.array([np.bincount(codes, row) / counts for row in qualities])
    return means


def _smoothest(costs: NDArray[np.float64]) -> NDArray[np.intp]:
    """The path through (lengths, weights) of least cost, (lengths,); of equally good ones, that of smaller weights."""
    values = np.arange(costs.shape[1])
    steps = np.square((values[:, None] - values[None, :]) / STEP) / 2
    total, came_from = costs[0], []
    for cost in costs[1:]:
        candidates = total[:, None] + steps
        came_from.append(candidates.argmin(axis=0))
        total = candidates.min(axis=0) + cost
    path = [int(total.argmin())]
    for before in reversed(came_from):
        path.append(int(before[path[-1]]))
    return np.array(path[::-1], dtype=np.intp)
