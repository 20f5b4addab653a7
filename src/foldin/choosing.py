"""Choosing on validation users: an estimator's fields, and the number of its epochs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foldin.coldstart.crossfit import Fold
from foldin.data.splitting import Holdout, Split
from foldin.forecast import Forecast, forecast_split
from foldin.models.protocols import Estimator, Model
from foldin.models.zoo import with_field
from foldin.training.checkpoint import load_checkpoint, save_checkpoint
from foldin.training.epoch import Checkpoint, Epoch
from foldin.tuning import Search, Trial

__all__ = ["Choice", "Progress", "Training", "choose", "fit_model"]


def _silent(_: object) -> None:
    return None


@dataclass(frozen=True)
class Progress:
    """Whom to tell what while fitting: how long it will take, the name of each stage as it begins, every estimator
    tried, every epoch."""

    forecast: Callable[[Forecast], None] = _silent
    stage: Callable[[str], None] = _silent
    trial: Callable[[Trial], None] = _silent
    epoch: Callable[[Epoch], None] = _silent


@dataclass(frozen=True)
class Training:
    """Everything about a fit but what is learned and from what.

    `checkpoints`: a folder for a checkpoint per epoch; None keeps none. `resume`: whether to go on from those there.
    """

    seed: int = 0
    device: str | None = None
    checkpoints: Path | None = None
    resume: bool = False
    progress: Progress = field(default_factory=Progress)


@dataclass(frozen=True, eq=False)
class Choice:
    """The estimator chosen, with the epochs it should train for, and the model it became on the training users.

    `folds`: the validation users in two halves, each with a model in which it had no part: chosen by the other half.
    The first fold's model is `model`. None where too few users could be held out for two halves.
    """

    estimator: Estimator
    model: Model
    epochs: tuple[Epoch, ...]
    folds: tuple[Fold, ...]


def choose(estimator: Estimator, split: Split, training: Training, *, fixed: Collection[str] | None = None) -> Choice:
    """Tunes the fields that are not `fixed` (None fixes all), then trains, stopping early, on the training users.

    Twice, by either half of the validation users, so that what is learned later on all of them is learned on users who
    had no part in the model. A model that neither half's choice changes is fitted once.
    """
    training.progress.forecast(forecast_split(estimator, split, fixed))
    search = Search(split, training.progress.trial)
    halves = _halves(split.validation, training.seed)
    estimators = [estimator if fixed is None else search.best(estimator, fixed=fixed, users=half) for half in halves]
    indivisible = bool((halves[0] & halves[1]).any())
    training.progress.stage(f"choosing by {'all' if indivisible else 'the first half of the'} validation users")
    first = _trained(estimators[0], split, halves[0], training, "choosing")
    if indivisible:
        return first
    if estimators[0] == estimators[1] and not first.epochs:
        other = first.model
    else:
        training.progress.stage("choosing by the second half of the validation users")
        other = _trained(estimators[1], split, halves[1], training, "crossfit").model
    folds = Fold(first.model, split.validation.where(halves[1])), Fold(other, split.validation.where(halves[0]))
    return replace(first, folds=folds)


def _halves(users: Holdout, seed: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Half of the users each, of those with something to find and of the rest; twice all, where one alone has."""
    aimed = np.diff(users.targets.indptr) > 0
    if aimed.sum() < 2:
        everyone = np.ones(len(users), dtype=np.bool_)
        return everyone, everyone
    shuffled = np.random.default_rng([seed, 2]).permutation(len(users))
    order = shuffled[np.argsort(~aimed[shuffled], kind="stable")]
    first = np.zeros(len(users), dtype=np.bool_)
    first[order[::2]] = True
    return first, ~first


def _trained(estimator: Estimator, split: Split, half: NDArray[np.bool_], training: Training, stage: str) -> Choice:
    epochs: list[Epoch] = []
    model = fit_model(estimator, replace(split, validation=split.validation.where(half)), training, stage, epochs)
    best = [epoch.number for epoch in epochs if epoch.best]
    if best:
        estimator = with_field(estimator, "epochs", best[-1])
    return Choice(estimator, model, tuple(replace(epoch, checkpoint=None) for epoch in epochs), ())


def fit_model(estimator: Estimator, split: Split, training: Training, stage: str, epochs: list[Epoch]) -> Model:
    """Fits on the split's training users, with its validation users if it has any; checkpoints bear the stage's name.

    Every epoch is added to `epochs`.
    """
    file = None if training.checkpoints is None else training.checkpoints / f"{stage}.safetensors"

    def on_epoch(epoch: Epoch) -> None:
        epochs.append(epoch)
        if file is not None and epoch.checkpoint is not None and not epoch.diverged:
            save_checkpoint(epoch.checkpoint(), file)
        training.progress.epoch(epoch)

    return estimator.fit(
        split.train,
        validation=split.validation if len(split.validation) else None,
        seed=training.seed,
        device=training.device,
        resume=_found(file) if training.resume else None,
        on_epoch=on_epoch,
    )


def _found(file: Path | None) -> Checkpoint | None:
    return load_checkpoint(file) if file is not None and file.exists() else None
