"""Choosing an estimator's fields on validation users."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from foldin.data.splitting import Split
from foldin.errors import ConfigurationError
from foldin.models.protocols import Estimator
from foldin.models.validation import heldout_quality
from foldin.models.zoo import estimator_named, name_of, settings_of

__all__ = ["GRIDS", "Trial", "tuned"]

L2 = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
DROPOUT = (0.0, 0.1, 0.25, 0.5, 0.75)

GRIDS: dict[str, tuple[tuple[str, Sequence[float]], ...]] = {
    "ease": (("l2", L2),),
    "edlae": (("l2", L2), ("dropout", DROPOUT), ("l2", L2)),
}
"""Which fields of which estimator are chosen, in which order, from which values."""


@dataclass(frozen=True)
class Trial:
    """One estimator tried; `quality` is its NDCG@100 on the validation users."""

    estimator: Estimator
    quality: float


def tuned(
    estimator: Estimator,
    split: Split,
    *,
    fixed: Collection[str] = (),
    on_trial: Callable[[Trial], None] | None = None,
) -> Estimator:
    """The estimator with the fields of its grid chosen by NDCG@100 on the validation users, but for those `fixed`.

    One field after the other, so that a large catalogue costs a few inversions instead of one per combination; an
    estimator without a grid comes back as it is.

    Raises:
        ConfigurationError: `fixed` names what is no field of the estimator.
    """
    _check(fixed, estimator)
    known: dict[Estimator, float] = {}

    def quality(candidate: Estimator) -> float:
        if candidate not in known:
            known[candidate] = heldout_quality(candidate.fit(split.train), split.validation)
            if on_trial is not None:
                on_trial(Trial(candidate, known[candidate]))
        return known[candidate]

    for field, values in GRIDS.get(name_of(estimator), ()):
        if field not in fixed:
            estimator = max(_variants(estimator, field, values), key=quality)
    return estimator


def _check(fixed: Collection[str], estimator: Estimator) -> None:
    unknown = sorted(set(fixed) - set(settings_of(estimator)))
    if unknown:
        raise ConfigurationError(f"{name_of(estimator)} has no field '{unknown[0]}' to leave as it is")


def _variants(estimator: Estimator, field: str, values: Sequence[float]) -> list[Estimator]:
    name, settings = name_of(estimator), settings_of(estimator)
    return [estimator_named(name, {**settings, field: value}) for value in values]
