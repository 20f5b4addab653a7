"""What scores mean, learned on held-out users: the probability of a hit, or the rating to be expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.splitting import Holdout
from foldin.errors import BundleError, ConfigurationError
from foldin.evaluation.ratings import withheld_ratings
from foldin.evaluation.scoring import Score, blocks, scores_of
from foldin.ranking.top_k import masked

__all__ = [
    "Judged",
    "ProbabilityCalibration",
    "RatingCalibration",
    "calibration_error",
    "fit_probabilities",
    "fit_ratings",
]

Judged: TypeAlias = tuple[Score, Holdout]
"""Held-out users, and the scores of those that had no part in the model that scores them."""

FEWEST_TARGETS = 50
FEWEST_USERS = 5  # of one or two, the next may be quite another
MOST_CELLS = 5_000_000  # user-item pairs looked at; bounds the memory, and more would not change a knot's second digit
SMALLEST_BIN = 100  # pairs; a probability of the very best scores rests on at least so many
BIN_GROWTH = 1.05  # each bin below holds 5 % more: hits are many at the top and rare beneath
RIDGE = 25.0  # ratings that speak for the baseline
DAMPINGS = (3.0, 10.0, 25.0)  # ratings of the mean added to each item's and user's; chosen on held-out users
SWEEPS = 5  # over items and users in turn; more would not change a bias's third digit
FORMER_USER_DAMPING = 10.0  # of bundles that do not say it


@dataclass(frozen=True, eq=False)
class ProbabilityCalibration:
    """From a score to the probability that the item is among what a held-out user likes besides the shown history.

    `scores`, ascending, and `probabilities`, never descending, are knots, (knots,) each, with straight lines between
    and level ends, so that a higher score never gets a lower probability.
    """

    scores: NDArray[np.float32]
    probabilities: NDArray[np.float32]

    def predict(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of scores, in any shape."""
        return np.interp(scores, self.scores, self.probabilities).astype(np.float32)

    def is_lower_bound(self, scores: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which scores lie above the last knot, in any shape: held-out users tell no more of them than that their
        probability is at least that of the knot."""
        return np.asarray(scores > self.scores[-1])

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All there is, by name; `from_arrays` makes the same of it."""
        return {"scores": self.scores, "probabilities": self.probabilities}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> ProbabilityCalibration:
        """The calibration that `arrays` came from.

        Raises:
            BundleError: an array is missing, or they are no ascending knots.
        """
        scores = _array(arrays, "scores", None)
        probabilities = _array(arrays, "probabilities", len(scores))
        within = (probabilities >= 0) & (probabilities <= 1)
        if not (len(scores) and within.all() and (np.diff(scores) > 0).all() and (np.diff(probabilities) >= 0).all()):
            raise BundleError("the calibration's knots are not ascending probabilities; the bundle is damaged")
        return cls(scores.astype(np.float32), probabilities.astype(np.float32))


def fit_probabilities(judged: Sequence[Judged], *, seed: int = 0) -> ProbabilityCalibration | None:
    """Learns P(item is among the targets | score) over all items not shown to held-out users, by isotonic regression.

    Takes as many users, drawn by the seed, as make up 5 million user-item pairs. Pairs are first grouped
    by score, the best 100 (or more, where scores are equal) to begin with, so that one lucky hit at the top is not
    taken for a certainty.
    None where the users have fewer than 50 targets: their rate is then off by more than a seventh of itself
    (1 / sqrt(50)) before it is even divided among scores, and a probability would claim more than is known.
    Source: Zadrozny and Elkan 2002, "Transforming classifier scores into accurate multiclass probability estimates".

    Raises:
        ConfigurationError: the scores have the wrong shape.
    """
    from scipy.optimize import isotonic_regression  # what only reads one has no use for it, and starts sooner

    scores, found = _ranked_pairs(judged, MOST_CELLS, seed)
    if np.count_nonzero(found) < FEWEST_TARGETS or sum(len(holdout) for _, holdout in judged) < FEWEST_USERS:
        return None
    starts = _bin_starts(scores)
    sizes = np.diff([*starts, len(scores)]).astype(np.float64)
    rates = np.add.reduceat(found, starts, dtype=np.float64) / sizes
    fit = isotonic_regression(rates, weights=sizes)
    # one knot for each level of the fitted staircase, at the mean score of its pairs
    levels, weights = np.asarray(fit.blocks[:-1]), np.asarray(fit.weights)
    means = np.add.reduceat(scores, starts[levels], dtype=np.float64) / weights
    knots, first = np.unique(means.astype(np.float32), return_index=True)
    return ProbabilityCalibration(knots, np.asarray(fit.x)[levels][first].astype(np.float32))


def calibration_error(judged: Sequence[Judged], *, top: float = 0.01, bins: int = 10, seed: int = 0) -> float:
    """Expected calibration error, mean over bins of equal mass of |mean probability - share of hits|.

    `judged`: held-out users, and probabilities where scores are asked for. `top`: the share of all pairs, most probable
    first, that is judged; the default is the region people get to see, 1 judges all, where nearly every probability is
    nearly 0 and the error is small whatever the calibration.
    Source: Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning".

    Raises:
        ConfigurationError: `top` is not above 0 and at most 1, or the scores have the wrong shape.
    """
    if not 0 < top <= 1:
        raise ConfigurationError(f"top is {top}; it is a share, above 0 and at most 1")
    probabilities, found = _ranked_pairs(judged, MOST_CELLS, seed)
    first = max(min(len(found) - bins, int((1 - top) * len(found))), 0)
    gaps = probabilities[first:].astype(np.float64) - found[first:]
    return float(sum(abs(part.sum()) for part in np.array_split(gaps, bins)) / max(1, len(gaps)))


@dataclass(frozen=True, eq=False)
class RatingCalibration:
    """From a score of any model to a rating: clip(a + b score + c item level + d user level, lowest, highest).

    `coefficients` are a, b, c and d; with b = 0 it is the usual baseline of ratings. Levels are the overall `mean` and
    the biases of items and users, fitted together. `item_means`, (items,): the items' levels. A user's level is the
    mean and what the history's ratings leave over `expected`, (items,), damped by `user_damping` ratings that leave
    nothing.
    All in the ratings' own scale.
    """

    coefficients: NDArray[np.float64]
    item_means: NDArray[np.float32]
    expected: NDArray[np.float32]
    mean: float
    user_damping: float
    rating_range: tuple[float, float]

    def predict(self, scores: NDArray[np.float32], histories: csr_array) -> NDArray[np.float32]:
        """Ratings, (users, items), of finite scores, (users, items), and the histories they were made of."""
        a, b, c, d = self.coefficients
        levels = self.mean + _user_biases(histories, self.expected, self.user_damping, self.rating_range[1])
        ratings = scores * np.float32(b)
        ratings += (a + d * levels).astype(np.float32)[:, None]
        ratings += np.float32(c) * self.item_means
        return np.clip(ratings, *self.rating_range, out=ratings, dtype=np.float32)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All there is, by name; `from_arrays` makes the same of it."""
        scale = np.array([self.mean, *self.rating_range, self.user_damping])
        return {"coefficients": self.coefficients, "item_means": self.item_means, "scale": scale}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> RatingCalibration:
        """The calibration that `arrays` came from.

        Raises:
            BundleError: an array is missing, has the wrong shape, or holds what is no number.
        """
        scale = _array(arrays, "scale", None).tolist()
        if len(scale) not in (3, 4):
            raise BundleError("the calibration's 'scale' has the wrong shape; the bundle is damaged")
        mean, lowest, highest, user_damping = [*scale, FORMER_USER_DAMPING][:4]
        item_means = _array(arrays, "item_means", None).astype(np.float32)
        # formerly a user's level was what the ratings left over the overall mean, whatever the items
        expected = item_means if len(scale) == 4 else np.full_like(item_means, mean)
        return cls(_array(arrays, "coefficients", 4), item_means, expected, mean, user_damping, (lowest, highest))


def fit_ratings(
    score: Score, holdout: Holdout, train: csr_array, rating_range: tuple[float, float], *, block: int = 512
) -> RatingCalibration:
    """Learns ratings from scores, by ridge regression on the ratings withheld from held-out users.

    `train`: (users, items), the ratings of the training users divided by the highest; they give the items' levels.
    `rating_range`: lowest and highest rating; predictions stay between them.

    Raises:
        ConfigurationError: the feedback is not explicit, or the scores have the wrong shape.
        DataError: no rating is withheld.
    """
    withheld, highest = withheld_ratings(holdout), rating_range[1]
    mean = float(train.data.mean()) * highest if train.nnz else sum(rating_range) / 2
    item_means, user_damping = _fit_baseline(holdout, withheld, train, mean, highest)
    user_means = mean + _user_biases(holdout.fold_in, item_means, user_damping, highest)
    rows = np.repeat(np.arange(len(holdout)), np.diff(withheld.indptr))
    at_withheld = np.concatenate(
        [_at_cells(score, holdout, withheld, part) for part in blocks(len(holdout), block)], dtype=np.float64
    )
    usable = np.isfinite(at_withheld)
    terms = np.column_stack([at_withheld, item_means[withheld.indices], user_means[rows]])[usable]
    coefficients = _towards_baseline(terms, withheld.data[usable].astype(np.float64) * highest, mean)
    levels = item_means.astype(np.float32)
    return RatingCalibration(coefficients, levels, levels, mean, user_damping, rating_range)


def _fit_baseline(
    holdout: Holdout, withheld: csr_array, train: csr_array, mean: float, highest: float
) -> tuple[NDArray[np.float64], float]:
    """The items' levels, and the damping of users, by which the ratings withheld from held-out users are off least.

    Source: Koren and Bell 2011, "Advances in collaborative filtering", baseline predictors.
    """
    rows = np.repeat(np.arange(len(holdout)), np.diff(withheld.indptr))
    ratings, least = withheld.data.astype(np.float64) * highest, np.inf
    best = (np.full(train.shape[1], mean), DAMPINGS[-1])
    for of_items, of_users in product(DAMPINGS, DAMPINGS):
        levels = mean + _item_biases(train, mean, highest, of_items, of_users)
        predicted = levels[withheld.indices] + _user_biases(holdout.fold_in, levels, of_users, highest)[rows]
        error = float(np.square(ratings - predicted).sum())
        if error < least:
            best, least = (levels, of_users), error
    return best


def _item_biases(
    train: csr_array, mean: float, highest: float, item_damping: float, user_damping: float
) -> NDArray[np.float64]:
    """b of min sum (rating - mean - b_item - b_user)^2 + item_damping b_item^2 + user_damping b_user^2, in turns."""
    rows, items = np.repeat(np.arange(train.shape[0]), np.diff(train.indptr)), train.indices
    left = train.data.astype(np.float64) * highest - mean
    of_user, of_item = np.bincount(rows, minlength=train.shape[0]), np.bincount(items, minlength=train.shape[1])
    biases, users = np.zeros(train.shape[1]), np.zeros(train.shape[0])
    for _ in range(SWEEPS):
        biases = np.bincount(items, left - users[rows], train.shape[1]) / (of_item + item_damping)
        users = np.bincount(rows, left - biases[items], train.shape[0]) / (of_user + user_damping)
    return biases


def _user_biases(
    histories: csr_array, expected: NDArray[np.floating], damping: float, highest: float
) -> NDArray[np.float64]:
    """What each user's ratings leave over what was expected of the items: their sum / (ratings + damping), (users,)."""
    left = histories.data.astype(np.float64) * highest - expected[histories.indices]
    rows = np.repeat(np.arange(histories.shape[0]), np.diff(histories.indptr))
    return np.bincount(rows, left, histories.shape[0]) / (np.diff(histories.indptr) + damping)


def _towards_baseline(terms: NDArray[np.float64], ratings: NDArray[np.float64], mean: float) -> NDArray[np.float64]:
    """a, b, c and d by ridge regression of what the baseline (b = 0, c = d = 1, a = -mean) leaves over.

    Terms are standardised, so that one penalty fits scores of any scale: with few ratings, or with terms that say the
    same, it stays near the baseline, where least squares would run away.
    """
    centres, spread = terms.mean(axis=0), terms.std(axis=0)
    scales = np.where(spread > 1e-5 * np.abs(centres), spread, np.inf)  # what does not vary says nothing
    standard = (terms - centres) / scales
    left = ratings - (terms[:, 1] + terms[:, 2] - mean)
    shift = left.sum() / (len(left) + RIDGE)
    gram = standard.T @ standard + RIDGE * np.eye(3)
    slopes = np.linalg.solve(gram, standard.T @ (left - shift)) / scales
    a = shift - slopes @ centres - mean
    return np.concatenate([[a], slopes + np.array([0.0, 1.0, 1.0])])


def _ranked_pairs(judged: Sequence[Judged], most: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Scores of items that were not shown, ascending, and which of them are targets."""
    users = sum(len(holdout) for _, holdout in judged)
    pairs = [
        _pairs(score, holdout, block)
        for score, holdout in judged
        for block in _drawn(holdout, most * len(holdout) // max(1, users), seed)
    ]
    scores = np.concatenate([np.empty(0, dtype=np.float32), *(scores for scores, _ in pairs)])
    found = np.concatenate([np.empty(0, dtype=np.bool_), *(found for _, found in pairs)])
    order = np.argsort(scores, kind="stable")
    return scores[order], found[order]


def _drawn(holdout: Holdout, cells: int, seed: int) -> Iterator[slice]:
    users, items = holdout.fold_in.shape
    most = max(1, cells // max(1, items))
    if users <= most:
        return blocks(users, 512)
    drawn = np.sort(np.random.default_rng(seed).permutation(users)[:most])
    return (slice(int(user), int(user) + 1) for user in drawn)


def _pairs(score: Score, holdout: Holdout, block: slice) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    scores = masked(scores_of(score, holdout, block), holdout.fold_in[block])
    targets = holdout.targets[block]
    found = np.zeros(scores.shape, dtype=np.bool_)
    found[np.repeat(np.arange(len(scores)), np.diff(targets.indptr)), targets.indices] = True
    kept = np.isfinite(scores)
    return scores[kept], found[kept]


def _bin_starts(scores: NDArray[np.float32]) -> NDArray[np.intp]:
    """Where bins start in ascending scores: small ones at the top, none between equal scores."""
    most = int(np.log1p(len(scores) * (BIN_GROWTH - 1) / SMALLEST_BIN) / np.log(BIN_GROWTH))
    sizes = SMALLEST_BIN * (BIN_GROWTH ** np.arange(1, most + 1) - 1) / (BIN_GROWTH - 1)
    starts = len(scores) - sizes.astype(np.intp)
    return np.unique([0, *np.searchsorted(scores, scores[starts])]).astype(np.intp)


def _at_cells(score: Score, holdout: Holdout, cells: csr_array, block: slice) -> NDArray[np.float32]:
    part = cells[block]
    rows = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
    return scores_of(score, holdout, block)[rows, part.indices]


def _array(arrays: Mapping[str, NDArray[np.generic]], name: str, length: int | None) -> NDArray[np.float64]:
    if name not in arrays:
        raise BundleError(f"the calibration lacks '{name}'; the bundle is damaged")
    array = arrays[name].astype(np.float64)
    if array.ndim != 1 or length not in (None, len(array)) or not np.isfinite(array).all():
        raise BundleError(f"the calibration's '{name}' has the wrong shape or holds no numbers; the bundle is damaged")
    return array
