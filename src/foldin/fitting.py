"""From a log to a recommender: split, choose, measure, calibrate, learn from everyone."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from scipy.sparse import csr_array

from foldin.choosing import Choice, Training, choose, fit_model
from foldin.data.catalog import Catalog, ids_of
from foldin.data.feedback import Feedback, FeedbackRule
from foldin.data.interactions import Interactions
from foldin.data.matrix import UserItemMatrix, user_item_matrix
from foldin.data.splitting import Holdout, Split, strong_generalisation
from foldin.errors import DataError
from foldin.evaluation.calibration import (
    ProbabilityCalibration,
    RatingCalibration,
    calibration_error,
    fit_probabilities,
    fit_ratings,
)
from foldin.evaluation.compare import compare, compare_ratings
from foldin.evaluation.report import RatingRow, rating_rows, rows
from foldin.evaluation.scoring import Score, model_scores
from foldin.evaluation.training_report import EpochFigures, Figures, TrainingReport
from foldin.models.autoencoder import AutoEncoder
from foldin.models.network import Network
from foldin.models.popularity import Popularity
from foldin.models.protocols import Estimator, Model
from foldin.models.zoo import DEFAULT, estimator_named, name_of, suited_to_ratings
from foldin.ranking.metrics import popularity_of
from foldin.recommender import Recommender
from foldin.training.epoch import Epoch

__all__ = ["estimator_for", "fit", "full_catalog", "predicted_ratings"]

HEADLINE = "ndcg@10"

Calibration: TypeAlias = ProbabilityCalibration | RatingCalibration


def fit(
    log: Interactions,
    *,
    estimator: Estimator | None = None,
    catalog: Catalog | None = None,
    feedback: Feedback | None = None,
    fixed: Collection[str] | None = None,
    refit: bool = True,
    training: Training | None = None,
    seed: int = 0,
) -> Recommender:
    """Fits a recommender on a log: what to learn by is chosen on held-out users, then it learns from everyone.

    `estimator`: None takes EDLAE and chooses its fields; one that is given is taken as it is, unless `fixed` names the
    fields to leave alone while the others are chosen. `catalog`: items and their order; items only the log knows come
    after them. `feedback`: what the events mean; None is implicit. `refit`: whether to learn from the held-out users
    too, in the end. `training`: device, checkpoints and progress; its seed is `seed`. The report's figures, from test
    users, are of the model before the refit.

    Raises:
        ConfigurationError: settings contradict each other or the log.
        DataError: there are no events.
        ResourceError: the machine cannot hold what the fit needs.
    """
    if not len(log):
        raise DataError("there are no interactions to learn from")
    rule = (feedback or Feedback()).settle(log)
    items = full_catalog(log, catalog)
    matrix = user_item_matrix(log, items, rule)
    training = replace(training or Training(), seed=seed)
    wanted, fixed = _wanted(matrix, rule, estimator, fixed)
    split = _split(log, items, rule, seed)
    outcome = _Outcome(wanted) if split is None else _choose_and_measure(wanted, split, rule, training, fixed)
    learned_from = _known_users(matrix.histories if split is None or refit else split.train)
    if outcome.model is None or refit:
        outcome = replace(outcome, model=None)  # so that two models need never fit into memory at once
        training.progress.stage("learning from everyone")
        outcome = replace(
            outcome, model=fit_model(outcome.estimator, _everyone(learned_from), training, "learning", [])
        )
    assert outcome.model is not None
    report = TrainingReport(
        users=len(matrix.user_ids),
        items=len(items),
        interactions=matrix.histories.nnz,
        fingerprint=_fingerprint(matrix, items),
        refitted=refit,
        figures=outcome.figures,
        epochs=outcome.epochs,
        notes=tuple(_notes(matrix, rule, outcome.figures)),
    )
    popularity = Popularity().fit(learned_from)
    return Recommender(items, rule, outcome.estimator, outcome.model, popularity, outcome.calibration, report)


def full_catalog(log: Interactions, catalog: Catalog | None) -> Catalog:
    """The catalogue's items in its order, then those only the log knows."""
    return (catalog or Catalog(ids_of([]))).extended(log.item_ids)


def estimator_for(estimator: Estimator, rule: FeedbackRule) -> Estimator:
    """The estimator with what it leaves open settled by the form of the feedback."""
    return suited_to_ratings(estimator) if rule.explicit else estimator


