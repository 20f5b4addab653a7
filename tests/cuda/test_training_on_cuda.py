"""Training on a GPU; a target of its own (`make test-cuda`), since most machines have none."""

from __future__ import annotations

import numpy as np
import pytest

from foldin.data.feedback import Feedback
from foldin.data.splitting import strong_generalisation
from foldin.data.synthetic import simulate
from foldin.models.autoencoder import AutoEncoder
from foldin.models.validation import heldout_quality
from foldin.training.epoch import Checkpoint, Epoch

pytestmark = pytest.mark.cuda


def test_a_network_learns_as_much_on_cuda_as_on_the_cpu() -> None:
    world = simulate(users=600, items=60)
    split = strong_generalisation(world.events, world.catalog, Feedback().settle(world.events))
    models = [AutoEncoder(epochs=5).fit(split.train, device=device) for device in ("cpu", "cuda")]
    qualities = [heldout_quality(model, split.test) for model in models]
    assert qualities[1] == pytest.approx(qualities[0], abs=0.01)


def test_a_run_goes_on_from_a_checkpoint_on_cuda() -> None:
    world = simulate(users=600, items=60)
    split = strong_generalisation(world.events, world.catalog, Feedback().settle(world.events))
    saved: list[Checkpoint] = []

    def keep(epoch: Epoch) -> None:
        if epoch.number == 2 and epoch.checkpoint is not None:
            saved.append(epoch.checkpoint())

    estimator = AutoEncoder(epochs=4)
    whole = estimator.fit(split.train, device="cuda", on_epoch=keep)
    resumed = estimator.fit(split.train, device="cuda", resume=saved[0])
    np.testing.assert_allclose(whole.score(split.train), resumed.score(split.train), rtol=1e-4, atol=1e-6)
