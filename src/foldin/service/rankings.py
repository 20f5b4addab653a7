"""Rankings and explanations as they are answered: plain, since there are many of them and we made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from foldin.recommendation import Basis, Contribution

__all__ = ["BatchResponse", "ExplainResponse", "RecommendResponse", "Recommended", "Similar"]


@dataclass(slots=True)
class Recommended:
    """One item of a ranking; not frozen, as to make ten of that kind takes three times as long."""

    item: str
    title: str
    score: Annotated[float, Field(description="Orders the ranking; no probability.")]
    probability: Annotated[float | None, Field(description="Calibrated on held-out users; null where it was not.")]
    probability_is_lower_bound: Annotated[
        bool,
        Field(description="Held-out users are too few to tell scores as high apart: the probability is this or more."),
    ]
    rating: Annotated[float | None, Field(description="To be expected; explicit feedback only.")]
    basis: Basis
    shares: Annotated[dict[str, float], Field(description="What part of all that speaks for the item each term has.")]
    reasons: Sequence[Contribution]
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class RecommendResponse:
    """A ranking, and by which model."""

    recommendation_id: Annotated[str, Field(description="For the events that come of it.")]
    model: Annotated[str, Field(description="The version that answered.")]
    items: list[Recommended]
    reason: Annotated[
        str | None,
        Field(description="Why it is short or rests on no history, and what of profile and query says nothing."),
    ]


@dataclass(frozen=True)
class BatchResponse:
    """One answer for each person, in their order."""

    answers: list[RecommendResponse]


@dataclass(frozen=True)
class Similar:
    """What goes with an item."""

    model: str
    items: list[Recommended]


@dataclass(frozen=True)
class ExplainResponse:
    """What items of the history, attributes of the profile and words of the query do to the score, largest first."""

    model: str
    item: str
    score: float
    basis: Basis
    additive: Annotated[bool, Field(description="Whether the items add up to the history's term, as in linear models.")]
    items: list[Contribution]
    attributes: list[Contribution]
    words: list[Contribution]
