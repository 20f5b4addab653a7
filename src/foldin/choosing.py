"""Choosing on validation users: an estimator's fields, and the number of its epochs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from foldin.data.splitting import Split
from foldin.models.protocols import Estimator, Model
from foldin.models.zoo import with_field
from foldin.training.checkpoint import load_checkpoint, save_checkpoint
from foldin.training.epoch import Checkpoint, Epoch
from foldin.tuning import Trial, tuned

__all__ = ["Choice", "Progress", "Training", "choose", "fit_model"]


def _silent(_: object) -> None:
    return None


@dataclass(frozen=True)
class Progress:
    """Whom to tell what while fitting: the name of each stage as it begins, every estimator tried, every epoch."""

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
    """The estimator chosen, with the epochs it should train for, and the model it became on the training users."""

    estimator: Estimator
    model: Model
    epochs: tuple[Epoch, ...]


def choose(estimator: Estimator, split: Split, training: Training, *, fixed: Collection[str] | None = None) -> Choice:
    """Tunes the fields that are not `fixed` (None fixes all), then trains, stopping early, on the training users."""
    if fixed is not None:
        estimator = tuned(estimator, split, fixed=fixed, on_trial=training.progress.trial)
    epochs: list[Epoch] = []
    model = fit_model(estimator, split, training, "choosing", epochs)
    best = [epoch.number for epoch in epochs if epoch.best]
    if best:
        estimator = with_field(estimator, "epochs", best[-1])
    return Choice(estimator, model, tuple(replace(epoch, checkpoint=None) for epoch in epochs))


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
