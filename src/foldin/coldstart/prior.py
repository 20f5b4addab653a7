"""The prior: what we would recommend knowing only the profile, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.coldstart.blocks import Values
from foldin.coldstart.content import Content, query_words
from foldin.coldstart.encoding import ProfileEncoder
from foldin.coldstart.profile_prior import ProfilePrior, fit_profile_prior
from foldin.data.catalog import Attributes
from foldin.data.cells import value_of
from foldin.data.interactions import NO_TIME
from foldin.data.matrix import Pairs
from foldin.errors import BundleError, ConfigurationError

__all__ = ["Prior", "PriorTerms", "fit_prior", "recent_shares", "weighed", "weighed_resemblance"]

PROFILE_WEIGHTS = (0.0, 0.5, 1.0, 2.0)
RESEMBLANCE_WEIGHTS = (0.0, 1.0, 4.0, 16.0, 64.0)
CONTENT_WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
DAY = 86_400_000_000  # microseconds
ROUNDING = 1e-6
"""A lead, in spreads of popularity, that is none: what is added up in another order differs by less."""

BLOCK = 64
"""Users looked at together, where it is asked only how much their profiles tell."""
LEVEL = 1e-3
"""Less spread than so much of the highest share is none: in its unit, rounding would drown what a model says."""

SURE = 2.0
"""Standard errors by which a term must better a ranking to be let in at all."""


@dataclass(frozen=True, eq=False)
class PriorTerms:
    """The signed terms of a prior, (users, items) each, or (1, items) where all users have the same.

    None: no such term.
    """

    popularity: NDArray[np.float32]
    profile: NDArray[np.float32] | None
    content: NDArray[np.float32] | None
    resemblance: NDArray[np.float32] | None

    def total(self) -> NDArray[np.float32]:
        """Their sum, (users, items) or (1, items)."""
        terms = (self.popularity, self.profile, self.content, self.resemblance)
        return sum((term for term in terms[1:] if term is not None), start=terms[0])

    def leads(self) -> NDArray[np.float32]:
        """How far above the mean item the best one is by what profiles say, (users,); or (1,), where none says any."""
        said = [term for term in (self.profile, self.content) if term is not None]
        if not said:
            return np.zeros(1, dtype=np.float32)
        total = sum(said[1:], start=said[0])
        leads = total.max(axis=1, initial=0) - total.mean(axis=1)
        return np.where(leads > ROUNDING, leads, np.float32(0))

    def weighed(self, prior: Prior) -> PriorTerms:
        """Terms of weight 1 in the weights of a prior."""
        return PriorTerms(
            self.popularity,
            _times(self.profile, prior.profile_weight),
            _times(self.content, prior.content_weight),
            _times(self.resemblance, prior.resemblance_weight),
        )


def _times(term: NDArray[np.float32] | None, weight: float) -> NDArray[np.float32] | None:
    return None if term is None or not weight else term * np.float32(weight)


@dataclass(frozen=True, eq=False)
class Prior:
    """popularity + profile_weight x profile + content_weight x content + resemblance_weight x resemblance.

    Popularity and the profile's correction of it are in units of the spread of popularity over the items, so that a
    prior has the same scale whatever the data; content (of a profile, `Content.score`) and resemblance (to the items of
    a history, `Content.resembling`) go from 0 to 1.
    Shapes: `shares` (items,), what part of the users have each item, recent ones counting more where so asked;
    `warm` (items,), which items anybody had in training. `seen_attributes`: those of which training knew anything of
    any user, alphabetically; any other attribute of a profile counts as a query. None: training had no users, and all
    attributes are looked up alike.
    """

    shares: NDArray[np.float32]
    warm: NDArray[np.bool_]
    profile: ProfilePrior | None = None
    content: Content | None = None
    profile_weight: float = 1.0
    content_weight: float = 1.0
    resemblance_weight: float = 0.0
    seen_attributes: tuple[str, ...] | None = None

    @cached_property
    def warm_shares(self) -> NDArray[np.float32]:
        """What part of all the warm items each of them is, (items,); `scores @ warm_shares` is their mean score."""
        return np.asarray(self.warm / np.float32(max(self.warm.sum(), 1)), dtype=np.float32)

    @cached_property
    def unit(self) -> np.float32:
        """The spread of popularity over the items anybody had; its height where it is level, and 1 without any."""
        highest = self.shares.max(initial=0)
        spread = self.shares[self.warm].std() if self.warm.any() else np.float32(0)
        return np.float32(spread if spread > LEVEL * highest else highest or 1)

    @cached_property
    def _popularity(self) -> NDArray[np.float32]:
        """The term of popularity, (1, items)."""
        popularity = np.asarray(self.shares / self.unit)[None, :]
        popularity.setflags(write=False)  # all terms share it
        return popularity

    @property
    def attributes(self) -> Mapping[str, Sequence[str]]:
        """The attributes of profiles that were learned from and have a weight, in alphabetical order, with their values
        where they are categories."""
        if self.profile is None or not self.profile_weight:
            return {}
        blocks = self.profile.encoder.blocks
        return {block.name: block.values if isinstance(block, Values) else () for block in blocks}

    def terms(self, attributes: Attributes, histories: csr_array) -> PriorTerms:
        """The terms for users with these histories and profiles, one cell of every attribute for each."""
        resemblance = None
        if self.content is not None and self.resemblance_weight and histories.nnz:
            resemblance = self.content.resembling(histories)
        return replace(self._of_profiles(attributes, histories.shape[0]), resemblance=resemblance).weighed(self)

    def relevance(
        self, attributes: Attributes, queries: Sequence[str | None] | None, users: int
    ) -> NDArray[np.float32] | None:
        """How well items match what users look for, from 0 to 1, (users, items): a query, one for each user, and the
        attributes of their profiles that training never saw. None where none of them matches an item.
        """
        words = self.query_words(attributes, queries, users)
        if self.content is None or not any(words):
            return None
        relevance = self.content.relevance(words)
        return relevance if relevance.any() else None

    def query_words(self, attributes: Attributes, queries: Sequence[str | None] | None, users: int) -> list[list[str]]:
        """The words of what each of so many users looks for."""
        unseen = {name: cells for name, cells in attributes.items() if not self._has_seen(name)}
        return [query_words(None if queries is None else queries[row], unseen, row) for row in range(users)]

    def _has_seen(self, attribute: str) -> bool:
        return self.seen_attributes is None or attribute in self.seen_attributes

    def leads(self, attributes: Attributes, users: int) -> NDArray[np.float32]:
        """`PriorTerms.leads` of the profiles of so many users, (users,)."""
        leads = np.zeros(users, dtype=np.float32)
        for start in range(0, users if attributes else 0, BLOCK):
            block = {name: cells[start : start + BLOCK] for name, cells in attributes.items()}
            leads[start : start + BLOCK] = self._of_profiles(block, min(BLOCK, users - start)).weighed(self).leads()
        return leads

    def _of_profiles(self, attributes: Attributes, users: int) -> PriorTerms:
        """The terms that no history has a part in, of weight 1 where they have any."""
        profile = content = None
        attributes = {name: cells for name, cells in attributes.items() if self._has_seen(name)}
        if self.profile is not None and self.profile_weight and attributes:
            profile = self.profile.score(attributes, users) / self.unit
        if self.content is not None and self.content_weight and attributes:
            content = self.content.score(attributes, users)
        return PriorTerms(self._popularity, profile, content, None)

    @property
    def unjudged_profile_weight(self) -> float:
        """What profiles weigh where nobody was held out to judge what they do to a ranking.

        They have their say only where they predict users left out better than popularity does, by more than two
        standard errors: else what they say may be chance, and popularity speaks alone.
        """
        return 1.0 if self.profile is not None and self.profile.lead > SURE else 0.0

    def with_weights(
        self, *, profile: float | None = None, content: float | None = None, resemblance: float | None = None
    ) -> Prior:
        """The same prior, its terms weighing something else; None leaves a weight as it is."""
        return replace(
            self,
            profile_weight=self.profile_weight if profile is None else profile,
            content_weight=self.content_weight if content is None else content,
            resemblance_weight=self.resemblance_weight if resemblance is None else resemblance,
        )

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What was learned, by name, without the encoder and the look-up."""
        profile = {} if self.profile is None else {"means": self.profile.means, "weights": self.profile.weights}
        return {"shares": self.shares, "warm": self.warm, **profile}

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, NDArray[np.generic]],
        encoder: ProfileEncoder | None,
        items: int,
        content: Content | None,
        seen_attributes: tuple[str, ...] | None = None,
    ) -> Prior:
        """The prior that `arrays`, of so many items, and an encoder came from.

        Raises:
            BundleError: an array is missing, or has a shape that does not fit.
        """
        shares = _array(arrays, "shares", (items,))
        warm = _array(arrays, "warm", (items,)) != 0
        if encoder is None:
            return cls(shares, warm, None, content, seen_attributes=seen_attributes)
        features = len(encoder.names)
        means, weights = _array(arrays, "means", (features,)), _array(arrays, "weights", (features, items))
        return cls(shares, warm, ProfilePrior(encoder, means, weights), content, seen_attributes=seen_attributes)


