"""Everything that is known of a log: what histories, priors and the handover between them are learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from foldin.coldstart.blend import Blend, blended_scores, of_rows
from foldin.coldstart.cold_items import ColdItems, fit_cold_items, history_weight_of
from foldin.coldstart.content import Content, fit_content
from foldin.coldstart.crossfit import Fold, learn_blend
from foldin.coldstart.prior import Prior, fit_prior, recent_shares
from foldin.data.catalog import Attributes, Catalog, ids_of
from foldin.data.feedback import Feedback, FeedbackRule
from foldin.data.interactions import Interactions
from foldin.data.matrix import UserItemMatrix, merged_pairs, user_item_matrix
from foldin.data.profiles import Profiles
from foldin.data.splitting import Holdout
from foldin.evaluation.scoring import Score

__all__ = ["Evidence", "full_catalog", "gathered"]


SAMPLE = 500
"""Held-out users whose scores tell how far the best items stand out."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """A log, its catalogue and its users' profiles, as rows and columns of one matrix.

    `recent`: age in days at which an event counts half in the prior's popularity; None counts all alike.
    """

    log: Interactions
    catalog: Catalog
    rule: FeedbackRule
    matrix: UserItemMatrix
    profiles: Profiles | None = None
    recent: float | None = None

    @cached_property
    def attributes(self) -> Attributes:
        """The users' profiles, one cell of every attribute for each row of the matrix."""
        return {} if self.profiles is None else self.profiles.of(self.matrix.user_ids)

    @cached_property
    def content(self) -> Content | None:
        """The look-up in the catalogue; None where it has no words."""
        return fit_content(self.catalog)

    def prior(self, rows: NDArray[np.intp]) -> Prior:
        """The prior that the users of some rows teach."""
        shares = None if self.recent is None else self._recent_shares(rows, self.recent)
        return fit_prior(self.matrix.histories[rows], of_rows(self.attributes, rows), self.content, shares)

    def blend(self, folds: Sequence[Fold], prior: Prior) -> Blend:
        """The first fold's model with a prior, and how one hands over to the other, learned on the folds' users."""
        weighed, handover = learn_blend(folds, prior, self.attributes, self.rule.positive)
        return Blend(folds[0].model, weighed, handover)

    def history_weight(self, folds: Sequence[Fold], blend: Blend) -> float:
        """What an item of the history counts for the cold items that resemble it, in the unit of the scores."""
        weights = [self._history_weight(replace(blend, model=fold.model), fold.users) for fold in folds]
        return float(np.mean(weights)) if weights else 0.0

    def cold_items(self, prior: Prior, history_weight: float) -> ColdItems | None:
        """How items nobody had resemble those that somebody had; None where none does."""
        if self.content is None or prior.warm.all() or not prior.warm.any():
            return None
        return fit_cold_items(self.content.item_vectors(), ~prior.warm, history_weight=history_weight)

    def scores(self, blend: Blend, users: Holdout) -> Score:
        """What a blend makes of held-out users, whose profiles it knows."""
        return blended_scores(blend, self.attributes, users)

    def _history_weight(self, blend: Blend, users: Holdout) -> float:
        sample = users.where(np.arange(min(len(users), SAMPLE)))
        scores = blend.score(sample.fold_in, of_rows(self.attributes, sample.rows))
        return history_weight_of(scores, sample.fold_in, blend.prior.warm)

    def _recent_shares(self, rows: NDArray[np.intp], recent: float) -> NDArray[np.float32]:
        pairs = merged_pairs(self.log, self.catalog, self.rule)
        return recent_shares(pairs.where(pairs.values > 0), rows, recent)


def gathered(
    log: Interactions,
    *,
    catalog: Catalog | None = None,
    profiles: Profiles | None = None,
    feedback: Feedback | None = None,
    recent: float | None = None,
) -> Evidence:
    """The evidence of a log; items that only the log knows come after the catalogue's.

    Raises:
        ConfigurationError: the feedback's settings contradict the log.
        DataError: an event's value or kind is none of those the feedback allows.
    """
    rule = (feedback or Feedback()).settle(log)
    items = full_catalog(log, catalog)
    return Evidence(log, items, rule, user_item_matrix(log, items, rule), profiles, recent)


def full_catalog(log: Interactions, catalog: Catalog | None) -> Catalog:
    """The catalogue's items in its order, then those only the log knows."""
    return (catalog or Catalog(ids_of([]))).extended(log.item_ids)
