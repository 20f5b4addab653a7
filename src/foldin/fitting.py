"""From a log to a recommender: split, choose, measure, calibrate, learn from everyone."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.calibrating import Calibration, calibrated, error_of, untold_error_of
from foldin.choosing import Choice, Training, choose, fit_model
from foldin.coldstart.blend import Blend
from foldin.coldstart.content import fit_content
from foldin.coldstart.crossfit import Fold, Learned
from foldin.coldstart.handover import FEW_USERS, spread_unit, usual_handover
from foldin.coldstart.prior import Prior, fit_prior
from foldin.data.catalog import Catalog
from foldin.data.feedback import Feedback, FeedbackRule
from foldin.data.interactions import Interactions
from foldin.data.matrix import UserItemMatrix
from foldin.data.profiles import Profiles
from foldin.data.splitting import Holdout, Split, strong_generalisation
from foldin.data.unmatched_ids import unmatched_ids_notes
from foldin.errors import DataError, DataWarning
from foldin.evaluation.calibration import RatingCalibration, fit_ratings
from foldin.evaluation.cells import Contender, cells
from foldin.evaluation.compare import compare, compare_ratings
from foldin.evaluation.report import RatingRow, rating_rows, rows
from foldin.evaluation.scoring import Score, model_scores
from foldin.evaluation.training_report import EpochFigures, Figures, LengthFigures, TrainingReport
from foldin.evaluation.truncation import LENGTHS
from foldin.evidence import Evidence, gathered
from foldin.models.autoencoder import AutoEncoder
from foldin.models.network import Network
from foldin.models.popularity import Popularity, PopularityModel
from foldin.models.protocols import Estimator, Model
from foldin.models.zoo import DEFAULT, estimator_named, name_of, suited_to_ratings
from foldin.ranking.metrics import popularity_of
from foldin.recommender import Recommender
from foldin.training.epoch import Epoch
from foldin.wording import counted

__all__ = ["estimator_for", "fit", "fit_chosen", "learned_by", "predicted_ratings"]

HEADLINE = "ndcg@10"

SAMPLED_CELLS = 2**20
"""Scores that tell a model's scale, where nobody was held out."""


def fit(
    log: Interactions,
    *,
    estimator: Estimator | None = None,
    catalog: Catalog | None = None,
    profiles: Profiles | None = None,
    feedback: Feedback | None = None,
    fixed: Collection[str] | None = None,
    recent: float | None = None,
    language: str | None = None,
    refit: bool = True,
    training: Training | None = None,
    seed: int = 0,
) -> Recommender:
    """Fits a recommender on a log: what to learn by is chosen on held-out users, then it learns from everyone.

    Model and prior are learned alike: the prior is popularity, what the users' profiles add to it, and what of the
    catalogue fits a profile; how it hands over to the model is learned on users who had no part in the model. With no
    events at all, what of the catalogue fits a profile is all there is.

    `estimator`: None takes EDLAE and chooses its fields; one that is given is taken as it is, unless `fixed` names the
    fields to leave alone while the others are chosen. `catalog`: items and their order; items only the log knows come
    after them. `profiles`: what is known of the users. `recent`: age in days at which an event counts half in the
    prior's popularity; None counts all alike. `language`: of the catalogue, whose words are stemmed, as "english", or
    "none"; None detects it by stop words. `feedback`: what the events mean; None is implicit. `refit`: whether to
    learn from the held-out users too, in the end. `training`: device, checkpoints and progress; its seed is `seed`. The
    report's figures, from test users, are of the model before the refit.

    Raises:
        ConfigurationError: settings contradict each other or the log.
        DataError: there are no events, and the catalogue has no words to look up either.
        ResourceError: the machine cannot hold what the fit needs.

    Warns:
        DataWarning: ids of the catalogue or the profiles (nearly) never match those of the log.
    """
    if not len(log):
        return _without_events(catalog, feedback, language)
    for note in unmatched_ids_notes(log, catalog, profiles):
        warnings.warn(note, DataWarning, stacklevel=2)
    evidence = gathered(log, catalog=catalog, profiles=profiles, feedback=feedback, recent=recent, language=language)
    training = replace(training or Training(), seed=seed)
    wanted, fixed = _wanted(evidence.matrix, evidence.rule, estimator, fixed)
    split = _split(log, evidence.catalog, evidence.rule, seed)
    if split is None:
        return _learned_from_everyone(_Outcome(wanted), evidence, training)
    outcome, model = _choose_and_measure(wanted, split, evidence, training, fixed)
    if not refit:
        return _recommender(outcome, model, evidence, _known_users(evidence, split.train_rows), refitted=False)
    del model  # so that two models need never fit into memory at once
    return _learned_from_everyone(outcome, evidence, training)