def fit_prior(
    histories: csr_array,
    attributes: Attributes,
    content: Content | None = None,
    shares: NDArray[np.float32] | None = None,
) -> Prior:
    """Learns from the users of `histories`, (users, items), with one cell of every attribute for each.

    `content`: the look-up in the catalogue. `shares`: popularity, where it is not that of `histories`.
    """
    totals = np.asarray(histories.sum(axis=0), dtype=np.float64).ravel()
    popularity = (totals / max(histories.shape[0], 1)).astype(np.float32) if shares is None else shares
    profile = fit_profile_prior(attributes, histories) if attributes else None
    return Prior(popularity, totals > 0, profile, content, seen_attributes=_seen(attributes, histories.shape[0]))


def _seen(attributes: Attributes, users: int) -> tuple[str, ...] | None:
    if not users:
        return None
    return tuple(
        sorted(name for name, cells in attributes.items() if any(value_of(cell) is not None for cell in cells))
    )


def recent_shares(pairs: Pairs, users: int, half_life: float) -> NDArray[np.float32]:
    """Popularity, (items,), by the pairs of so many users, in which what is `half_life` days older counts half.

    As large in all as without decay, so that a share stays one. What has no time counts as the oldest.

    Raises:
        ConfigurationError: `half_life` is not above 0, or nothing has a time.
    """
    if not half_life > 0:
        raise ConfigurationError(f"recent is {half_life}; it is a number of days above 0")
    if pairs.times is None or (pairs.times == NO_TIME).all():
        raise ConfigurationError("recent popularity needs a column of times, and the log has none")
    weights = np.exp2(-_ages(pairs.times) / half_life)
    totals = np.bincount(pairs.columns, pairs.values * weights, pairs.shape[1])
    scale = pairs.values.sum(dtype=np.float64) / max(float(totals.sum()), np.finfo(np.float64).tiny)
    return np.asarray(totals * scale / max(users, 1), dtype=np.float32)


