"""Several models on the same split: each chosen on its validation users, all judged once on its test users."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foldin.choosing import Choice, Training, choose
from foldin.coldstart.blend import Blend
from foldin.coldstart.crossfit import Fold, Learned
from foldin.coldstart.prior import Prior
from foldin.data.catalog import Catalog
from foldin.data.feedback import Feedback, FeedbackRule
from foldin.data.interactions import Interactions
from foldin.data.profiles import Profiles
from foldin.data.splitting import PROTOCOLS, Holdout, Split, strong_generalisation
from foldin.data.synthetic import Truth
from foldin.data.unmatched_ids import unmatched_ids_notes
from foldin.errors import ConfigurationError, DataError, DataWarning
from foldin.evaluation.calibration import fit_ratings
from foldin.evaluation.compare import Comparison, compare, compare_ratings
from foldin.evaluation.evaluate import DEFAULT_METRICS, evaluate
from foldin.evaluation.pooling import pool_comparisons, pool_rating_errors
from foldin.evaluation.ratings import RatingErrors
from foldin.evaluation.scoring import Score, known_scores, model_scores
from foldin.evidence import Evidence, gathered
from foldin.fitting import estimator_for, fit_chosen, learned_by, predicted_ratings
from foldin.models.popularity import PopularityModel
from foldin.models.protocols import Estimator, Model
from foldin.ranking.metrics import popularity_of
from foldin.recommender import Recommender

__all__ = ["BEST_POSSIBLE", "Contest", "CrossValidation", "SplitSummary", "contest", "cross_validate"]

BEST_POSSIBLE = "best possible"
STRONG = "strong"

MOST_FOLDS = 20
"""Of a cross-validation: each fold trains every contender once more."""


@dataclass(frozen=True)
class SplitSummary:
    """How many users a split has for what, what it left out, and which estimator each contender became on it."""

    protocol: str
    train_users: int
    validation_users: int
    test_users: int
    dropped_targets: int
    dropped_users: int
    estimators: Mapping[str, Estimator]


@dataclass(frozen=True, eq=False)
class Contest:
    """What came of it: the split, what was chosen for each contender, and how they did.

    `learned`: how each model and the prior go together; none for popularity, which is the measure of all. `blends`:
    both together, as they would be used. `ratings`: errors of predicted ratings, explicit feedback only. `seed`: of the
    split and of the training.
    """

    evidence: Evidence
    seed: int
    split: Split
    choices: Mapping[str, Choice]
    learned: Mapping[str, Learned]
    blends: Mapping[str, Blend]
    comparison: Comparison
    ratings: Mapping[str, RatingErrors]

    def summary(self) -> SplitSummary:
        """The split in numbers."""
        split = self.split
        return SplitSummary(
            split.protocol,
            len(split.train_rows),
            len(split.validation.ranked()),
            len(split.test.ranked()),
            split.dropped_targets,
            split.dropped_users,
            {name: choice.estimator for name, choice in self.choices.items()},
        )

    def scores(self, name: str, users: Holdout) -> Score:
        """What a contender makes of held-out users: with the prior where it has one."""
        if name in self.blends:
            return self.evidence.scores(self.blends[name], users)
        return model_scores(self.choices[name].model, users)

    def scores_alone(self, name: str, users: Holdout) -> Score:
        """What a contender's model makes of held-out users without the prior."""
        return model_scores(self.choices[name].model, users)

    def validated(self, metric: str) -> dict[str, float]:
        """Each contender's mean of a metric on the validation users, each judged by the model in which they had no
        part: what to choose by, since test users only report.

        Raises:
            ConfigurationError: there is no such metric, or it has no value per user.
        """
        return {name: self._validated(name, metric) for name in self.choices}

    def _validated(self, name: str, metric: str) -> float:
        choice, popularity = self.choices[name], popularity_of(self.split.train)
        folds = choice.folds or (Fold(choice.model, self.split.validation),)
        users = [fold.users.ranked() for fold in folds]
        judged = [
            evaluate(self._fold_scores(name, fold.model, held_out), held_out, popularity=popularity, metrics=[metric])
            for fold, held_out in zip(folds, users, strict=True)
        ]
        return float(np.concatenate([one.values(metric) for one in judged]).mean())

    def _fold_scores(self, name: str, model: Model, users: Holdout) -> Score:
        if name in self.blends:
            return self.evidence.scores(replace(self.blends[name], model=model), users)
        return model_scores(model, users)

    def recommender(self, name: str, training: Training | None = None) -> Recommender:
        """A contender as `fit` makes it of the same log: what was chosen here is learned again from everyone.

        Raises:
            ConfigurationError: the protocol holds no whole users out, so that the choice is none `fit` would make.
        """
        if self.split.protocol != STRONG:
            raise ConfigurationError(
                f"the protocol '{self.split.protocol}' trains on part of everybody's history, and a recommender is "
                f"chosen on users held out whole: hold the contest by the protocol '{STRONG}'"
            )
        choice, seeded = self.choices[name], replace(training or Training(), seed=self.seed)
        prior = self.evidence.prior(self.split.train, self.split.train_rows)
        learned = self.learned.get(name) or learned_by(choice, prior, self.split, self.evidence)
        return fit_chosen(choice, learned, self.split, self.evidence, seeded)


