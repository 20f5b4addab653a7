"""Why items have their scores: what items of a history, attributes of a profile and words of a query add to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.coldstart.blend import Blend
from foldin.data.catalog import Attributes, Catalog
from foldin.data.interactions import Ids
from foldin.recommendation import Basis, Contribution, Explanation

__all__ = ["Check", "explanations"]

Check: TypeAlias = Callable[[], None]
"""Called between the steps of long work; raises where the work should stop."""


def explanations(
    blend: Blend,
    catalog: Catalog,
    history: csr_array,
    attributes: Attributes,
    items: NDArray[np.int32],
    *,
    query: str | None = None,
    top: int | None = None,
    check: Check = lambda: None,
) -> list[Explanation]:
    """The scores of some items explained, for one history, (1, items), one cell of every attribute, and a query.

    `top`: how many items of the history each explanation names, the largest contributions first; None names all.
    """
    terms = blend.terms(history, attributes, [query])
    scores = terms.total()[0, items].tolist()
    cells = terms.at(np.zeros(len(items), dtype=np.intp), items)
    of_items, additive = blend.item_contributions(history, items.tolist(), check)
    of_attributes = blend.attribute_contributions(history, attributes, items.tolist())
    of_words = blend.word_contributions(attributes, query, cells["query"], items)
    known = catalog.ids(history.indices)
    explained = []
    for place, item_id in enumerate(catalog.ids(items)):
        check()
        explained.append(
            Explanation(
                str(item_id),
                scores[place],
                Basis(**{name: float(column[place]) for name, column in cells.items()}),
                additive,
                _largest(known, of_items[place], top),
                _largest(list(of_attributes[place]), np.array(list(of_attributes[place].values()))),
                _largest(*_of_item(of_words, place)),
            )
        )
    return explained


def _of_item(of_words: Mapping[str, NDArray[np.float32]], place: int) -> tuple[list[str], NDArray[np.float32]]:
    """The words that do anything to an item's score, and what."""
    found = {word: amounts[place] for word, amounts in of_words.items() if amounts[place]}
    return list(found), np.array(list(found.values()), dtype=np.float32)


def _largest(
    names: Sequence[str] | Ids, amounts: NDArray[np.floating], top: int | None = None
) -> tuple[Contribution, ...]:
    """The largest contributions, or all, the largest first; equal ones in the order of their names."""
    candidates = np.arange(len(amounts))
    if top is not None and top < len(amounts):
        candidates = np.flatnonzero(amounts >= np.partition(amounts, -top)[-top])
    order = candidates[np.argsort(-amounts[candidates], kind="stable")][:top]
    return tuple(Contribution(str(names[place]), float(amounts[place])) for place in order.tolist())