def _array(arrays: Mapping[str, NDArray[np.generic]], name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if name not in arrays or arrays[name].shape != shape:
        raise BundleError(f"the prior's '{name}' is missing or not of shape {shape}; the bundle is damaged")
    array = arrays[name].astype(np.float32)
    if not np.isfinite(array).all():
        raise BundleError(f"the prior's '{name}' holds what is no number; the bundle is damaged")
    return array


def _ages(times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Days before the newest, (cells,)."""
    known = times != NO_TIME
    oldest = times[known].min(initial=np.iinfo(np.int64).max) if known.any() else 0
    dated = np.where(known, times, oldest)
    return np.asarray((dated.max(initial=oldest) - dated) / DAY)


def weighed(prior: Prior, quality: Callable[[Prior], NDArray[np.float64]]) -> Prior:
    """The prior with the weights of its terms chosen by `quality`, (users,), a value per held-out user.

    A term that does not better the ranking by more than two standard errors gets no weight: one that is useless is let
    in by chance only, once in some twenty times, and then weighs little.
    """
    if prior.profile is None:  # whatever a later training finds there has not been judged
        prior = prior.with_weights(profile=0)
    else:
        prior = _best([prior.with_weights(profile=weight) for weight in PROFILE_WEIGHTS], quality)
    if prior.content is not None:
        prior = _best([prior.with_weights(content=weight) for weight in CONTENT_WEIGHTS], quality)
    return prior


def weighed_resemblance(prior: Prior, quality: Callable[[Prior], NDArray[np.float64]]) -> Prior:
    """The prior with the weight of resemblance to the history chosen by `quality`, as `weighed` chooses the others."""
    if prior.content is None:
        return prior
    return _best([prior.with_weights(resemblance=weight) for weight in RESEMBLANCE_WEIGHTS], quality)


def _best(priors: Sequence[Prior], quality: Callable[[Prior], NDArray[np.float64]]) -> Prior:
    """The best of priors, the first of which lacks the term in question."""
    without, *others = priors
    base = quality(without)
    qualities = [quality(other) for other in others]
    best = int(np.argmax([one.mean() for one in qualities]))
    gain = qualities[best] - base
    error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else np.inf
    return others[best] if gain.mean() > SURE * error else without
