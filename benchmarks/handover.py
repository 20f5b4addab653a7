"""Never worse than popularity, nor than the model alone: `python -m benchmarks.handover --data FOLDER [SET ...]`.

The set `labs` is the simulated world, and needs no data. With `--known` only these attributes of profiles are known
when it comes to judging, none without any, but all are in training: as for somebody who says little of themselves.

FOLDER holds one folder per data set, each with interactions.csv.gz and, where there are profiles or a catalogue,
users.csv and items.csv. Protocol: strong generalisation, a fifth of the users tested in each fold, another fifth held
out to choose and to learn the handover on; EDLAE with its fields chosen on these; every test user's history cut to n
items, everything else they liked is to be found. Folds are pooled; cells of 200 test users or more are judged by
paired t-tests, corrected by Holm over all cells and both rivals of a data set.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foldin.choosing import Training, choose
from foldin.coldstart.blend import Blend, blended_scores
from foldin.data.catalog import Catalog
from foldin.data.cleaning import with_minimum
from foldin.data.feedback import Feedback
from foldin.data.interactions import Interactions
from foldin.data.readers import read, read_catalog, read_profiles
from foldin.data.splitting import strong_generalisation
from foldin.data.synthetic import simulate
from foldin.evaluation.cells import Cell, cells
from foldin.evaluation.scoring import model_scores
from foldin.evaluation.significance import PairedDifference, holm, p_value, paired_difference
from foldin.evaluation.truncation import LENGTHS
from foldin.evidence import Evidence, gathered
from foldin.models.popularity import Popularity
from foldin.models.zoo import estimator_named
from foldin.ranking.metrics import popularity_of

FOLDS = 5
FEWEST_USERS = 200
METRIC = "ndcg@100"
LABS = "labs"
DEFAULT, ALONE, POPULARITY = "default", "model alone", "popularity"


@dataclass(frozen=True)
class DataSet:
    """How a set is read: what its values mean, and the fewest users an item must have to be looked at."""

    feedback: Feedback
    users_per_item: int = 1


SETS = {
    "ml-100k": DataSet(Feedback(positive_from=4)),
    "mars-en-implicit": DataSet(Feedback()),
    "lastfm-2k": DataSet(Feedback(strength="log"), users_per_item=2),
    "citeulike-a": DataSet(Feedback(), users_per_item=10),
}

PerUser = dict[int | None, dict[str, NDArray[np.float64]]]
"""The metric of all test users, by history length and contender."""


def main() -> None:
    parser = argparse.ArgumentParser(description="the default against popularity and the model alone")
    parser.add_argument("--data", type=Path, default=Path(), help="the folder that holds one folder per data set")
    parser.add_argument("--known", nargs="*", metavar="ATTRIBUTE", help="judge as if only these were known of people")
    parser.add_argument("--folds", type=int, default=FOLDS, help="how many of the five folds")
    parser.add_argument("--model", default="edlae", help="which model hands over")
    parser.add_argument("sets", nargs="*", default=list(SETS), help=f"which of {', '.join(SETS)}, or {LABS}")
    given = parser.parse_args()
    missing = [name for name in given.sets if name != LABS and not (given.data / name).is_dir()]
    if missing:
        parser.error(f"--data {given.data} has no folder {', '.join(missing)}")
    for name in given.sets:
        report(name, given.data / name, given.model, given.folds, given.known)


def report(name: str, folder: Path, model: str, folds: int, known: Sequence[str] | None) -> None:
    """Prints a table of one data set."""
    evidence = evidence_of(name, folder)
    print(f"\n{name}: {len(evidence.matrix.user_ids):,} users x {len(evidence.catalog):,} items", flush=True)
    per_user: PerUser = {}
    for fold in range(folds):
        for cell in judged(evidence, model, fold, known):
            columns = per_user.setdefault(cell.length, {})
            for contender, evaluation in cell.comparison.evaluations.items():
                before = columns.get(contender, np.empty(0))
                columns[contender] = np.concatenate([before, evaluation.values(METRIC)])
    for line in table(per_user):
        print(line, flush=True)


def evidence_of(name: str, folder: Path) -> Evidence:
    """The log, with catalogue and profiles where there are any."""
    if name == LABS:
        world = simulate()
        return gathered(world.events, catalog=world.catalog, profiles=world.profiles)
    wanted = SETS[name]
    log = _read(folder, wanted)
    items, users = folder / "items.csv", folder / "users.csv"
    return gathered(
        log,
        catalog=None if not items.exists() else _only(read_catalog(items), log),
        profiles=read_profiles(users) if users.exists() else None,
        feedback=wanted.feedback,
    )


def judged(evidence: Evidence, model: str, fold: int, known: Sequence[str] | None) -> list[Cell]:
    """Learns on one fold's training and validation users, and looks at its test users once."""
    split = strong_generalisation(
        evidence.log, evidence.catalog, evidence.rule, test_users=1 / FOLDS, validation_users=1 / FOLDS, fold=fold
    )
    choice = choose(estimator_named(model), split, Training(), fixed=())
    prior = evidence.prior(split.train, split.train_rows)
    blend = evidence.learn(choice.folds, prior).blend(choice.model, prior)
    print(f"  fold {fold + 1}: {choice.estimator}, {_learned(blend)}", flush=True)
    attributes = {name: cells for name, cells in evidence.attributes.items() if known is None or name in known}
    popular = Popularity().fit(split.train)
    contenders = {
        DEFAULT: lambda users: blended_scores(blend, attributes, users),
        ALONE: lambda users: model_scores(choice.model, users),
        POPULARITY: lambda users: model_scores(popular, users),
    }
    return cells(
        contenders,
        split.test,
        popularity=popularity_of(split.train),
        liked=evidence.rule.positive,
        lengths=LENGTHS,
        metrics=(METRIC,),
    )


