from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from foldin.choosing import Progress, Training, choose, fit_model
from foldin.data.catalog import Catalog
from foldin.data.feedback import Feedback, FeedbackRule
from foldin.data.interactions import Interactions
from foldin.data.splitting import Holdout, Split, strong_generalisation
from foldin.errors import CheckpointError
from foldin.models.autoencoder import AutoEncoder
from foldin.models.ease import EASE
from foldin.models.protocols import Model
from foldin.training.epoch import Epoch
from foldin.tuning import Trial, tuned

NETWORK = AutoEncoder(hidden=(6,), latent=3, epochs=30, learning_rate=0.1, batch_size=8, patience=3)


class UnpluggedError(Exception):
    pass


@pytest.fixture(scope="module")
def split(checkerboard: Interactions) -> Split:
    catalog = Catalog(checkerboard.item_ids)
    return strong_generalisation(checkerboard, catalog, FeedbackRule(Feedback()), validation_users=0.4)


def bits(model: Model) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in model.arrays().items()}


def judged_by(split: Split, users: Holdout) -> Split:
    """The split with some of its validation users alone."""
    return replace(split, validation=split.validation.where(np.isin(split.validation.rows, users.rows)))


def test_a_network_is_chosen_with_its_best_number_of_epochs(split: Split) -> None:
    told: list[Epoch] = []
    stages: list[str] = []
    choice = choose(NETWORK, split, Training(progress=Progress(stage=stages.append, epoch=told.append)))
    first, again = told[: len(choice.epochs)], told[len(choice.epochs) :]
    best = max(first, key=lambda epoch: (epoch.quality or 0, -epoch.number))
    assert choice.estimator == replace(NETWORK, epochs=best.number)
    assert [epoch.number for epoch in choice.epochs] == [epoch.number for epoch in first]
    assert all(epoch.checkpoint is None for epoch in choice.epochs)  # they would keep the whole training alive
    assert again[0].number == 1
    assert stages == [f"choosing by the {half} half of the validation users" for half in ("first", "second")]


def test_nobody_has_a_part_in_the_model_they_are_held_out_from(split: Split) -> None:
    training = Training(seed=1)  # one in which the halves do not stop at the same epoch
    choice = choose(NETWORK, split, training)
    first, second = choice.folds
    assert sorted([*first.users.rows, *second.users.rows]) == sorted(split.validation.rows)
    assert abs(len(first.users) - len(second.users)) <= 1
    assert first.model is choice.model
    for fold, judges in ((first, second.users), (second, first.users)):
        expected = fit_model(NETWORK, judged_by(split, judges), training, "choosing", [])
        assert bits(fold.model) == bits(expected)
    assert bits(first.model) != bits(second.model)


def test_what_is_free_is_chosen_for_each_half_by_the_other(split: Split) -> None:
    trials: list[Trial] = []
    choice = choose(EASE(77), split, Training(progress=Progress(trial=trials.append)), fixed=())
    first, second = choice.folds
    assert choice.estimator == tuned(EASE(77), judged_by(split, second.users))
    for fold, judges in ((first, second.users), (second, first.users)):
        chosen = tuned(EASE(77), judged_by(split, judges))
        assert bits(fold.model) == bits(chosen.fit(split.train))
    assert len({trial.estimator for trial in trials}) == len(trials)  # both halves judge the same fits


def test_a_model_that_no_choice_changes_is_fitted_once(split: Split) -> None:
    choice = choose(EASE(77), split, Training())
    assert [fold.model is choice.model for fold in choice.folds] == [True, True]


def test_users_with_nothing_to_find_are_divided_too_and_make_no_fold(split: Split) -> None:
    users = split.validation
    for aimed in ([2, 5], [2], []):
        targets = users.targets.toarray()
        targets[np.setdiff1d(np.arange(len(users)), aimed)] = 0
        stages: list[str] = []
        aimed_at = replace(split, validation=replace(users, targets=csr_array(targets)))
        choice = choose(EASE(77), aimed_at, Training(progress=Progress(stage=stages.append)))
        found = sorted(row for fold in choice.folds for row in fold.users.ranked().rows)
        assert set(found) == (set(users.rows[aimed]) if len(aimed) > 1 else set())
        assert len(choice.folds) == (2 if len(aimed) > 1 else 0)  # one alone has chosen the model, and judges none
        assert stages == [f"choosing by {'the first half of the' if len(aimed) > 1 else 'all'} validation users"]


def test_a_closed_form_is_tuned_only_where_fields_are_free(split: Split) -> None:
    assert choose(EASE(77), split, Training()).estimator == EASE(77)
    assert choose(EASE(77), split, Training(), fixed=["l2"]).estimator == EASE(77)
    assert choose(EASE(77), split, Training(), fixed=[]).estimator != EASE(77)
    assert choose(EASE(77), split, Training()).epochs == ()


def test_a_stage_is_resumed_from_its_own_checkpoint(split: Split, tmp_path: Path) -> None:
    def unplug(epoch: Epoch) -> None:
        if epoch.number == 3:
            raise UnpluggedError

    expected = fit_model(NETWORK, split, Training(), "learning", [])
    with pytest.raises(UnpluggedError):
        fit_model(NETWORK, split, Training(checkpoints=tmp_path, progress=Progress(epoch=unplug)), "learning", [])
    assert [file.name for file in tmp_path.iterdir()] == ["learning.safetensors"]
    epochs: list[Epoch] = []
    resumed = fit_model(NETWORK, split, Training(checkpoints=tmp_path, resume=True), "learning", epochs)
    assert [epoch.replayed for epoch in epochs[:4]] == [True, True, True, False]
    assert bits(resumed) == bits(expected)
    with pytest.raises(CheckpointError, match="of another run"):
        fit_model(NETWORK, split, Training(seed=1, checkpoints=tmp_path, resume=True), "learning", [])


def test_without_resuming_a_checkpoint_is_written_over(split: Split, tmp_path: Path) -> None:
    (tmp_path / "learning.safetensors").write_bytes(b"rubbish")
    with pytest.raises(CheckpointError, match="cannot be read"):
        fit_model(NETWORK, split, Training(checkpoints=tmp_path, resume=True), "learning", [])
    fit_model(NETWORK, split, Training(checkpoints=tmp_path), "learning", [])
    fit_model(NETWORK, split, Training(checkpoints=tmp_path, resume=True), "learning", [])


def test_resuming_where_there_is_no_checkpoint_starts_anew(split: Split, tmp_path: Path) -> None:
    epochs: list[Epoch] = []
    fit_model(NETWORK, split, Training(checkpoints=tmp_path / "none yet", resume=True), "learning", epochs)
    assert not epochs[0].replayed
