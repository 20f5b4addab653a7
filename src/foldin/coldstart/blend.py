"""Model and prior, put together: every score is a sum of signed terms, which say what a recommendation rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from foldin.coldstart.cold_items import ColdItems
from foldin.coldstart.handover import Handover
from foldin.coldstart.prior import Prior
from foldin.coldstart.query import query_term
from foldin.data.catalog import Attributes
from foldin.data.splitting import Holdout
from foldin.evaluation.scoring import Score
from foldin.models.protocols import LinearModel, Model

__all__ = ["TERMS", "Blend", "Terms", "blended_scores", "of_rows"]

BLOCK = 64
"""Histories scored together to explain a score."""

TERMS = ("history", "profile", "content", "popularity", "query")


@dataclass(frozen=True, eq=False)
class Terms:
    """What every score is the sum of: an array per term, (users, items) each, or None where there is no such term.

    `telling`: how much profiles tell, from 0 to 1, (users,).
    """

    history: NDArray[np.float32]
    profile: NDArray[np.float32] | None
    content: NDArray[np.float32] | None
    popularity: NDArray[np.float32]
    telling: NDArray[np.float32]
    query: NDArray[np.float32] | None = None

    def total(self) -> NDArray[np.float32]:
        """The scores, (users, items), in an array of their own."""
        total: NDArray[np.float32] = self.history + self.popularity
        for term in (self.profile, self.content, self.query):
            if term is not None:
                total += term
        return total

    def at(self, rows: NDArray[np.intp], items: NDArray[np.int32]) -> dict[str, NDArray[np.float32]]:
        """The terms of some cells, (cells,) each; 0 where there is no such term."""
        nothing = np.zeros(len(rows), dtype=np.float32)
        terms = {name: getattr(self, name) for name in TERMS}
        return {name: nothing if term is None else term[rows, items] for name, term in terms.items()}


@dataclass(frozen=True, eq=False)
class Blend:
    """score = unit x (model(history) - its mean over items) + w(n, t) x prior(profile).

    Cold items have scores made from those of the warm ones they resemble.

    `cold_items`: None where no cold item resembles a warm one.
    """

    model: Model
    prior: Prior
    handover: Handover
    cold_items: ColdItems | None = None

    def terms(self, histories: csr_array, attributes: Attributes, queries: Sequence[str | None] | None = None) -> Terms:
        """The terms for histories, (users, items), of users with these profiles, one cell of every attribute for each,
        and with these queries, one for each.

        A model is asked about histories only: where there is none, the prior speaks alone.
        """
        terms = self._without_query(histories, attributes)
        relevance = self.prior.relevance(attributes, queries, histories.shape[0])
        return terms if relevance is None else replace(terms, query=query_term(relevance, terms.total()))

    def _without_query(self, histories: csr_array, attributes: Attributes) -> Terms:
        known = np.diff(histories.indptr)
        prior = self.prior.terms(attributes, histories)
        telling = np.broadcast_to(self.handover.telling(prior.leads()), len(known))
        weights = self.handover.weight(known, telling)[:, None]
        return Terms(
            self._filled(self._history(histories, known > 0), histories),
            None if prior.profile is None else self._filled(weights * prior.profile),
            _weighed_sum(weights, prior.content, prior.resemblance),
            self._filled(weights * prior.popularity),
            telling,
        )

    def score(self, histories: csr_array, attributes: Attributes) -> NDArray[np.float32]:
        """The sums of the terms, (users, items)."""
        return self.terms(histories, attributes).total()

    @cached_property
    def reachable(self) -> NDArray[np.bool_]:
        """Items that anybody had in training or that resemble one, (items,)."""
        warm = self.prior.warm
        return warm if self.cold_items is None else warm | self.cold_items.reachable

    def without_prior(self, histories: csr_array) -> Terms:
        """What the model alone makes of histories, (users, items), in the terms' scale."""
        history = self._filled(self._history(histories, np.diff(histories.indptr) > 0), histories)
        return Terms(history, None, None, np.zeros_like(history), _nothing(histories))

    def resemblance(self, histories: csr_array) -> Terms:
        """How much items resemble those of histories, (users, items), by their words alone."""
        nothing = np.zeros(histories.shape, dtype=np.float32)
        content = self.prior.content
        resembling = None if content is None else content.resembling(histories)
        return Terms(nothing, None, resembling, nothing, _nothing(histories))

    def item_contributions(
        self, history: csr_array, items: Sequence[int], check: Callable[[], None] = lambda: None
    ) -> tuple[NDArray[np.float64], bool]:
        """What each item of one history, (1, items), does to the history's term of some items, and if it adds up.

        Shape: (`items`, known items of the history). A linear model's add up to the term. For others, each is by how
        much the term falls when that item alone is left out. `check` is called between the steps, and may raise.
        """
        if not history.nnz:
            return np.empty((len(items), 0)), True
        neighbours = [self._neighbours(item) for item in items]
        resembling = np.array([self._resembling(history, item) for item in items]).reshape(len(items), history.nnz)
        if isinstance(self.model, LinearModel):
            weights, held = self.model.item_weights, history.indices
            added = _weighed(lambda sources: weights.between(held, sources), neighbours, len(held))
            above_mean = added - self._mean_weights[history.indices][:, None]
            return history.data * above_mean.T * self.handover.unit + resembling, True
        terms = []
        for block in _leave_one_out(history):
            check()
            scores = self._history(block, np.diff(block.indptr) > 0)
            terms.append(_weighed(partial(np.take, scores, axis=1), neighbours, len(scores)))
        changed = np.concatenate(terms).T
        return changed[:, :1] - changed[:, 1:] + resembling, False

    def attribute_contributions(
        self, history: csr_array, attributes: Attributes, items: Sequence[int]
    ) -> list[dict[str, float]]:
        """What each attribute of one profile adds to the profile's term of some items' scores, by attribute."""
        prior = self.prior
        if prior.profile is None or not prior.profile_weight:
            return [{} for _ in items]
        telling = self.handover.telling(prior.leads(attributes, 1))
        weight = self.handover.weight(np.diff(history.indptr), telling)[0]
        factor = float(weight * prior.profile_weight / prior.unit)
        contributions = prior.profile.contributions(attributes).items()
        neighbours = [self._neighbours(item) for item in items]
        return [
            {name: factor * float(amounts[sources] @ weights) for name, amounts in contributions}
            for sources, weights in neighbours
        ]

    def word_contributions(
        self, attributes: Attributes, query: str | None, amounts: NDArray[np.float32], items: NDArray[np.int32]
    ) -> dict[str, NDArray[np.float32]]:
        """What each word adds to the query's term, `amounts`, of some items, for one user; shapes (items,)."""
        content = self.prior.content
        if content is None or not amounts.any():
            return {}
        (words,) = self.prior.query_words(attributes, [query], 1)
        return {word: share * amounts for word, share in content.word_shares(words, items).items()}

    @cached_property
    def _mean_weights(self) -> NDArray[np.float64]:
        """What an item of a history adds to the score of a warm item on average, (items,); of a linear model."""
        assert isinstance(self.model, LinearModel)
        return np.asarray(self.model.item_weights @ self.prior.warm_shares, dtype=np.float64)

    def _neighbours(self, item: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The items whose scores make up an item's, and their weights: itself, or the warm ones it resembles."""
        if self.cold_items is None or not self.cold_items.reachable[item]:
            return np.array([item]), np.ones(1)
        return self.cold_items.neighbours(item)

    def _resembling(self, history: csr_array, item: int) -> NDArray[np.float64]:
        """What each item of one history adds by resembling a cold item; 0 for a warm one."""
        if self.cold_items is None or not self.cold_items.history_weight or not self.cold_items.reachable[item]:
            return np.zeros(history.nnz)
        shares = np.zeros(history.shape[1])
        sources, weights = self.cold_items.neighbours(item)
        shares[sources] = weights
        return np.asarray(history.data * shares[history.indices] * self.cold_items.history_weight)

    def _history(self, histories: csr_array, known: NDArray[np.bool_]) -> NDArray[np.float32]:
        if self.handover.unit and known.all():
            return self._centred(self.model.score(histories))
        scores = np.zeros(histories.shape, dtype=np.float32)
        if self.handover.unit and known.any():
            scores[known] = self._centred(self.model.score(histories[known]))
        return scores

    def _centred(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        # above the mean an item speaks for itself, below it against; only differences rank
        centred = scores - (scores @ self.prior.warm_shares)[:, None]
        centred *= np.float32(self.handover.unit)
        return centred

    def _filled(self, term: NDArray[np.float32], histories: csr_array | None = None) -> NDArray[np.float32]:
        return term if self.cold_items is None else self.cold_items.filled(term, histories)


def _nothing(histories: csr_array) -> NDArray[np.float32]:
    return np.zeros(histories.shape[0], dtype=np.float32)


def _weighed_sum(
    weights: NDArray[np.float32], one: NDArray[np.float32] | None, other: NDArray[np.float32] | None
) -> NDArray[np.float32] | None:
    parts = [part for part in (one, other) if part is not None]
    return weights * sum(parts[1:], start=parts[0]) if parts else None


def _weighed(
    scores_of: Callable[[NDArray[np.intp]], NDArray[np.floating]],
    neighbours: Sequence[tuple[NDArray[np.intp], NDArray[np.float64]]],
    rows: int,
) -> NDArray[np.float64]:
    """The scores, in so many rows, of items that are made of those of others: of which, and with which weights.

    Shape: (rows, neighbours). `scores_of` gives the columns of some items, so that only those are copied.
    """
    columns = [scores_of(sources).astype(np.float64) @ weights for sources, weights in neighbours]
    return np.stack(columns, axis=1) if columns else np.empty((rows, 0))


def _leave_one_out(history: csr_array) -> Iterator[csr_array]:
    """One history, then it without each of its items in turn, in blocks of rows."""
    for start in range(0, history.nnz + 1, BLOCK):
        places = range(start, min(start + BLOCK, history.nnz + 1))
        rows = [history if place == 0 else _leaving_out(history, place - 1) for place in places]
        yield vstack(rows, format="csr")


def _leaving_out(history: csr_array, place: int) -> csr_array:
    kept = np.arange(history.nnz) != place
    ends = np.array([0, history.nnz - 1], dtype=history.indptr.dtype)
    return csr_array((history.data[kept], history.indices[kept], ends), shape=history.shape)


def of_rows(attributes: Attributes, rows: NDArray[np.intp] | slice) -> Attributes:
    """The attributes of some rows of the matrix that `attributes` are of."""
    return {name: column[rows] for name, column in attributes.items()}


def blended_scores(blend: Blend, attributes: Attributes, holdout: Holdout) -> Score:
    """What a blend makes of the histories shown; `attributes` are of all rows of the whole matrix.

    Items that nobody had in training are left out: they cannot be among the targets.
    """

    def score(block: slice) -> NDArray[np.float32]:
        scores = blend.score(holdout.fold_in[block], of_rows(attributes, holdout.rows[block]))
        scores[:, ~blend.prior.warm] = -np.inf
        return scores

    return score