def fit_chosen(choice: Choice, learned: Learned, split: Split, evidence: Evidence, training: Training) -> Recommender:
    """What `fit` makes of a log once it has chosen: `split` holds out whole users of the evidence's log, on whose
    validation users `choice` and what is `learned` of the blend were found.
    """
    return _learned_from_everyone(_measured(choice, learned, split, evidence, training), evidence, training)


def estimator_for(estimator: Estimator, rule: FeedbackRule) -> Estimator:
    """The estimator with what it leaves open settled by the form of the feedback."""
    return suited_to_ratings(estimator) if rule.explicit else estimator


def predicted_ratings(calibration: RatingCalibration, score: Score, holdout: Holdout) -> Score:
    """The ratings that scores mean, block by block."""
    return lambda block: calibration.predict(score(block), holdout.fold_in[block])


def learned_by(choice: Choice, prior: Prior, split: Split, evidence: Evidence) -> Learned:
    """How model and prior go together, by the users of the choice's folds; what is usual, where there are none."""
    return evidence.learn(choice.folds, prior) if choice.folds else _usual(choice.model, prior, split.train)


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What was chosen, and, where users were held out, what it was worth to them."""

    estimator: Estimator
    learned: Learned | None = None
    calibration: Calibration | None = None
    figures: Figures | None = None
    epochs: tuple[EpochFigures, ...] = ()


def _learned_from_everyone(outcome: _Outcome, evidence: Evidence, training: Training) -> Recommender:
    training.progress.stage("learning from everyone")
    rows = _known_users(evidence)
    model = fit_model(outcome.estimator, _everyone(evidence.matrix.histories[rows]), training, "learning", [])
    return _recommender(outcome, model, evidence, rows, refitted=True)


def _recommender(
    outcome: _Outcome, model: Model, evidence: Evidence, rows: NDArray[np.intp], *, refitted: bool
) -> Recommender:
    matrix, rule = evidence.matrix, evidence.rule
    report = TrainingReport(
        users=len(matrix.user_ids),
        items=len(evidence.catalog),
        interactions=matrix.histories.nnz,
        fingerprint=_fingerprint(matrix, evidence.catalog),
        refitted=refitted,
        figures=outcome.figures,
        epochs=outcome.epochs,
        notes=tuple(_notes(matrix, rule, outcome.figures)),
    )
    blend = _final_blend(outcome, model, evidence, rows)
    return Recommender(evidence.catalog, rule, outcome.estimator, blend, outcome.calibration, report)


def _final_blend(outcome: _Outcome, model: Model, evidence: Evidence, rows: NDArray[np.intp]) -> Blend:
    """What was learned of the blend on held-out users, with what these rows teach of model and prior."""
    prior = evidence.prior(evidence.matrix.histories[rows], rows)
    learned = outcome.learned or _usual(model, prior, evidence.matrix.histories[rows])
    cold_items = evidence.cold_items(prior, learned.history_weight)
    return replace(learned.blend(model, prior), cold_items=cold_items)


def _usual(model: Model, prior: Prior, histories: csr_array) -> Learned:
    """What is usual, where nobody could be held out to learn from."""
    sample = histories[: max(1, SAMPLED_CELLS // max(1, histories.shape[1]))]
    unit = spread_unit(model.score(sample)[:, prior.warm])
    return Learned(usual_handover(unit), profile_weight=prior.unjudged_profile_weight)


def _without_events(catalog: Catalog | None, feedback: Feedback | None, language: str | None) -> Recommender:
    content = None if catalog is None else fit_content(catalog, language)
    if catalog is None or content is None:
        raise DataError(
            "there are no interactions to learn from, and no catalogue with words to look up: "
            "give events, or items with titles, tags or descriptions"
        )
    nobody = csr_array(np.empty((0, len(catalog)), dtype=np.float32))
    note = "there are no interactions yet: items are found by what fits a profile, and only so"
    report = TrainingReport(0, len(catalog), 0, hashlib.sha256().hexdigest(), refitted=True, notes=(note,))
    blend = Blend(Popularity().fit(nobody), fit_prior(nobody, {}, content), usual_handover(0.0))
    return Recommender(catalog, FeedbackRule(feedback or Feedback()), Popularity(), blend, None, report)


def _wanted(
    matrix: UserItemMatrix, rule: FeedbackRule, estimator: Estimator | None, fixed: Collection[str] | None
) -> tuple[Estimator, Collection[str] | None]:
    if _without_variance(matrix, rule):
        return Popularity(), None
    if estimator is None:
        return estimator_named(DEFAULT), fixed or ()
    return estimator_for(estimator, rule), fixed


def _choose_and_measure(
    estimator: Estimator, split: Split, evidence: Evidence, training: Training, fixed: Collection[str] | None
) -> tuple[_Outcome, Model]:
    training.progress.stage("choosing on held-out users")
    choice = choose(estimator, split, training, fixed=fixed)
    training.progress.stage("learning the handover from prior to model")
    learned = learned_by(choice, evidence.prior(split.train, split.train_rows), split, evidence)
    return _measured(choice, learned, split, evidence, training), choice.model


def _measured(choice: Choice, learned: Learned, split: Split, evidence: Evidence, training: Training) -> _Outcome:
    blend = learned.blend(choice.model, evidence.prior(split.train, split.train_rows))
    calibration = calibrated(choice.folds, blend, split, evidence, training.seed)
    training.progress.stage("measuring on test users")
    return _Outcome(
        choice.estimator,
        learned,
        calibration,
        _figures(choice, blend, calibration, split, evidence),
        tuple(_epoch_figures(epoch) for epoch in choice.epochs),
    )


def _figures(
    choice: Choice, blend: Blend, calibration: Calibration | None, split: Split, evidence: Evidence
) -> Figures:
    test, name = split.test.ranked(), name_of(choice.estimator)
    popular = Popularity().fit(split.train)
    contenders = {
        "popularity": model_scores(popular, test),
        f"{name} alone": model_scores(choice.model, test),
        name: evidence.scores(blend, test),
    }
    if isinstance(choice.model, PopularityModel):
        del contenders[f"{name} alone"]
    comparison = compare(contenders, test, popularity=popularity_of(split.train))
    predictors = {"popularity": popular, name: choice.model}
    return Figures(
        train_users=len(split.train_rows),
        validation_users=len(split.validation.ranked()),
        test_users=len(test),
        dropped_targets=split.dropped_targets,
        test=tuple(rows(comparison)),
        ratings=_rating_figures(predictors, choice.folds[0].users, split, evidence.rule) if choice.folds else (),
        test_error=_test_error(choice, split.test),
        calibration_error=error_of(calibration, Fold(choice.model, split.test), blend, evidence),
        by_length=_by_length(name, popular, blend, split, evidence),
        untold_error=untold_error_of(calibration, Fold(choice.model, split.test), blend, evidence),
    )


def _by_length(name: str, popular: Model, blend: Blend, split: Split, evidence: Evidence) -> tuple[LengthFigures, ...]:
    """How good the test users' rankings are after a few items, beside popularity's."""
    contenders: dict[str, Contender] = {
        "popularity": lambda users: model_scores(popular, users),
        name: lambda users: evidence.scores(blend, users),
    }
    found = cells(
        contenders,
        split.test,
        popularity=popularity_of(split.train),
        liked=evidence.rule.positive,
        lengths=LENGTHS,
        metrics=(HEADLINE,),
    )
    return tuple(
        LengthFigures(
            cell.length,
            len(cell),
            {contender: one.mean(HEADLINE) for contender, one in cell.comparison.evaluations.items()},
        )
        for cell in found
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


def _known_users(evidence: Evidence, rows: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
    # as in the split: users of whom nothing is known would thin out every share, and the calibration with it
    some = np.flatnonzero(np.diff(evidence.matrix.histories.indptr) > 0)
    return some if rows is None else np.intersect1d(some, rows)


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
    judges = min(figures.validation_users, figures.test_users)
    if judges < FEW_USERS:
        yield (
            f"only {counted(judges, 'held-out user')} to judge by: what was chosen and these figures may be chance; "
            f"from {FEW_USERS} on they say more"
        )
    yield from _notes_on_ratings(figures.ratings)
    popularity, model = (row.means[HEADLINE] for row in (figures.test[0], figures.test[-1]))
    if model < popularity:
        yield (
            f"for new users this model ranks worse than popularity: {HEADLINE} {model:.3f} against {popularity:.3f}"
            f"{'; predicting ratings and ranking are two aims' if rule.explicit else ''}"
        )


def _notes_on_ratings(rows: Sequence[RatingRow]) -> Iterator[str]:
    """`rows`: the baseline's errors first, the model's last."""
    if rows and rows[-1].rmse > rows[0].rmse:
        yield (
            "for new users this model predicts ratings worse than the baseline of user and item biases: RMSE "
            f"{rows[-1].rmse:.3f} against {rows[0].rmse:.3f}"
        )


def _fingerprint(matrix: UserItemMatrix, catalog: Catalog) -> str:
    digest = hashlib.sha256("\n".join([*matrix.user_ids, "", *catalog.item_ids]).encode())
    for array in (matrix.histories.indptr, matrix.histories.indices, matrix.histories.data):
        digest.update(array.tobytes())
    return digest.hexdigest()
