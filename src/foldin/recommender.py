"""The recommender: ids in, ids out. The one place where a model meets a catalogue and a feedback rule."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.catalog import Catalog
from foldin.data.feedback import FeedbackRule
from foldin.data.identifiers import checked_id
from foldin.data.interactions import History
from foldin.data.matrix import history_matrix
from foldin.errors import ConfigurationError
from foldin.evaluation.calibration import ProbabilityCalibration, RatingCalibration
from foldin.evaluation.training_report import TrainingReport
from foldin.models.popularity import PopularityModel
from foldin.models.protocols import Estimator, LinearModel, Model
from foldin.ranking.top_k import Rankings, masked, top_k

__all__ = ["Basis", "Contribution", "Explanation", "Recommendation", "Recommender", "Seen"]

Basis: TypeAlias = Literal["history", "popularity"]
"""What a recommendation rests on: the person's history, or, where none of it is known, what most people choose."""

Seen: TypeAlias = Literal["exclude", "include"]
HistoryLike: TypeAlias = History | Sequence[str]

BLOCK = 512


@dataclass(frozen=True)
class Recommendation:
    """One item of a ranking.

    `score` orders the ranking and is no probability. `probability`, calibrated on held-out users, is the chance that
    the item is among what such a user likes besides the history shown; None where it was not calibrated. `rating`,
    explicit feedback only, is the rating to be expected. `item` holds the catalogue's attributes.
    """

    item_id: str
    score: float
    probability: float | None
    rating: float | None
    basis: Basis
    item: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Contribution:
    """What one item of the history does to the score of the item explained."""

    item_id: str
    amount: float


