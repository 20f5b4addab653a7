"""Score, mask and top 10 of 6,000 histories, against the bare product of NumPy and argpartition."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.fitting import ITEMS, PER_USER, USERS
from benchmarks.measuring import Figure, fastest
from benchmarks.worlds import skewed_histories
from foldin.coldstart.blend import Blend
from foldin.coldstart.handover import spread_unit, usual_handover
from foldin.coldstart.prior import fit_prior
from foldin.data.catalog import Catalog, ids_of
from foldin.data.feedback import Feedback, FeedbackRule
from foldin.models.ease import EASE
from foldin.recommender import Recommender

K = 10
ROUNDS = 4
DENSE = 0.1
"""Share of cells above any crossover, where histories are multiplied densely as NumPy does."""


def figures() -> list[Figure]:
    return [
        _figure(f"score, mask, top {K} of {USERS:,} x {ITEMS:,}", PER_USER),
        _figure(f"the same, {DENSE:.0%} of the cells stored", DENSE * ITEMS),
    ]


def _figure(what: str, per_user: float) -> Figure:
    histories = skewed_histories(USERS, ITEMS, per_user)
    dense = histories.toarray()
    model = EASE().fit(histories)
    item_ids = ids_of(f"item-{index:05d}" for index in range(ITEMS))
    blend = Blend(model, fit_prior(histories, {}), usual_handover(spread_unit(model.score(histories[:ROUNDS]))))
    recommender = Recommender(Catalog(item_ids), FeedbackRule(Feedback()), EASE(), blend)
    ours, theirs = fastest(
        ROUNDS,
        lambda: recommender.rank(histories, histories, {}, k=K),
        lambda: bare_ranking(dense, model.weights),
    )
    return Figure(f"{what}; dense product and argpartition", ours, theirs, 1.2)


def bare_ranking(histories: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.intp]:
    """The best K items in no order, seen ones included."""
    return np.argpartition(histories @ weights, -K, axis=1)[:, -K:]
