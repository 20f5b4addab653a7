"""Evaluation: every item is ranked for every held-out user, a block of users at a time; never sampled negatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.splitting import Holdout
from foldin.errors import ConfigurationError, DataError
from foldin.evaluation.scoring import Score, blocks, scores_of
from foldin.evaluation.significance import standard_error
from foldin.ranking.metrics import (
    FINDING,
    SPREAD,
    TASTE,
    Cutoff,
    hits_of,
    metric_and_cutoff,
    recommendation_counts,
    relevant_of,
)
from foldin.ranking.top_k import Rankings, masked, top_k

__all__ = ["DEFAULT_METRICS", "Evaluation", "evaluate", "metrics_at"]


def metrics_at(k: int) -> tuple[str, ...]:
    """All metrics for rankings of k items, with NDCG of the best 100 and recall of twice as many beside them."""
    found = (f"ndcg@{k}", "ndcg@100", f"recall_capped@{k}", f"recall@{k}", f"recall_capped@{2 * k}", f"recall@{2 * k}")
    others = ("hit_rate", "map", "mrr", "precision", "novelty", "popularity", "coverage", "gini")
    return tuple(dict.fromkeys((*found, *(f"{name}@{k}" for name in others))))


DEFAULT_METRICS = metrics_at(10)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured: `per_user`, (users,) by metric, and `overall`, figures that all rankings have together.

    `folds`: in which fold of a cross-validation each user was judged, (users,); None where one model judged them all.
    """

    per_user: Mapping[str, NDArray[np.float64]]
    overall: Mapping[str, float]
    folds: NDArray[np.intp] | None = None

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all that was measured."""
        return (*self.per_user, *self.overall)

    def values(self, metric: str) -> NDArray[np.float64]:
        """One value per user, (users,).

        Raises:
            ConfigurationError: the metric was not measured, or has no value per user.
        """
        if metric not in self.per_user:
            raise ConfigurationError(f"'{metric}' was not measured per user; there are: {', '.join(self.per_user)}")
        return self.per_user[metric]

    def mean(self, metric: str) -> float:
        """Mean over users, or the figure over all rankings."""
        return self.overall[metric] if metric in self.overall else float(self.values(metric).mean())

    def standard_error(self, metric: str) -> float:
        """Of the mean over users; NaN for a figure over all rankings."""
        return float("nan") if metric in self.overall else standard_error(self.values(metric), self.folds)


def evaluate(
    score: Score,
    holdout: Holdout,
    *,
    popularity: NDArray[np.float64],
    metrics: Sequence[str] = DEFAULT_METRICS,
    block: int = 512,
) -> Evaluation:
    """Ranks all items but the shown ones for each held-out user, and measures what the rankings find.

    Items that no training user has are not ranked: a split has none of them among the targets (Liang et al. 2018).

    `popularity`: share of the training users who have each item, (items,), from `popularity_of(split.train)`.
    `metrics`: names with their cutoffs, as "ndcg@10"; `ranking.metrics` has them all.
    `block`: users scored at once; there is never more than one block of scores, block x items x 4 bytes (and a copy
        of it where `score` gives a view, which may not be written on).

    Raises:
        ConfigurationError: a metric is not known, or scores or popularity have the wrong shape.
        DataError: there are no held-out users, or one of them has no target.
        TrainingError: a score is NaN.
    """
    named = _named(metrics)
    _check(holdout, popularity)
    judge = _Judge(named, popularity)
    judged = [judge.block(score, holdout, part) for part in blocks(len(holdout), block)]
    per_user = {name: np.concatenate([one.per_user[name] for one in judged]) for name in judged[0].per_user}
    counts = {k: np.sum([one.counts[k] for one in judged], axis=0) for k in judged[0].counts}
    overall = {name: SPREAD[metric](counts[k]) for name, (metric, k) in named.items() if metric in SPREAD}
    return Evaluation(per_user, overall)


def _named(metrics: Sequence[str]) -> dict[str, Cutoff]:
    if not metrics:
        raise ConfigurationError("no metric was named; name at least one, as ndcg@10")
    return {name: metric_and_cutoff(name) for name in metrics}


def _check(holdout: Holdout, popularity: NDArray[np.float64]) -> None:
    if not len(holdout):
        raise DataError("there are no held-out users to evaluate on; hold out a larger share, or give more data")
    items = holdout.fold_in.shape[1]
    if popularity.shape != (items,):
        raise ConfigurationError(f"popularity is of shape {popularity.shape}; these items need ({items},)")
    aimless = np.flatnonzero(relevant_of(holdout.targets) == 0)
    if len(aimless):
        raise DataError("a held-out user without targets; leave such users out", row=int(holdout.rows[aimless[0]]) + 1)


@dataclass(frozen=True, eq=False)
class _Judged:
    per_user: Mapping[str, NDArray[np.float64]]
    counts: Mapping[int, NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class _Judge:
    """Measures one block; what it returns is small, so the block's scores are gone before the next are made."""

    named: Mapping[str, Cutoff]
    popularity: NDArray[np.float64]

    @cached_property
    def unknown(self) -> NDArray[np.bool_]:
        """Items that no training user has: no target is one, and no ranking is to be filled with them."""
        return self.popularity == 0 if self.popularity.any() else np.zeros(len(self.popularity), dtype=np.bool_)

    @property
    def deepest(self) -> int:
        return max(k for _, k in self.named.values())

    def block(self, score: Score, holdout: Holdout, block: slice) -> _Judged:
        scores = masked(scores_of(score, holdout, block), holdout.fold_in[block])
        scores[:, self.unknown] = -np.inf
        rankings = top_k(scores, self.deepest, first_row=block.start)
        return _Judged(self._per_user(rankings, holdout.targets[block]), self._counts(rankings))

    def _per_user(self, rankings: Rankings, targets: csr_array) -> dict[str, NDArray[np.float64]]:
        hits = hits_of(rankings, targets, self.deepest)
        relevant = relevant_of(targets)
        found = {
            name: FINDING[metric](hits[:, :k], relevant)
            for name, (metric, k) in self.named.items()
            if metric in FINDING
        }
        taste = {
            name: TASTE[metric](rankings.best(k), self.popularity)
            for name, (metric, k) in self.named.items()
            if metric in TASTE
        }
        return found | taste

    def _counts(self, rankings: Rankings) -> dict[int, NDArray[np.int64]]:
        cutoffs = {k for metric, k in self.named.values() if metric in SPREAD}
        return {k: recommendation_counts(rankings.best(k), len(self.popularity)) for k in cutoffs}
