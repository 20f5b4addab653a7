"""What training says of itself: on what it rested, how good it is, and what a user should know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from foldin.evaluation.report import RatingRow, Row

__all__ = ["EpochFigures", "Figures", "LengthFigures", "TrainingReport"]


@dataclass(frozen=True)
class EpochFigures:
    """One epoch: errors are the loss averaged over weighted cells, `quality` is what chose the best epoch."""

    number: int
    train_error: float | None
    validation_error: float | None
    quality: float | None
    best: bool


@dataclass(frozen=True)
class LengthFigures:
    """NDCG@10 by contender for the `users` who were shown `length` items, None: their whole history."""

    length: int | None
    users: int
    ndcg: Mapping[str, float]


@dataclass(frozen=True)
class Figures:
    """How good the model is for users it has never seen: trained on `train_users`, judged once on `test_users`.

    `test_error` is a network's own loss on the test users. `calibration_error` is the mean gap between probability
    and share of hits among the best-scored percent of items; `untold_error` is the same of these users as if nothing
    were known of them but their history, None where nothing is.
    """

    train_users: int
    validation_users: int
    test_users: int
    dropped_targets: int
    test: tuple[Row, ...]
    ratings: tuple[RatingRow, ...] = ()
    test_error: float | None = None
    calibration_error: float | None = None
    by_length: tuple[LengthFigures, ...] = ()
    untold_error: float | None = None


@dataclass(frozen=True)
class TrainingReport:
    """`figures` are of the model before it was `refitted` on everyone; None where too few users could be held out.

    `fingerprint`: SHA-256 of the matrix and its ids. `notes`: what a user should know, as sentences. `without`: sources
    of the store whose events were left out.
    """

    users: int
    items: int
    interactions: int
    fingerprint: str
    refitted: bool
    figures: Figures | None = None
    epochs: tuple[EpochFigures, ...] = ()
    notes: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
