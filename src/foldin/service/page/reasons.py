"""Why an item is recommended, in a few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foldin.data.interactions import History
from foldin.data.profiles import attributes_of
from foldin.recommendation import Explanation
from foldin.recommender import Recommender
from foldin.service.offload import check_cancelled

__all__ = ["Reason", "reasons_for"]

MOST = 3
SPEAKS = 0.25
"""The share from which content or popularity is worth a word."""


@dataclass(frozen=True)
class Reason:
    """Something that speaks for an item, and the term of the score it belongs to."""

    term: str
    text: str


def reasons_for(
    recommender: Recommender, history: History, profile: Mapping[str, str], query: str, items: Sequence[str]
) -> dict[str, list[Reason]]:
    """What speaks most for each of some items, the strongest first; none where nothing speaks for it.

    Raises:
        NotFoundError: the catalogue lacks an item.
    """
    explained = recommender.explain_many(history, items, profile=profile, query=query, top=MOST, check=check_cancelled)
    return {one.item_id: [*_of_words(one), *_of_parts(recommender, one, profile), *_of_rest(one)] for one in explained}


def _of_parts(recommender: Recommender, explanation: Explanation, profile: Mapping[str, str]) -> list[Reason]:
    catalog = recommender.catalog
    items = [
        (part.amount, Reason("history", catalog.title(int(catalog.indices([part.name])[0]))))
        for part in explanation.items
    ]
    attributes = [
        (part.amount, Reason("profile", _telling(recommender, explanation.item_id, part.name, profile[part.name])))
        for part in explanation.attributes
    ]
    speaking = sorted((pair for pair in items + attributes if pair[0] > 0), key=lambda pair: -pair[0])
    return [reason for _, reason in speaking[:MOST]]


def _of_words(explanation: Explanation) -> list[Reason]:
    """The words of a query that an item has, as one reason: it speaks before all others."""
    words = [word.name for word in explanation.words[:MOST]]
    return [Reason("query", f"matches {', '.join(words)}")] if words else []


def _telling(recommender: Recommender, item: str, attribute: str, cell: str) -> str:
    """The feature of an attribute, such as "interests: storage", that speaks most for an item."""
    learned = recommender.blend.prior.profile
    assert learned is not None  # an attribute contributes only where profiles taught something
    index = int(recommender.catalog.indices([item])[0])
    features = learned.encoder.encode(attributes_of([{attribute: cell}]), 1).indices
    return learned.encoder.names[max(features, key=lambda feature: learned.weights[feature, index])].replace(
        " = ", ": "
    )


def _of_rest(explanation: Explanation) -> list[Reason]:
    shares = explanation.basis.shares()
    content = [Reason("content", "words that fit")] if shares.get("content", 0) >= SPEAKS else []
    popular = [Reason("popularity", "chosen by many")] if shares.get("popularity", 0) >= SPEAKS else []
    return content + popular
