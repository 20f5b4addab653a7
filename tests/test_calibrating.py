"""The simulated world, where profiles tell much: without one the same score means something else."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from foldin.calibrating import calibrated, error_of, untold_error_of
from foldin.choosing import Training, choose
from foldin.coldstart.blend import Blend
from foldin.coldstart.crossfit import Fold
from foldin.data.profiles import Profiles
from foldin.data.splitting import Split, strong_generalisation
from foldin.data.synthetic import simulate
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


def test_those_with_and_without_a_profile_are_told_what_holds_for_them(taught: Taught) -> None:
    evidence, split = taught.evidence, taught.split
    found = calibrated(taught.folds, taught.blend, split, evidence, 0)
    assert isinstance(found, PersonCalibration)
    swapped = PersonCalibration(found.untold, found.told)
    nobody = replace(evidence, profiles=None)
    for people in (evidence, nobody):
        assert taught.error(found, people) < 0.08
        assert taught.error(swapped, people) > 2 * taught.error(found, people)


@pytest.mark.parametrize("names", [["role"], ["experience"], ["interests"], ["role", "experience"]])
def test_those_of_whom_a_part_is_known_are_told_what_holds_for_them(names: list[str], taught: Taught) -> None:
    evidence, split = taught.evidence, taught.split
    found = calibrated(taught.folds, taught.blend, split, evidence, 0)
    assert isinstance(found, PersonCalibration)
    assert evidence.profiles is not None
    known = {name: evidence.profiles.attributes[name] for name in names}
    partly = replace(evidence, profiles=Profiles(evidence.profiles.user_ids, known))
    assert taught.error(found, partly) < 0.1


def test_where_there_are_no_profiles_there_is_nothing_for_those_with_one(taught: Taught) -> None:
    nobody = replace(taught.evidence, profiles=None)
    found = calibrated(taught.folds, taught.blend, taught.split, nobody, 0)
    assert isinstance(found, PersonCalibration)
    assert found.told is None
    assert found.untold is not None
    # and people of whom a profile tells something cannot be judged by it
    test = taught.split.test
    told = taught.evidence.told(taught.blend, test)
    only_told = Fold(taught.blend.model, test.where(told > 0))
    assert error_of(found, only_told, taught.blend, taught.evidence) is None


def test_what_holds_without_a_profile_is_judged_by_everybody_without(taught: Taught) -> None:
    found = calibrated(taught.folds, taught.blend, taught.split, taught.evidence, 0)
    assert isinstance(found, PersonCalibration)
    test = Fold(taught.blend.model, taught.split.test)
    nobody = replace(taught.evidence, profiles=None)
    assert untold_error_of(found, test, taught.blend, taught.evidence) == taught.error(found, nobody)
    assert untold_error_of(replace(found, told=None), test, taught.blend, taught.evidence) is None


def test_nobody_held_out_and_nothing_calibrated(taught: Taught) -> None:
    assert calibrated([], taught.blend, taught.split, taught.evidence, 0) is None
    assert error_of(None, Fold(taught.blend.model, taught.split.test), taught.blend, taught.evidence) is None
