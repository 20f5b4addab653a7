"""Everything that is known of a log: what histories, priors and the handover between them are learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.coldstart.blend import Blend, blended_scores, of_rows
from foldin.coldstart.cold_items import ColdItems, fit_cold_items
from foldin.coldstart.content import Content, fit_content
from foldin.coldstart.crossfit import Fold, Learned, learn_blend
from foldin.coldstart.prior import Prior, fit_prior, recent_shares
from foldin.coldstart.stemming import check_language
from foldin.data.catalog import Attributes, Catalog, ids_of
from foldin.data.feedback import Feedback, FeedbackRule
from foldin.data.interactions import Interactions
from foldin.data.matrix import UserItemMatrix, merged_pairs, user_item_matrix
from foldin.data.profiles import Profiles
from foldin.data.splitting import Holdout
from foldin.evaluation.scoring import Score

__all__ = ["Evidence", "full_catalog", "gathered"]


@dataclass(frozen=True, eq=False)
class Evidence:
    """A log, its catalogue and its users' profiles, as rows and columns of one matrix.

    `recent`: age in days at which an event counts half in the prior's popularity; None counts all alike. `language`: by
    which the catalogue's words are stemmed; None detects it.
    """

    log: Interactions
    catalog: Catalog
    rule: FeedbackRule
    matrix: UserItemMatrix
    profiles: Profiles | None = None
    recent: float | None = None
    language: str | None = None

    @cached_property
    def attributes(self) -> Attributes:
        """The users' profiles, one cell of every attribute for each row of the matrix."""
        return {} if self.profiles is None else self.profiles.of(self.matrix.user_ids)

    @cached_property
    def content(self) -> Content | None:
        """The look-up in the catalogue; None where it has no words."""
        return fit_content(self.catalog, self.language)

    def prior(self, train: csr_array, rows: NDArray[np.intp]) -> Prior:
        """The prior that histories, (users, items), of the users of some rows teach."""
        shares = None if self.recent is None else self._recent_shares(train, rows, self.recent)
        return fit_prior(train, of_rows(self.attributes, rows), self.content, shares)

    def learn(self, folds: Sequence[Fold], prior: Prior) -> Learned:
        """How the prior is weighed and handed over, by the users of the folds."""
        return learn_blend(folds, prior, self.attributes, self.rule.positive)

    def cold_items(self, prior: Prior, history_weight: float) -> ColdItems | None:
        """How items nobody had resemble those that somebody had; None where none does."""
        if self.content is None or prior.warm.all():
            return None
        return fit_cold_items(self.content.item_vectors(), ~prior.warm, history_weight=history_weight)

    def within(self, train: csr_array, rows: NDArray[np.intp]) -> Interactions:
        """The events that the cells of `train`, whose rows are these of the matrix, are made of."""
        items = np.full(len(self.log.item_ids), -1, dtype=np.int64)
        known = self.catalog.knows(self.log.item_ids)
        items[known] = self.catalog.indices(self.log.item_ids[known])
        width = len(self.catalog)
        cells = self.log.user_codes.astype(np.int64) * width + items[self.log.item_codes]
        return self.log.where(np.isin(cells, _cells(train, rows)))

    def scores(self, blend: Blend, users: Holdout) -> Score:
        """What a blend makes of held-out users, whose profiles it knows."""
        return blended_scores(blend, self.attributes, users)

    def telling(self, blend: Blend, users: Holdout) -> NDArray[np.float32]:
        """How much the profiles of some users tell a blend, from 0 to 1, (users,)."""
        return blend.handover.telling(blend.prior.leads(of_rows(self.attributes, users.rows), len(users)))

    def _recent_shares(self, train: csr_array, rows: NDArray[np.intp], recent: float) -> NDArray[np.float32]:
        pairs = merged_pairs(self.log, self.catalog, self.rule)
        cells = pairs.rows.astype(np.int64) * pairs.shape[1] + pairs.columns
        return recent_shares(pairs.where(np.isin(cells, _cells(train, rows))), len(rows), recent)


def _cells(train: csr_array, rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """row x items + column of every stored cell, the rows those of the whole matrix."""
    of_cells = np.repeat(rows.astype(np.int64), np.diff(train.indptr))
    return np.asarray(of_cells * train.shape[1] + train.indices)


def gathered(
    log: Interactions,
    *,
    catalog: Catalog | None = None,
    profiles: Profiles | None = None,
    feedback: Feedback | None = None,
    recent: float | None = None,
    language: str | None = None,
) -> Evidence:
    """The evidence of a log; items that only the log knows come after the catalogue's.

    Raises:
        ConfigurationError: the feedback's settings contradict the log, or there is no such language.
        DataError: an event's value or kind is none of those the feedback allows.
    """
    if language is not None:
        check_language(language)
    rule = (feedback or Feedback()).settle(log)
    items = full_catalog(log, catalog)
    return Evidence(log, items, rule, user_item_matrix(log, items, rule), profiles, recent, language)


def full_catalog(log: Interactions, catalog: Catalog | None) -> Catalog:
    """The catalogue's items in its order, then those only the log knows."""
    return (catalog or Catalog(ids_of([]))).extended(log.item_ids)