@dataclass(frozen=True)
class Explanation:
    """Why an item has its score, the largest contribution first.

    `additive`: whether the contributions add up to the score (linear models); for a network, each is the change of
    the score when that item alone is left out of the history, and they need not.
    """

    item_id: str
    score: float
    basis: Basis
    additive: bool
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, eq=False)
class Recommender:
    """A fitted model with all it takes to answer in ids.

    `popularity` answers for histories of which nothing is known. `report` says how it was chosen and judged.
    """

    catalog: Catalog
    rule: FeedbackRule
    estimator: Estimator
    model: Model
    popularity: PopularityModel
    calibration: ProbabilityCalibration | RatingCalibration | None = None
    report: TrainingReport | None = None

    def recommend(
        self,
        history: HistoryLike = (),
        *,
        k: int = 10,
        only: Collection[str] | None = None,
        exclude: Collection[str] = (),
        seen: Seen = "exclude",
    ) -> list[Recommendation]:
        """The best k items for one history, best first; fewer where fewer are left. `cold` items are none of them.

        `only`: the items to choose from; `exclude`: items left out; ids the catalogue lacks are passed over.
        `seen`: whether items of the history may be recommended.

        Raises:
            ConfigurationError: k is below 1.
            DataError: the history's columns differ in length, or an id cannot be one.
        """
        return self.recommend_many([history], k=k, only=only, exclude=exclude, seen=seen)[0]

    def recommend_many(
        self,
        histories: Iterable[HistoryLike],
        *,
        k: int = 10,
        only: Collection[str] | None = None,
        exclude: Collection[str] = (),
        seen: Seen = "exclude",
    ) -> list[list[Recommendation]]:
        """`recommend` for many histories, scored together in blocks."""
        if seen not in ("exclude", "include"):
            raise ConfigurationError(f"seen is '{seen}'; it is 'exclude' or 'include'")
        listed = [History.of(history) for history in histories]
        left_out = self._left_out(only, exclude) | (self.cold if seen == "exclude" else False)
        found: list[list[Recommendation]] = []
        for start in range(0, len(listed), BLOCK):
            rows, seen_items = history_matrix(listed[start : start + BLOCK], self.catalog, self.rule)
            shown, hidden = self.foldable(rows), seen_items if seen == "exclude" else None
            found += self._recommendations(self.rank(shown, hidden, k=k, left_out=left_out), shown)
        return found

    def similar(self, item_id: str, k: int = 10) -> list[Recommendation]:
        """The items that go with one item: the ranking of the history that holds it alone.

        Raises:
            NotFoundError: the catalogue lacks the item.
        """
        self.catalog.indices([item_id])
        return self.recommend([item_id], k=k)

    def predict(self, history: HistoryLike, item_ids: Sequence[str] | None = None) -> list[Recommendation]:
        """The completed row of a history: every item, or those named, seen ones included, best first.

        Raises:
            NotFoundError: the catalogue lacks an item named.
        """
        if item_ids is not None and not isinstance(item_ids, str):
            self.catalog.indices(item_ids)
        return self.recommend(history, k=max(len(self.catalog), 1), only=item_ids, seen="include")

    def explain(self, history: HistoryLike, item_id: str) -> Explanation:
        """What each item of the history does to the score of an item.

        Raises:
            NotFoundError: the catalogue lacks the item.
        """
        index = int(self.catalog.indices([item_id])[0])
        shown = self.foldable(history_matrix([History.of(history)], self.catalog, self.rule)[0])
        if not shown.nnz:
            return Explanation(item_id, float(self.popularity.shares[index]), "popularity", True, ())
        if isinstance(self.model, LinearModel):
            amounts = shown.data.astype(np.float64) * self.model.item_weights[shown.indices, index]
            score, additive = math.fsum(amounts), True
        else:
            score, amounts = self._changes_when_left_out(shown, index)
            additive = False
        return Explanation(item_id, score, "history", additive, self._contributions(shown, amounts))

    @property
    def cold(self) -> NDArray[np.bool_]:
        """Items nobody had in training, (items,): a model knows nothing of them, so they are not recommended."""
        cold: NDArray[np.bool_] = self.popularity.shares == 0
        return cold

    def foldable(self, histories: csr_array) -> csr_array:
        """What can be folded in: histories without the items nobody had in training, of which a model knows nothing."""
        cold = self.cold[histories.indices]
        if not cold.any():
            return histories
        kept = histories.copy()
        kept.data[cold] = 0
        kept.eliminate_zeros()
        return kept

    def rank(
        self,
        shown: csr_array,
        seen: csr_array | None,
        *,
        k: int,
        left_out: NDArray[np.bool_] | None = None,
    ) -> Rankings:
        """The best k by index, for histories that are `foldable`.

        `seen`: cells left out; `left_out`: items left out for everyone, (items,).
        """
        scores = self.scores(shown)
        if seen is not None:
            scores = masked(scores, seen)
        if left_out is not None:
            scores[:, left_out] = -np.inf
        return top_k(scores, k)

    def scores(self, shown: csr_array) -> NDArray[np.float32]:
        """The model's scores, (users, items), and popularity's for the histories that are empty."""
        empty = np.diff(shown.indptr) == 0
        if not empty.any():
            return np.array(self.model.score(shown), dtype=np.float32, copy=None)
        scores = np.empty(shown.shape, dtype=np.float32)
        scores[empty] = self.popularity.shares
        if not empty.all():
            scores[~empty] = self.model.score(shown[~empty])
        return scores

    def probabilities(self, rankings: Rankings, shown: csr_array) -> NDArray[np.float32] | None:
        """The probability of every ranked item, (n,), NaN where none is known; None where nothing was calibrated.

        None is known of items of the history, as it is about what a user likes besides them.
        """
        if not isinstance(self.calibration, ProbabilityCalibration):
            return None
        # popularity's scores are another scale, on which nothing was calibrated
        known = (np.diff(shown.indptr) > 0)[rankings.rows] & ~_stored(shown)[rankings.rows, rankings.items]
        return np.where(known, self.calibration.predict(rankings.scores), np.float32(np.nan))

    def ratings(self, rankings: Rankings, shown: csr_array) -> NDArray[np.float32] | None:
        """The rating to be expected of every ranked item, (n,); None where the feedback is no ratings."""
        if not isinstance(self.calibration, RatingCalibration):
            return None
        return self.calibration.predict(self.model.score(shown), shown)[rankings.rows, rankings.items]

    def _recommendations(self, rankings: Rankings, shown: csr_array) -> list[list[Recommendation]]:
        count = len(rankings.items)
        known = (np.diff(shown.indptr) > 0)[rankings.rows]
        columns = zip(
            rankings.items.tolist(),
            rankings.scores.tolist(),
            _cells(self.probabilities(rankings, shown), count),
            _cells(self.ratings(rankings, shown), count),
            known.tolist(),
            strict=True,
        )
        listed = [self._recommendation(*cells) for cells in columns]
        return [listed[start:end] for start, end in pairwise(rankings.starts.tolist())]

    def _recommendation(
        self, item: int, score: float, probability: float | None, rating: float | None, known: bool
    ) -> Recommendation:
        basis: Basis = "history" if known else "popularity"
        return Recommendation(
            str(self.catalog.item_ids[item]), score, probability, rating, basis, self.catalog.item(item)
        )

    def _left_out(self, only: Collection[str] | None, exclude: Collection[str]) -> NDArray[np.bool_]:
        left_out = np.full(len(self.catalog), only is not None)
        left_out[self._known_indices(only or ())] = False
        left_out[self._known_indices(exclude)] = True
        return left_out

    def _known_indices(self, item_ids: Collection[str]) -> NDArray[np.int32]:
        if isinstance(item_ids, str):
            raise ConfigurationError(f"a collection of item ids is wanted, not one string: write [{item_ids!r}]")
        listed = [checked_id(item_id, "item") for item_id in item_ids]
        known = self.catalog.knows(listed)
        return self.catalog.indices([item_id for item_id, here in zip(listed, known, strict=True) if here])

    def _changes_when_left_out(self, shown: csr_array, index: int) -> tuple[float, NDArray[np.float64]]:
        everything = shown.toarray()
        without = np.repeat(everything, shown.nnz, axis=0)
        without[np.arange(shown.nnz), shown.indices] = 0
        scores = self.model.score(csr_array(np.concatenate([everything, without])))[:, index].astype(np.float64)
        return float(scores[0]), scores[0] - scores[1:]

    def _contributions(self, shown: csr_array, amounts: NDArray[np.float64]) -> tuple[Contribution, ...]:
        order = np.argsort(-amounts, kind="stable")
        return tuple(Contribution(str(self.catalog.item_ids[shown.indices[at]]), float(amounts[at])) for at in order)


def _stored(matrix: csr_array) -> NDArray[np.bool_]:
    stored = np.zeros(matrix.shape, dtype=np.bool_)
    stored[np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices] = True
    return stored


def _cells(column: NDArray[np.float32] | None, count: int) -> list[float | None]:
    if column is None:
        return [None] * count
    return [None if math.isnan(number) else number for number in column.tolist()]
