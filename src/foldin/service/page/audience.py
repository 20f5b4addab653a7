"""Whom an item is for: what people say of themselves who have it more often than others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foldin.recommender import Recommender

__all__ = ["Group", "audience_of"]

MOST = 7


@dataclass(frozen=True)
class Group:
    """People alike in something. `more`: how much more of them have the item, a share; `width`: of a bar, 0 to 100."""

    name: str
    more: float
    width: float


def audience_of(recommender: Recommender, item: str) -> list[Group]:
    """The groups that have an item more often than everybody, those it is most for first; none without profiles.

    Raises:
        NotFoundError: the catalogue lacks the item.
    """
    index = int(recommender.catalog.indices([item])[0])
    learned = recommender.blend.prior.profile
    if learned is None:
        return []
    amounts = learned.weights[:, index]
    best = [int(place) for place in np.argsort(-amounts, kind="stable")[:MOST] if amounts[place] > 0]
    highest = float(amounts[best[0]]) if best else 1.0
    return [
        Group(
            learned.encoder.names[place].replace(" = ", ": "),
            float(amounts[place]),
            round(100 * float(amounts[place]) / highest, 1),
        )
        for place in best
    ]