def _learned(blend: Blend) -> str:
    handover, prior = blend.handover, blend.prior
    told, untold = (", ".join(f"{weight:.2f}" for weight in of) for of in (handover.weights, handover.untold))
    return (
        f"w(n) {told}, without a profile {untold}; profile {prior.profile_weight:g}, content {prior.content_weight:g}, "
        f"resemblance {prior.resemblance_weight:g}"
    )


def table(per_user: PerUser) -> Iterator[str]:
    """A line per history length, with both differences and their corrected chances."""
    gaps = {
        (length, rival): paired_difference(columns[DEFAULT], columns[rival])
        for length, columns in per_user.items()
        for rival in (ALONE, POPULARITY)
        if len(columns[DEFAULT]) >= FEWEST_USERS
    }
    adjusted = dict(zip(gaps, holm([p_value(gap) for gap in gaps.values()]), strict=True))
    yield f"{'n':>5} {'users':>6} {DEFAULT:>8} {ALONE:>12} {POPULARITY:>11}   less the model alone   less popularity"
    for length, columns in per_user.items():
        means = [columns[name].mean() for name in (DEFAULT, ALONE, POPULARITY)]
        differences = [_told(gaps, adjusted, (length, rival)) for rival in (ALONE, POPULARITY)]
        name = "all" if length is None else str(length)
        figures = f"{means[0]:>8.4f} {means[1]:>12.4f} {means[2]:>11.4f}"
        yield f"{name:>5} {len(columns[DEFAULT]):>6} {figures}   {'   '.join(differences)}"
    below = [place for place, gap in gaps.items() if gap.mean < 0 and adjusted[place] < 0.05]
    yield f"cells in which the default is below a rival (p < .05): {below or 'none'}"


def _told(
    gaps: dict[tuple[int | None, str], PairedDifference],
    adjusted: dict[tuple[int | None, str], float],
    place: tuple[int | None, str],
) -> str:
    if place not in gaps:
        return "too few users"
    gap = gaps[place]
    return f"{gap.mean:+.4f} ± {gap.standard_error:.4f} p={adjusted[place]:.2g}"


def _only(catalog: Catalog, log: Interactions) -> Catalog:
    # an item that nobody has would be one more to rank for nothing
    kept = Catalog(log.item_ids).knows(catalog.item_ids)
    columns = {name: column[kept] for name, column in catalog.attributes.items()}
    return Catalog(catalog.item_ids[kept], columns)


def _read(folder: Path, wanted: DataSet) -> Interactions:
    log = read(folder / "interactions.csv.gz")
    return with_minimum(log, per_item=wanted.users_per_item) if wanted.users_per_item > 1 else log


if __name__ == "__main__":
    main()