def contest(
    log: Interactions,
    contenders: Mapping[str, Estimator],
    *,
    catalog: Catalog | None = None,
    profiles: Profiles | None = None,
    feedback: Feedback | None = None,
    protocol: str = "strong",
    truth: Truth | None = None,
    metrics: Sequence[str] = DEFAULT_METRICS,
    fixed: Mapping[str, Collection[str]] | None = None,
    recent: float | None = None,
    prior: bool = True,
    fold: tuple[int, int] | None = None,
    training: Training | None = None,
) -> Contest:
    """Fits every contender on the training users of one split and compares them on its test users.

    `protocol`: strong, last, time or random. `fixed`: None takes contenders as they are; else fields that have a grid
    are chosen on the validation users, but for those named for a contender. `fold`: which of how many equal parts of
    the users is tested on, counted from 0; None takes the protocol's own tenth. `profiles`, `recent`: as `fit` has
    them. `prior`: whether models are judged with the prior, as they are used, or alone. `truth`, of a simulated world's
    clicks, enters as the best possible ranking.

    Raises:
        ConfigurationError: there is no such protocol or fold, the protocol has no folds, or settings contradict the
            log.
        DataError: the log cannot be split that way, or the truth is of other users or items.

    Warns:
        DataWarning: as `fit`.
    """
    if protocol not in PROTOCOLS:
        raise ConfigurationError(f"no protocol '{protocol}'; there are: {', '.join(PROTOCOLS)}")
    if truth is not None and log.values is not None:
        raise ConfigurationError("the truth is of clicks, and these events have values: leave the truth out")
    if fold is not None and protocol != STRONG:
        raise ConfigurationError(f"folds are of users, and the protocol '{protocol}' tests on all of them at once")
    training = training or Training()
    for note in unmatched_ids_notes(log, catalog, profiles):
        warnings.warn(note, DataWarning, stacklevel=2)
    evidence = gathered(log, catalog=catalog, profiles=profiles, feedback=feedback, recent=recent)
    split = _split(evidence, protocol, training.seed, fold)
    _check(split)
    choices = {
        name: _chosen(name, estimator_for(estimator, evidence.rule), split, training, fixed)
        for name, estimator in contenders.items()
    }
    of_train = evidence.prior(split.train, split.train_rows)
    learned = _learned_by_name(choices, split, of_train, evidence, training) if prior else {}
    blends = {name: one.blend(choices[name].model, of_train) for name, one in learned.items()}
    ratings = _rating_errors(choices, split, evidence.rule)
    result = Contest(evidence, training.seed, split, choices, learned, blends, Comparison({}), ratings)
    ranked = split.test.ranked()
    scores = {name: result.scores(name, ranked) for name in choices}
    if truth is not None:
        scores[BEST_POSSIBLE] = known_scores(_aligned(truth, log, evidence.catalog), ranked)
    comparison = compare(
        scores,
        ranked,
        popularity=popularity_of(split.train),
        metrics=metrics,
        best_possible=None if truth is None else BEST_POSSIBLE,
    )
    return replace(result, comparison=comparison)


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """What came of a cross-validation: how each fold was split, and how contenders did on the users of all folds."""

    folds: tuple[SplitSummary, ...]
    comparison: Comparison
    ratings: Mapping[str, RatingErrors]


