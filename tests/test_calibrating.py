"""The simulated world, where profiles tell much: without one the same score means something else."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from foldin.calibrating import _probabilities, calibrated, error_of, untold_error_of
from foldin.choosing import Training, choose
from foldin.coldstart.blend import Blend
from foldin.coldstart.crossfit import Fold
from foldin.data.profiles import Profiles
from foldin.data.splitting import Holdout, Split, strong_generalisation
from foldin.data.synthetic import simulate
from foldin.evaluation.calibration import calibration_error
from foldin.evaluation.person_calibration import PersonCalibration
from foldin.evidence import Evidence, gathered
from foldin.models.ease import EASE


@dataclass(frozen=True, eq=False)
class Taught:
    """What was learned, and whom it can be judged by."""

    evidence: Evidence
    split: Split
    folds: list[Fold]
    blend: Blend

    def error(self, calibration: PersonCalibration, evidence: Evidence) -> float:
        found = error_of(calibration, Fold(self.blend.model, self.split.test), self.blend, evidence)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def taught() -> Taught:
    world = simulate(2000, 60)
    evidence = gathered(world.events, catalog=world.catalog, profiles=world.profiles)
    split = strong_generalisation(evidence.log, evidence.catalog, evidence.rule, test_users=0.3, validation_users=0.3)
    choice = choose(EASE(l2=300), split, Training())
    prior = evidence.prior(split.train, split.train_rows)
    blend = evidence.learn(choice.folds, prior).blend(choice.model, prior)
    assert blend.prior.profile_weight > 0
    return Taught(evidence, split, list(choice.folds), blend)


@pytest.fixture(scope="module")
def found(taught: Taught) -> PersonCalibration:
    calibration = calibrated(taught.folds, taught.blend, taught.split, taught.evidence, 0)
    assert isinstance(calibration, PersonCalibration)
    return calibration


def test_those_with_and_without_a_profile_are_told_what_holds_for_them(
    taught: Taught, found: PersonCalibration
) -> None:
    evidence = taught.evidence
    swapped = PersonCalibration(found.untold, found.told)
    nobody = replace(evidence, profiles=None)
    for people in (evidence, nobody):
        assert taught.error(found, people) < 0.08
        assert taught.error(swapped, people) > 2 * taught.error(found, people)


@pytest.mark.parametrize("names", [["role"], ["experience"], ["role", "experience"]])
def test_those_of_whom_a_part_is_known_are_told_what_holds_for_them(
    names: list[str], taught: Taught, found: PersonCalibration
) -> None:
    evidence, blend = taught.evidence, taught.blend
    assert evidence.profiles is not None
    known = {name: evidence.profiles.attributes[name] for name in names}
    partly = replace(evidence, profiles=Profiles(evidence.profiles.user_ids, known))
    as_if_all_were = replace(blend, handover=replace(blend.handover, untold=blend.handover.weights))
    other = replace(taught, blend=as_if_all_were).error(PersonCalibration(found.told, found.told), partly)
    assert taught.error(found, partly) < other / 1.5


def test_items_nobody_had_change_nothing(taught: Taught) -> None:
    evidence = replace(taught.evidence, profiles=None)
    found = calibrated(taught.folds, taught.blend, taught.split, evidence, 0)
    assert isinstance(found, PersonCalibration)
    test = taught.split.test.where(np.arange(200))

    def scored(cold: int) -> float:
        """The error among the items and so many that are left out."""
        wide = [
            csr_array((of.data, of.indices, of.indptr), shape=(200, 60 + cold)) for of in (test.fold_in, test.targets)
        ]
        users = Holdout(test.rows, *wide)
        scores = np.pad(evidence.scores(taught.blend, test)(slice(None)), ((0, 0), (0, cold)), constant_values=-np.inf)
        told = np.zeros(200, dtype=np.float32)
        return calibration_error([(_probabilities(found, lambda block: scores[block], users, told), users)])

    assert scored(300) == scored(0)


def test_where_there_are_no_profiles_there_is_nothing_for_those_with_one(taught: Taught) -> None:
    nobody = replace(taught.evidence, profiles=None)
    found = calibrated(taught.folds, taught.blend, taught.split, nobody, 0)
    assert isinstance(found, PersonCalibration)
    assert found.told is None
    assert found.untold is not None
    # and people of whom a profile tells something cannot be judged by it
    test = taught.split.test
    telling = taught.evidence.telling(taught.blend, test)
    only_told = Fold(taught.blend.model, test.where(telling > 0))
    assert error_of(found, only_told, taught.blend, taught.evidence) is None


def test_what_holds_without_a_profile_is_judged_by_everybody_without(taught: Taught, found: PersonCalibration) -> None:
    test = Fold(taught.blend.model, taught.split.test)
    nobody = replace(taught.evidence, profiles=None)
    assert untold_error_of(found, test, taught.blend, taught.evidence) == taught.error(found, nobody)
    assert untold_error_of(replace(found, told=None), test, taught.blend, taught.evidence) is None


def test_nobody_held_out_and_nothing_calibrated(taught: Taught) -> None:
    assert calibrated([], taught.blend, taught.split, taught.evidence, 0) is None
    assert error_of(None, Fold(taught.blend.model, taught.split.test), taught.blend, taught.evidence) is None
