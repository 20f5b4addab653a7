"""The command as a function, and workspaces with trained models to run it on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foldin.cli.app import main
from foldin.coldstart import crossfit
from foldin.coldstart.handover import usual_handover
from foldin.data.feedback import Feedback
from foldin.data.readers import read, read_catalog, read_profiles
from foldin.data.synthetic import simulate, write_world
from foldin.evaluation.calibration import ProbabilityCalibration
from foldin.evaluation.length_calibration import LengthCalibration
from foldin.evaluation.person_calibration import PersonCalibration
from foldin.fitting import fit
from foldin.models.autoencoder import AutoEncoder
from foldin.models.ease import EDLAE
from foldin.models.network import Network
from foldin.recommender import Recommender
from foldin.store.contract import Batch
from foldin.strict_json import parse_json
from foldin.workspace import create_workspace


@pytest.fixture(scope="module", autouse=True)
def _one_draw() -> Iterator[None]:
    """Each held-out user is cut in one way, not in five: half the time of a fit, where its quality plays no part."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crossfit, "MOST_DRAWS", 1)
        yield


@pytest.fixture
def run(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `foldin` with these arguments as in a pipe, in this process."""

    def ran(*arguments: object) -> subprocess.CompletedProcess[str]:
        argv = ["foldin", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", argv)
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        return subprocess.CompletedProcess(argv, int(end.value.code or 0), *capfd.readouterr())

    return ran


@pytest.fixture
def run_json(run: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[..., Any]:
    """Runs `foldin ... --json`, which must succeed, and reads its answer strictly: NaN is no number."""

    def ran(*arguments: object) -> Any:
        answer = run(*arguments, "--json")
        assert answer.returncode == 0, answer.stderr
        return parse_json(answer.stdout.encode())

    return ran


@pytest.fixture(scope="session")
def labs(world: Path) -> list[str]:
    """The ids of the world's labs, in the catalogue's order."""
    return [str(item_id) for item_id in read_catalog(world / "items.csv").item_ids]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a simulated world of 300 people and 40 labs."""
    folder = tmp_path_factory.mktemp("world")
    write_world(simulate(users=300, items=40, seed=1), folder)
    return folder


@pytest.fixture(scope="session")
def trained(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of the clicks; bundle 1 is linear, calibrated and in use. Not to be written to: copy it."""
    folder = tmp_path_factory.mktemp("trained") / "workspace"
    # so small a world has too few held-out targets to calibrate by
    knots = np.array([[-20, 0, 20], [0.01, 0.1, 0.9]], dtype=np.float32)
    calibration = LengthCalibration((0,), (ProbabilityCalibration(*knots),))
    _fitted(folder, world, "events.csv", Feedback(), PersonCalibration(calibration, calibration))
    return folder


@pytest.fixture(scope="session")
def rated(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of the ratings. Not to be written to."""
    folder = tmp_path_factory.mktemp("rated") / "workspace"
    _fitted(folder, world, "ratings.csv", Feedback(form="explicit", positive_from=4))
    return folder


@pytest.fixture(scope="session")
def networked(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `trained`, with a network of random weights as bundle 2, in use. Not to be written to."""
    folder = tmp_path_factory.mktemp("networked") / "workspace"
    shutil.copytree(trained, folder)
    workspace = create_workspace(folder)
    workspace.publish(_with_a_network(workspace.current()))
    return folder


@pytest.fixture
def several(networked: Path, tmp_path: Path) -> Path:
    """A workspace of two bundles of one's own."""
    shutil.copytree(networked, tmp_path / "several")
    return tmp_path / "several"


def _fitted(
    folder: Path, world: Path, file: str, feedback: Feedback, calibration: PersonCalibration | None = None
) -> None:
    workspace = create_workspace(folder)
    log, catalog, profiles = read(world / file), read_catalog(world / "items.csv"), read_profiles(world / "users.csv")
    with workspace.store(create=True) as store:
        store.ingest([Batch(log, file)], catalog=catalog, profiles=profiles)
        recommender = fit(
            store.interactions(), estimator=EDLAE(), catalog=catalog, profiles=profiles, feedback=feedback
        )
    blend = recommender.blend
    # what the terms of a prior weigh in so small a world is a matter of chance
    prior, handover = blend.prior.with_weights(profile=1, content=1), usual_handover(blend.handover.unit)
    recommender = replace(recommender, blend=replace(blend, prior=prior, handover=handover))
    workspace.publish(replace(recommender, calibration=calibration or recommender.calibration))


def _with_a_network(recommender: Recommender) -> Recommender:
    rng, items = np.random.default_rng(0), len(recommender.catalog)
    widths = [(items, 8), (8, 4), (4, 8), (8, items)]
    weights = tuple(rng.normal(size=width).astype(np.float32) for width in widths)
    biases = tuple(rng.normal(size=width[1]).astype(np.float32) for width in widths)
    estimator = AutoEncoder(hidden=(8,), latent=4)
    network = Network(weights, biases, estimator.activation)
    blend = replace(recommender.blend, model=network)
    return Recommender(recommender.catalog, recommender.rule, estimator, blend)
