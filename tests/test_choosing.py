from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from foldin.choosing import Progress, Training, choose, fit_model
from foldin.data.catalog import Catalog
from foldin.data.feedback import Feedback, FeedbackRule
from foldin.data.interactions import Interactions
from foldin.data.splitting import Split, strong_generalisation
from foldin.errors import CheckpointError
from foldin.models.autoencoder import AutoEncoder
from foldin.models.ease import EASE
from foldin.training.epoch import Epoch

NETWORK = AutoEncoder(hidden=(6,), latent=3, epochs=30, learning_rate=0.1, batch_size=8, patience=3)


class UnpluggedError(Exception):
    pass


@pytest.fixture(scope="module")
def split(checkerboard: Interactions) -> Split:
    catalog = Catalog(checkerboard.item_ids)
    return strong_generalisation(checkerboard, catalog, FeedbackRule(Feedback()), validation_users=0.4)


def test_a_network_is_chosen_with_its_best_number_of_epochs(split: Split) -> None:
    told: list[Epoch] = []
    choice = choose(NETWORK, split, Training(progress=Progress(epoch=told.append)))
    best = max(told, key=lambda epoch: (epoch.quality or 0, -epoch.number))
    assert choice.estimator == replace(NETWORK, epochs=best.number)
    assert [epoch.number for epoch in choice.epochs] == [epoch.number for epoch in told]
    assert all(epoch.checkpoint is None for epoch in choice.epochs)  # they would keep the whole training alive


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
    assert {k: v.tobytes() for k, v in resumed.arrays().items()} == {
        k: v.tobytes() for k, v in expected.arrays().items()
    }
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
