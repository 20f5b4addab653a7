"""Why items have their scores: what each item of a history, and each attribute of a profile, adds to them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.coldstart.blend import Blend
from foldin.data.catalog import Attributes, Catalog
from foldin.recommendation import Basis, Contribution, Explanation

__all__ = ["explanations"]


def explanations(
    blend: Blend, catalog: Catalog, history: csr_array, attributes: Attributes, items: NDArray[np.int32]
) -> list[Explanation]:
    """The scores of some items explained, for one history, (1, items), and one cell of every attribute."""
    terms = blend.terms(history, attributes)
    scores = terms.total()[0, items].tolist()
    cells = terms.at(np.zeros(len(items), dtype=np.intp), items)
    of_items, additive = blend.item_contributions(history, items.tolist())
    of_attributes = blend.attribute_contributions(history, attributes, items.tolist())
    known = catalog.ids(history.indices)
    return [
        Explanation(
            str(item_id),
            scores[place],
            Basis(**{name: float(column[place]) for name, column in cells.items()}),
            additive,
            _largest_first(zip(known, of_items[place].tolist(), strict=True)),
            _largest_first(of_attributes[place].items()),
        )
        for place, item_id in enumerate(catalog.ids(items))
    ]


def _largest_first(contributions: Iterable[tuple[str, float]]) -> tuple[Contribution, ...]:
    listed = [Contribution(str(name), amount) for name, amount in contributions]
    return tuple(sorted(listed, key=lambda one: -one.amount))
