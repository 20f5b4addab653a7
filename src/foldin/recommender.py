"""The recommender: ids in, ids out. The one place where a model meets a catalogue and a feedback rule."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.coldstart.blend import TERMS, Blend, Terms, of_rows
from foldin.coldstart.notices import query_notices
from foldin.data.catalog import Attributes, Catalog
from foldin.data.feedback import FeedbackRule
from foldin.data.identifiers import checked_id, checked_ids
from foldin.data.interactions import History
from foldin.data.matrix import history_matrix
from foldin.data.profiles import Profile, attributes_of
from foldin.errors import ConfigurationError, DataError
from foldin.evaluation.calibration import RatingCalibration
from foldin.evaluation.person_calibration import PersonCalibration
from foldin.evaluation.training_report import TrainingReport
from foldin.explaining import Check, explanations
from foldin.models.protocols import Estimator, Model
from foldin.ranking.diversity import CANDIDATES, check_diversity, diverse
from foldin.ranking.newcomers import top_k_with_few_new
from foldin.ranking.top_k import Rankings, check_k, masked, top_k
from foldin.ranking.top_k import joined as joined_rankings
from foldin.recommendation import Basis, Explanation, Ranked, Recommendation, joined

__all__ = ["Recommender", "Seen"]

Seen: TypeAlias = Literal["exclude", "include"]
HistoryLike: TypeAlias = History | Collection[str]

T = TypeVar("T")

BLOCK = 512

CELLS = 2**20
"""Scores worked on together: few enough that their terms stay near the processor."""


@dataclass(frozen=True, eq=False)
class Recommender:
    """A fitted model with all it takes to answer in ids. `report` says how it was chosen and judged.

    `data_position`: of the store when the data was read, where it came from one.
    """

    catalog: Catalog
    rule: FeedbackRule
    estimator: Estimator
    blend: Blend
    calibration: PersonCalibration | RatingCalibration | None = None
    report: TrainingReport | None = None
    data_position: int | None = None

    @property
    def model(self) -> Model:
        """The model alone, without prior and handover."""
        return self.blend.model

    def recommend(
        self,
        history: HistoryLike = (),
        *,
        profile: Profile | None = None,
        query: str | None = None,
        k: int = 10,
        only: Collection[str] | None = None,
        exclude: Collection[str] = (),
        seen: Seen = "exclude",
        diversity: float = 0,
    ) -> list[Recommendation]:
        """The best k items for one person, best first; fewer where fewer are left.

        `profile`: what is known of the person, as {"role": "admin", "interests": "networking|storage"}; values that
        training did not know say nothing, and an attribute that it did not know counts as a query. `query`: what the
        person looks for, as "pivot tables": items that match come first (`query_term`); where none does, the ranking is
        the same as without. `only`: the items to choose from; `exclude`: items left out;
        ids the catalogue lacks are passed over. `seen`: whether items of the history may be recommended.
        `diversity`: from 0, the order of the scores, to 1, items as different by their words as can be (`diversified`).

        Raises:
            ConfigurationError: k is below 1, or with a diversity above 100; the profile, the query or the diversity is
                none; the catalogue has no words to tell diversity by.
            DataError: a history, `only` or `exclude` is no collection of ids, or an id cannot be one.
        """
        return self.recommend_many(
            [history],
            profiles=[profile],
            queries=[query],
            k=k,
            only=only,
            exclude=exclude,
            seen=seen,
            diversity=diversity,
        )[0]

    def recommend_many(
        self,
        histories: Iterable[HistoryLike],
        *,
        profiles: Sequence[Profile | None] | None = None,
        queries: Sequence[str | None] | None = None,
        k: int = 10,
        only: Collection[str] | None = None,
        exclude: Collection[str] = (),
        seen: Seen = "exclude",
        diversity: float = 0,
    ) -> list[list[Recommendation]]:
        """`recommend` for many people, scored together in blocks; `profiles`, `queries`: one for each history.

        Raises:
            ConfigurationError: as `recommend`, or there are not as many profiles or queries as histories.
            DataError: as `recommend`.
        """
        if seen not in ("exclude", "include"):
            raise ConfigurationError(f"seen is '{seen}'; it is 'exclude' or 'include'")
        listed = [History.of(history) for history in _listed(histories)]
        people = _one_each("profiles", profiles, len(listed))
        wanted = _checked_queries(_one_each("queries", queries, len(listed)))
        listed_out = self.left_out(only, exclude)
        return self._many(listed, people, wanted, k, listed_out, seen, diversity=diversity, whole=False)

    def _many(
        self,
        histories: Sequence[History],
        people: Sequence[Profile | None],
        queries: Sequence[str | None],
        k: int,
        left_out: NDArray[np.bool_],
        seen: Seen,
        *,
        diversity: float = 0,
        whole: bool,
    ) -> list[list[Recommendation]]:
        found: list[list[Recommendation]] = []
        for start in range(0, len(histories), BLOCK):
            block = slice(start, start + BLOCK)
            rows, seen_items = history_matrix(histories[block], self.catalog, self.rule)
            hidden = seen_items if seen == "exclude" else None
            attributes = attributes_of(people[block])
            ranked = self.rank(
                rows,
                hidden,
                attributes,
                queries=queries[block],
                k=k,
                left_out=left_out,
                diversity=diversity,
                whole=whole,
            )
            found += self.recommendations(ranked)
        return found

    def similar(
        self,
        item_id: str,
        k: int = 10,
        *,
        exclude: Collection[str] = (),
        left_out: NDArray[np.bool_] | None = None,
    ) -> list[Recommendation]:
        """The items that go with one item: the model's ranking for the history that holds it alone, without the prior.

        Of an item nobody had only its words are known: it goes with the items it resembles by them. `exclude`: items
        left out, by id; `left_out`: others, (items,).

        Raises:
            NotFoundError: the catalogue lacks the item.
            DataError: an id cannot be one.
        """
        item_id = checked_id(item_id, "item")
        self.catalog.indices([item_id])
        history = history_matrix([History((item_id,))], self.catalog, self.rule)[0]
        shown = self.foldable(history)
        terms = self.blend.without_prior(shown) if shown.nnz else self.blend.resemblance(history)
        scores = masked(terms.total(), history)
        scores[scores == 0] = -np.inf  # of these nothing is known
        scores[:, self.left_out(exclude=exclude) | (self.unreachable if shown.nnz else False)] = -np.inf
        if left_out is not None:
            scores[:, left_out] = -np.inf
        return self.recommendations(self._told(top_k(scores, k), terms, shown, history, probable=False))[0]

    def predict(
        self, history: HistoryLike, item_ids: Collection[str] | None = None, *, profile: Profile | None = None
    ) -> list[Recommendation]:
        """The completed row of a history: every item, or those named, seen ones included, best first.

        Raises:
            NotFoundError: the catalogue lacks an item named.
            DataError: an id cannot be one.
        """
        if item_ids is not None:
            item_ids = checked_ids(item_ids, "item")
            self.catalog.indices(item_ids)
        k, left_out = max(len(self.catalog), 1), self.left_out(item_ids)
        return self._many([History.of(history)], [profile], [None], k, left_out, "include", whole=True)[0]

    def explain(
        self,
        history: HistoryLike,
        item_id: str,
        *,
        profile: Profile | None = None,
        query: str | None = None,
        check: Check = lambda: None,
    ) -> Explanation:
        """What each item of the history, attribute of the profile and word of the query does to the score of an item.

        `check`: called between the steps; what it raises ends the work.

        Raises:
            NotFoundError: the catalogue lacks the item.
            DataError: an id cannot be one.
        """
        return self.explain_many(history, [item_id], profile=profile, query=query, check=check)[0]

    def explain_many(
        self,
        history: HistoryLike,
        item_ids: Collection[str],
        *,
        profile: Profile | None = None,
        query: str | None = None,
        top: int | None = None,
        check: Check = lambda: None,
    ) -> list[Explanation]:
        """`explain` for several items, in their order: for a network in little more time than for one.

        `top`: how many items of the history each explanation names, the largest contributions first; None names all.
        `check`: called between the steps; what it raises ends the work.

        Raises:
            ConfigurationError: top is below 1, or the query is no text.
            NotFoundError: the catalogue lacks an item.
            DataError: an id cannot be one.
        """
        if top is not None and top < 1:
            raise ConfigurationError(f"top is {top}: explanations name at least 1 item, or all with None")
        items = self.catalog.indices(item_ids)
        shown = self.foldable(history_matrix([History.of(history)], self.catalog, self.rule)[0])
        (wanted,) = _checked_queries([query])
        attributes = attributes_of([profile])
        return explanations(self.blend, self.catalog, shown, attributes, items, query=wanted, top=top, check=check)

    @property
    def attributes(self) -> Mapping[str, Sequence[str]]:
        """The attributes of profiles that it learned from, with their values where they are categories; others are only
        looked up in the catalogue, as words."""
        return self.blend.prior.attributes

    def says(self, attribute: str, value: str) -> bool:
        """Whether an attribute of a profile says anything: to the prior learned from profiles, or to the catalogue."""
        nothing = csr_array(np.zeros((1, len(self.catalog)), dtype=np.float32))
        attributes = attributes_of([{attribute: value}])
        if self.blend.prior.relevance(attributes, None, 1) is not None:
            return True
        terms = self.blend.prior.terms(attributes, nothing)
        return any(term is not None and bool(term.any()) for term in (terms.profile, terms.content))

    def query_notices(self, query: str | None) -> list[str]:
        """What of a query finds nothing, as sentences; none where all of its words do, or there are none."""
        return query_notices(query or "", self.blend.prior.content)

    def knows(self, history: HistoryLike) -> bool:
        """Whether the model knows any item of a history."""
        return bool(self.foldable(history_matrix([History.of(history)], self.catalog, self.rule)[0]).nnz)

    def had(self, item_id: str) -> bool:
        """Whether anybody had an item in training.

        Raises:
            NotFoundError: the catalogue lacks the item.
            DataError: an id cannot be one.
        """
        return bool(self.blend.prior.warm[self.catalog.indices([item_id])[0]])

    @cached_property
    def unreachable(self) -> NDArray[np.bool_]:
        """Items nobody had in training and that resemble none that anybody had, (items,): only content finds them."""
        return ~self.blend.reachable

    @cached_property
    def _barred(self) -> NDArray[np.float32]:
        """To be added to scores, (items,): -inf for what is `unreachable`, or else 0."""
        return np.where(self.unreachable, np.float32(-np.inf), np.float32(0))

    def foldable(self, histories: csr_array) -> csr_array:
        """What can be folded in: histories without the items nobody had in training, of which a model knows nothing."""
        cold = ~self.blend.prior.warm[histories.indices]
        if not cold.any():
            return histories
        kept = histories.copy()
        kept.data[cold] = 0
        kept.eliminate_zeros()
        return kept

    def rank(
        self,
        histories: csr_array,
        seen: csr_array | None,
        attributes: Attributes,
        *,
        k: int,
        queries: Sequence[str | None] | None = None,
        left_out: NDArray[np.bool_] | None = None,
        diversity: float = 0,
        whole: bool = False,
    ) -> Ranked:
        """The best k by index, for rows of a user-item matrix and as many cells of every attribute.

        `seen`: cells left out; `left_out`: items left out for everyone, (items,), or for each, (users, items).
        `queries`: one for each row. `whole` ranks all that is left; else what is `unreachable` is left out unless its
        content fits the profile or the query, and of items nobody had there are at most a fifth, as nothing has shown
        yet that anybody wants them; those that match a query do not count.

        Raises:
            ConfigurationError: as from `recommend`.
        """
        check_k(k)
        check_diversity(diversity, k)
        users, size = histories.shape[0], max(1, CELLS // max(1, len(self.catalog)))
        if users <= size:
            return self._ranked(histories, seen, attributes, queries, k, left_out, diversity=diversity, whole=whole)
        blocks = [slice(start, min(start + size, users)) for start in range(0, users, size)]

        def ranked(block: slice) -> Ranked:
            hidden = None if seen is None else seen[block]
            out = left_out[block] if left_out is not None and left_out.ndim == 2 else left_out
            of_block = of_rows(attributes, block)
            wanted = None if queries is None else queries[block]
            return self._ranked(histories[block], hidden, of_block, wanted, k, out, diversity=diversity, whole=whole)

        return joined([ranked(block) for block in blocks])

    def _ranked(
        self,
        histories: csr_array,
        seen: csr_array | None,
        attributes: Attributes,
        queries: Sequence[str | None] | None,
        k: int,
        left_out: NDArray[np.bool_] | None,
        *,
        diversity: float,
        whole: bool,
    ) -> Ranked:
        shown = self.foldable(histories)
        terms = self.blend.terms(shown, attributes, queries)
        scores = terms.total()
        if seen is not None:
            scores = masked(scores, seen)
        if left_out is not None and left_out.any():
            scores[(slice(None), left_out) if left_out.ndim == 1 else left_out] = -np.inf
        if not whole:
            self._leave_out_unreachable(scores, terms)
        return self._told(self._best(scores, terms, k, diversity, whole=whole), terms, shown, histories)

    def _best(self, scores: NDArray[np.float32], terms: Terms, k: int, diversity: float, *, whole: bool) -> Rankings:
        new = np.zeros_like(self.blend.prior.warm) if whole else ~self.blend.prior.warm
        if terms.query is None or not new.any():
            return self._best_of(scores, new, k, diversity)
        rows = [slice(row, row + 1) for row in range(len(scores))]
        return joined_rankings(
            [self._best_of(scores[row], new & (terms.query[row.start] == 0), k, diversity) for row in rows]
        )

    def _best_of(self, scores: NDArray[np.float32], new: NDArray[np.bool_], k: int, diversity: float) -> Rankings:
        if not diversity:
            return top_k_with_few_new(scores, new, k, k=k)
        content = self.blend.prior.content
        if content is None:
            raise ConfigurationError("diversity is told by what items are about, and the catalogue has no words")
        candidates = top_k_with_few_new(scores, new, CANDIDATES * k, k=k)
        return diverse(candidates, content.vectors, k, diversity)

    def _leave_out_unreachable(self, scores: NDArray[np.float32], terms: Terms) -> None:
        finding = [term for term in (terms.content, terms.query) if term is not None]
        if not finding:
            scores += self._barred  # a sum is several times faster than writing to chosen columns
            return
        unreachable = np.flatnonzero(self.unreachable)
        found = np.any([term[:, unreachable] > 0 for term in finding], axis=0)
        scores[:, unreachable] = np.where(found, scores[:, unreachable], -np.inf)

    def _told(
        self, rankings: Rankings, terms: Terms, shown: csr_array, histories: csr_array, *, probable: bool = True
    ) -> Ranked:
        probabilities, lower_bounds = (
            self._probabilities(rankings, terms, shown, histories) if probable else (None, None)
        )
        return Ranked(
            rankings,
            terms.at(rankings.rows, rankings.items),
            probabilities,
            self._ratings(rankings, shown),
            np.zeros(len(rankings.items), dtype=np.bool_) if lower_bounds is None else lower_bounds,
            terms.telling,
        )

    def _probabilities(
        self, rankings: Rankings, terms: Terms, shown: csr_array, histories: csr_array
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]] | tuple[None, None]:
        """Probabilities, and which of them are lower bounds."""
        # none is known of items of the history, as it is about what a user likes besides them, nor of items nobody had
        if not isinstance(self.calibration, PersonCalibration):
            return None, None
        known, telling = np.diff(shown.indptr)[rankings.rows], terms.telling[rankings.rows]
        # calibrated without queries: what a user likes is no more likely because they look for it
        scores = rankings.scores - terms.at(rankings.rows, rankings.items)["query"]
        probabilities = self.calibration.predict(scores, known, telling)
        lower_bounds = self.calibration.is_lower_bound(scores, known, telling)
        unknown = _stored(histories)[rankings.rows, rankings.items] | ~self.blend.prior.warm[rankings.items]
        probabilities[unknown] = np.nan
        return probabilities, lower_bounds & ~np.isnan(probabilities)

    def _ratings(self, rankings: Rankings, shown: csr_array) -> NDArray[np.float32] | None:
        if not isinstance(self.calibration, RatingCalibration):
            return None
        return self.calibration.predict(self.model.score(shown), shown)[rankings.rows, rankings.items]

    def recommendations(self, ranked: Ranked) -> list[list[Recommendation]]:
        """Rankings by index in ids again, a list for each user, with all that is said of their items."""
        return [self.recommendations_of(ranked, row) for row in range(len(ranked.rankings))]

    def recommendations_of(self, ranked: Ranked, row: int) -> list[Recommendation]:
        """The same for one of the users."""
        rankings = ranked.rankings
        cells = slice(rankings.starts[row], rankings.starts[row + 1])
        items = rankings.items[cells].tolist()
        columns = zip(
            items,
            rankings.scores[cells].tolist(),
            _numbers(ranked.probabilities, cells, len(items)),
            _numbers(ranked.ratings, cells, len(items)),
            ranked.lower_bounds[cells].tolist(),
            *(ranked.terms[name][cells].tolist() for name in TERMS),
            strict=True,
        )
        return [self._recommendation(*numbers) for numbers in columns]

    def _recommendation(
        self,
        item: int,
        score: float,
        probability: float | None,
        rating: float | None,
        is_lower_bound: bool,
        *terms: float,
    ) -> Recommendation:
        item_id, attributes = str(self.catalog.item_ids[item]), self.catalog.item(item)
        return Recommendation(item_id, score, probability, rating, Basis(*terms), attributes, is_lower_bound)

    def left_out(self, only: Collection[str] | None = None, exclude: Collection[str] = ()) -> NDArray[np.bool_]:
        """Which items are left out, (items,), where only some may be chosen from or some may not.

        Raises:
            DataError: it is no collection of ids, or an id cannot be one.
        """
        left_out = np.full(len(self.catalog), only is not None)
        left_out[self._known_indices(() if only is None else only)] = False
        left_out[self._known_indices(exclude)] = True
        return left_out

    def _known_indices(self, item_ids: Collection[str]) -> NDArray[np.int32]:
        return self.catalog.known_indices(item_ids)[1]


def _listed(histories: Iterable[HistoryLike]) -> Iterable[HistoryLike]:
    if isinstance(histories, str | History | Mapping) or not isinstance(histories, Iterable):
        raise DataError(
            f"several histories are wanted, one for each user, as [['7', '9'], ['3']], not {type(histories).__name__}"
        )
    return histories


def _one_each(name: str, given: Sequence[T | None] | None, histories: int) -> Sequence[T | None]:
    if given is None:
        return [None] * histories
    if isinstance(given, Mapping):
        raise ConfigurationError(f"{name} is a mapping; give a list with one for each history, or None")
    if isinstance(given, str) or len(given) != histories:
        what = "one text" if isinstance(given, str) else str(len(given))
        raise ConfigurationError(f"{name}: {what}, histories: {histories}; give one for each, or None")
    return given


def _checked_queries(queries: Sequence[str | None]) -> Sequence[str | None]:
    for query in queries:
        if query is not None and not isinstance(query, str):
            raise ConfigurationError(f"a query is a text, as 'pivot tables', not {type(query).__name__} {query!r}")
    return queries


def _stored(matrix: csr_array) -> NDArray[np.bool_]:
    stored = np.zeros(matrix.shape, dtype=np.bool_)
    stored[np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices] = True
    return stored


def _numbers(column: NDArray[np.float32] | None, cells: slice, count: int) -> list[float | None]:
    if column is None:
        return [None] * count
    return [None if math.isnan(number) else number for number in column[cells].tolist()]