def predicted_ratings(calibration: RatingCalibration, score: Score, holdout: Holdout) -> Score:
    """The ratings that scores mean, block by block."""
    return lambda block: calibration.predict(score(block), holdout.fold_in[block])


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What was chosen, and, where users were held out, what it was worth to them."""

    estimator: Estimator
    model: Model | None = None
    calibration: Calibration | None = None
    figures: Figures | None = None
    epochs: tuple[EpochFigures, ...] = ()


def _wanted(
    matrix: UserItemMatrix, rule: FeedbackRule, estimator: Estimator | None, fixed: Collection[str] | None
) -> tuple[Estimator, Collection[str] | None]:
    if _without_variance(matrix, rule):
        return Popularity(), None
    if estimator is None:
        return estimator_named(DEFAULT), fixed or ()
    return estimator_for(estimator, rule), fixed


def _choose_and_measure(
    estimator: Estimator, split: Split, rule: FeedbackRule, training: Training, fixed: Collection[str] | None
) -> _Outcome:
    choosing, calibrating = _halves(split.validation)
    training.progress.stage("choosing on held-out users")
    choice = choose(estimator, replace(split, validation=choosing), training, fixed=fixed)
    training.progress.stage("measuring on test users")
    calibration = _calibration(choice, calibrating, split, rule, training.seed)
    return _Outcome(
        choice.estimator,
        choice.model,
        calibration,
        _figures(choice, calibration, calibrating, split, rule),
        tuple(_epoch_figures(epoch) for epoch in choice.epochs),
    )


def _halves(holdout: Holdout) -> tuple[Holdout, Holdout]:
    """Every other user: what is chosen on some users must not be calibrated on the same."""
    if len(holdout) < 2:
        return holdout, holdout
    order = np.arange(len(holdout))
    return holdout.where(order % 2 == 0), holdout.where(order % 2 == 1)


def _calibration(choice: Choice, holdout: Holdout, split: Split, rule: FeedbackRule, seed: int) -> Calibration | None:
    score = model_scores(choice.model, holdout)
    if rule.rating_range is None:
        return fit_probabilities(score, holdout, seed=seed)
    if holdout.ratings is None or not holdout.ratings.nnz:
        return None
    return fit_ratings(score, holdout, split.train, rule.rating_range)


def _figures(
    choice: Choice, calibration: Calibration | None, calibrating: Holdout, split: Split, rule: FeedbackRule
) -> Figures:
    test = split.test.ranked()
    score = model_scores(choice.model, test)
    popular = Popularity().fit(split.train)
    contenders = {"popularity": model_scores(popular, test), name_of(choice.estimator): score}
    comparison = compare(contenders, test, popularity=popularity_of(split.train))
    return Figures(
        train_users=len(split.train_rows),
        validation_users=len(split.validation.ranked()),
        test_users=len(test),
        dropped_targets=split.dropped_targets,
        test=tuple(rows(comparison)),
        ratings=_rating_figures(
            {"popularity": popular, name_of(choice.estimator): choice.model}, calibrating, split, rule
        ),
        test_error=_test_error(choice, split.test),
        calibration_error=calibration_error(calibration, score, test)
        if isinstance(calibration, ProbabilityCalibration)
        else None,
    )


def _rating_figures(
    models: Mapping[str, Model], calibrating: Holdout, split: Split, rule: FeedbackRule
) -> tuple[RatingRow, ...]:
    withheld = (calibrating.ratings, split.test.ratings)
    if rule.rating_range is None or any(ratings is None or not ratings.nnz for ratings in withheld):
        return ()
    predictors: dict[str, Score] = {}
    for name, model in models.items():
        learned = fit_ratings(model_scores(model, calibrating), calibrating, split.train, rule.rating_range)
        predictors[name] = predicted_ratings(learned, model_scores(model, split.test), split.test)
    return tuple(rating_rows(compare_ratings(predictors, split.test, rule.highest)))


def _test_error(choice: Choice, test: Holdout) -> float | None:
    if isinstance(choice.estimator, AutoEncoder) and isinstance(choice.model, Network):
        return choice.estimator.error(choice.model, test)
    return None


def _epoch_figures(epoch: Epoch) -> EpochFigures:
    error = None if epoch.diverged else epoch.train_error
    return EpochFigures(epoch.number, error, epoch.validation_error, epoch.quality, epoch.best)


def _split(log: Interactions, catalog: Catalog, rule: FeedbackRule, seed: int) -> Split | None:
    try:
        split = strong_generalisation(log, catalog, rule, seed=seed)
    except DataError:  # too few users, or none with anything to withhold
        return None
    return split if len(split.validation.ranked()) and len(split.test.ranked()) else None


def _known_users(histories: csr_array) -> csr_array:
    # as in the split: users of whom nothing is known would thin out every share, and the calibration with it
    return histories[np.diff(histories.indptr) > 0]


def _everyone(histories: csr_array) -> Split:
    nobody = Holdout(np.empty(0, dtype=np.intp), histories[:0], histories[:0])
    return Split("everyone", histories, np.arange(histories.shape[0]), nobody, nobody)


def _without_variance(matrix: UserItemMatrix, rule: FeedbackRule) -> bool:
    """Whether nothing tells one user from another: all have the same row, or gave the same rating throughout."""
    if rule.rating_range is not None and rule.rating_range[0] == rule.rating_range[1]:
        return True
    histories = matrix.histories
    counts = np.bincount(histories.indices, minlength=histories.shape[1])
    if not np.isin(counts, [0, histories.shape[0]]).all():
        return False
    return bool((histories.max(axis=0).toarray() == histories.min(axis=0).toarray()).all())


def _notes(matrix: UserItemMatrix, rule: FeedbackRule, figures: Figures | None) -> Iterator[str]:
    if _without_variance(matrix, rule):
        yield "nothing tells one user from another in this log: what is recommended is popularity"
    if figures is None:
        yield "too few users to hold any out: nothing was chosen, measured or calibrated"
        return
    popularity, model = (row.means[HEADLINE] for row in (figures.test[0], figures.test[-1]))
    if model < popularity:
        yield (
            f"for new users this model ranks worse than popularity: {HEADLINE} {model:.3f} against {popularity:.3f}"
            f"{'; predicting ratings and ranking are two aims' if rule.explicit else ''}"
        )


def _fingerprint(matrix: UserItemMatrix, catalog: Catalog) -> str:
    digest = hashlib.sha256("\n".join([*matrix.user_ids, "", *catalog.item_ids]).encode())
    for array in (matrix.histories.indptr, matrix.histories.indices, matrix.histories.data):
        digest.update(array.tobytes())
    return digest.hexdigest()
