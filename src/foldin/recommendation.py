"""What a recommender answers: items with their scores, what these rest on, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from foldin.coldstart.blend import TERMS
from foldin.data.catalog import title_in
from foldin.ranking import top_k
from foldin.ranking.top_k import Rankings

__all__ = ["Basis", "Contribution", "Explanation", "Ranked", "Recommendation", "joined"]


@dataclass(frozen=True)
class Basis:
    """What a score rests on: signed terms that add up to it.

    `history`: what the model makes of the history; `profile`: what people with such a profile choose more or less often
    than others; `content`: items whose words and attributes fit the profile or the history; `popularity`: what most
    people choose; `query`: items whose words match what was looked for.
    """

    history: float
    profile: float
    content: float
    popularity: float
    query: float = 0.0

    def shares(self, digits: int | None = None) -> dict[str, float]:
        """What part of all that speaks for the item each term has, from 0 to 1, the largest first; rounded where
        `digits` says so."""
        terms = zip((self.history, self.profile, self.content, self.popularity, self.query), TERMS, strict=True)
        positive = sorted([term for term in terms if term[0] > 0], key=itemgetter(0), reverse=True)
        total = sum([amount for amount, _ in positive])
        if digits is None:
            return {name: amount / total for amount, name in positive}
        return {name: round(amount / total, digits) for amount, name in positive}


@dataclass(frozen=True)
class Recommendation:
    """One item of a ranking.

    `score` orders the ranking and is no probability. `probability`, calibrated on held-out users, is the chance that
    the item is among what such a user likes besides the history shown; None where it was not calibrated. `rating`,
    explicit feedback only, is the rating to be expected. `basis` says what the score rests on. `item` holds the
    catalogue's attributes. `probability_is_lower_bound`: held-out users are too few to tell scores as high
    apart, and the probability is at least the one given.
    """

    item_id: str
    score: float
    probability: float | None
    rating: float | None
    basis: Basis
    item: Mapping[str, str] = field(default_factory=dict)
    probability_is_lower_bound: bool = False

    @property
    def title(self) -> str:
        """The item's title, or its id where the catalogue has none."""
        return title_in(self.item, self.item_id)


@dataclass(frozen=True)
class Contribution:
    """What an item of the history, an attribute of the profile or a word of the query does to the score explained."""

    name: str
    amount: float


@dataclass(frozen=True)
class Explanation:
    """Why an item has its score, the largest contribution first.

    `items`: of the history; where they are `additive` (linear models) they add up to `basis.history`; for a network,
    each is the change of the score when that item alone is left out of the history, and they need not.
    `attributes`: of the profile; they add up to `basis.profile`. `words`: of the query, and of attributes that count as
    one; they add up to `basis.query`.
    """

    item_id: str
    score: float
    basis: Basis
    additive: bool
    items: tuple[Contribution, ...]
    attributes: tuple[Contribution, ...]
    words: tuple[Contribution, ...]


@dataclass(frozen=True, eq=False)
class Ranked:
    """Rankings by index with all that is said of their items; columns are (n,), as `rankings.items`.

    `terms`: by name, as `Basis` has them. `probabilities`, NaN where none is known, and `ratings`: None where nothing
    was calibrated. `lower_bounds`: where the probability is at least the one given. `telling`: how much profiles tell,
    from 0 to 1, (users,).
    """

    rankings: Rankings
    terms: Mapping[str, NDArray[np.float32]]
    probabilities: NDArray[np.float32] | None
    ratings: NDArray[np.float32] | None
    lower_bounds: NDArray[np.bool_]
    telling: NDArray[np.float32]


def joined(parts: Sequence[Ranked]) -> Ranked:
    """The rankings of blocks of users as those of all."""
    if len(parts) == 1:
        return parts[0]
    return Ranked(
        top_k.joined([part.rankings for part in parts]),
        {name: np.concatenate([part.terms[name] for part in parts]) for name in TERMS},
        _column([part.probabilities for part in parts]),
        _column([part.ratings for part in parts]),
        np.concatenate([part.lower_bounds for part in parts]),
        np.concatenate([part.telling for part in parts]),
    )


def _column(parts: Sequence[NDArray[np.float32] | None]) -> NDArray[np.float32] | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known else None