def cross_validate(hold: Callable[[tuple[int, int]], Contest], folds: int) -> CrossValidation:
    """A contest for each of equal parts of the users, which are tested on in turn, and all of their figures together.

    `hold`: holds the contest of a fold, as `contest` takes it. Models of one fold are let go before the next.

    Raises:
        ConfigurationError: there are fewer than 2 folds, or more than 20.
    """
    if not 2 <= folds <= MOST_FOLDS:
        raise ConfigurationError(f"folds are {folds}; there can be from 2 to {MOST_FOLDS}")
    judged = [_judged(hold((fold, folds))) for fold in range(folds)]
    return CrossValidation(
        tuple(summary for summary, _, _ in judged),
        pool_comparisons([comparison for _, comparison, _ in judged]),
        pool_rating_errors([ratings for _, _, ratings in judged]),
    )


def _judged(held: Contest) -> tuple[SplitSummary, Comparison, Mapping[str, RatingErrors]]:
    return held.summary(), held.comparison, held.ratings


def _split(evidence: Evidence, protocol: str, seed: int, fold: tuple[int, int] | None) -> Split:
    if fold is None:
        return PROTOCOLS[protocol](evidence.log, evidence.catalog, evidence.rule, seed)
    number, folds = fold
    return strong_generalisation(
        evidence.log, evidence.catalog, evidence.rule, seed=seed, test_users=1 / folds, fold=number
    )


def _learned_by_name(
    choices: Mapping[str, Choice], split: Split, prior: Prior, evidence: Evidence, training: Training
) -> dict[str, Learned]:
    return {
        name: _learned(choice, split, prior, evidence, training)
        for name, choice in choices.items()
        if not isinstance(choice.model, PopularityModel)
    }


def _learned(choice: Choice, split: Split, prior: Prior, evidence: Evidence, training: Training) -> Learned:
    """How model and prior go together, learned on users who had no part in the model.

    Where a protocol trains on part of everybody's history, these users are held out of that part, and the model is
    fitted once more without them.
    """
    if split.protocol == STRONG:
        return learned_by(choice, prior, split, evidence)
    training.progress.stage("learning the handover on users held out of the training")
    log = evidence.within(split.train, split.train_rows)
    inner = PROTOCOLS[STRONG](log, evidence.catalog, evidence.rule, training.seed)
    chosen = choose(choice.estimator, inner, training)
    return learned_by(chosen, evidence.prior(inner.train, inner.train_rows), inner, evidence)


def _check(split: Split) -> None:
    for name, holdout in (("validation", split.validation), ("test", split.test)):
        if not len(holdout.ranked()):
            raise DataError(
                f"the protocol '{split.protocol}' leaves no {name} users with something to show and something to find; "
                "take another protocol, or give more data"
            )


def _chosen(
    name: str, estimator: Estimator, split: Split, training: Training, fixed: Mapping[str, Collection[str]] | None
) -> Choice:
    training.progress.stage(name)
    kept = None if fixed is None else fixed.get(name, ())
    return choose(estimator, split, _told_of(name, training), fixed=kept)


def _told_of(name: str, training: Training) -> Training:
    """The same training, whose stages say of which contender they are."""
    told = training.progress
    return replace(training, progress=replace(told, stage=lambda stage: told.stage(f"{name}: {stage}")))


def _aligned(truth: Truth, log: Interactions, catalog: Catalog) -> NDArray[np.float32]:
    of_truth = Catalog(truth.item_ids)
    users = Catalog(truth.user_ids)
    if not (of_truth.knows(catalog.item_ids).all() and users.knows(log.user_ids).all()):
        raise DataError("the truth is of another world: it lacks users or items of the log")
    rows, columns = users.indices(log.user_ids), of_truth.indices(catalog.item_ids)
    affinity: NDArray[np.float32] = truth.affinity[rows[:, None], columns]
    return affinity


def _rating_errors(choices: Mapping[str, Choice], split: Split, rule: FeedbackRule) -> Mapping[str, RatingErrors]:
    if rule.rating_range is None:
        return {}
    predictors: dict[str, Score] = {}
    for name, choice in choices.items():
        learned = fit_ratings(
            model_scores(choice.model, split.validation), split.validation, split.train, rule.rating_range
        )
        predictors[name] = predicted_ratings(learned, model_scores(choice.model, split.test), split.test)
    return compare_ratings(predictors, split.test, rule.highest)
