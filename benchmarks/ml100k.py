"""foldin's models against a plain NumPy EASE on real ratings: `python -m benchmarks.ml100k --data FOLDER`.

FOLDER holds interactions.csv.gz with the columns user, item, rating and timestamp; MovieLens 100K is meant.
Protocol: ratings >= 4, users with at least 5 of them, strong generalisation (a fifth of the users tested in each of 5
folds, int(.2 n) of each history withheld), Recall over min(k, n). Every hyperparameter is chosen by NDCG@100 on the
validation users of the fold; then every model is fitted again on training and validation users together, and the test
users are touched once.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from benchmarks import plain_ease
from foldin.data.catalog import Catalog
from foldin.data.cleaning import with_minimum
from foldin.data.feedback import Feedback
from foldin.data.interactions import Interactions
from foldin.data.matrix import user_item_matrix
from foldin.data.readers import read
from foldin.data.splitting import Holdout, Split, strong_generalisation
from foldin.evaluation.compare import compare
from foldin.evaluation.scoring import Score, model_scores
from foldin.evaluation.significance import paired_difference, standard_error
from foldin.models.ease import EASE, EDLAE
from foldin.models.popularity import Popularity
from foldin.models.protocols import Estimator
from foldin.ranking.metrics import popularity_of
from foldin.tuning import tuned

LIKED_FROM = 4.0
FOLDS = 5
METRICS = ("ndcg@100", "recall_capped@20", "recall_capped@50")
GRID = (10.0, 20.0, 50.0, 100.0, 150.0, 200.0, 300.0, 500.0, 1000.0)
"""What plain EASE's l2 is chosen from."""

PerUser = dict[str, dict[str, NDArray[np.float64]]]
"""Values of all test users, by contender and metric."""


@dataclass(frozen=True, eq=False)
class Fold:
    """A split, with the histories of its training and validation users together."""

    split: Split
    known: csr_array


def main() -> None:
    parser = argparse.ArgumentParser(description="foldin's models against a plain NumPy EASE on MovieLens 100K")
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds interactions.csv.gz")
    parser.add_argument("--seed", type=int, default=0, help="of the folds")
    given = parser.parse_args()
    log = liked(read(given.data / "interactions.csv.gz"))
    print(f"{len(log.user_ids)} users x {len(log.item_ids)} items, {len(log)} ratings >= {LIKED_FROM:g}")
    per_user = joined([judged(fold, number) for number, fold in enumerate(folds(log, given.seed))])
    print(table(per_user))
    print(verdict(per_user))


def liked(log: Interactions) -> Interactions:
    """The positives of the users who have at least 5."""
    assert log.values is not None
    return with_minimum(log.where(log.values >= LIKED_FROM), per_user=5)


def folds(log: Interactions, seed: int) -> list[Fold]:
    """The five splits."""
    catalog, rule = Catalog(log.item_ids), Feedback(positive_from=LIKED_FROM).settle(log)
    histories = user_item_matrix(log, catalog, rule).histories
    splits = [
        strong_generalisation(log, catalog, rule, test_users=1 / FOLDS, seed=seed, fold=fold) for fold in range(FOLDS)
    ]
    return [Fold(split, histories[np.union1d(split.train_rows, split.validation.rows)]) for split in splits]


def judged(fold: Fold, number: int) -> PerUser:
    """Chooses on the validation users, fits again, and judges each contender once on the test users."""
    contenders = {"Popularity": Popularity(), "EASE": tuned(EASE(), fold.split), "EDLAE": tuned(EDLAE(), fold.split)}
    l2 = chosen_l2(fold.split)
    print(f"fold {number + 1}: plain EASE l2={l2:g}; {contenders['EASE']}; {contenders['EDLAE']}")
    scores = {name: _scores(estimator, fold) for name, estimator in contenders.items()}
    scores["plain EASE"] = plain_scores(plain_ease.fit(fold.known.toarray(), l2), fold.split.test)
    popularity = popularity_of(fold.known)
    comparison = compare(scores, fold.split.test, popularity=popularity, metrics=METRICS)
    return {name: {metric: comparison.of(name).values(metric) for metric in METRICS} for name in scores}


def chosen_l2(split: Split) -> float:
    """The l2 of GRID by whose plain EASE the validation users are ranked best, in plain EASE's own NDCG@100."""
    train, shown, targets = (m.toarray() for m in (split.train, split.validation.fold_in, split.validation.targets))

    def quality(l2: float) -> float:
        found = plain_ease.hits(shown @ plain_ease.fit(train, l2), shown, targets, 100)
        return float(plain_ease.ndcg(found, targets).mean())

    return max(GRID, key=quality)


def plain_scores(weights: NDArray[np.float64], holdout: Holdout) -> Score:
    """Plain EASE as `compare` takes it."""
    return lambda block: (holdout.fold_in[block].toarray() @ weights).astype(np.float32)


def joined(parts: Sequence[PerUser]) -> PerUser:
    """All folds' users, one after the other."""
    return {
        name: {metric: np.concatenate([part[name][metric] for part in parts]) for metric in METRICS}
        for name in parts[0]
    }


def table(per_user: PerUser) -> str:
    """One line per contender: mean and standard error over all users of all folds."""
    lines = [f"{'model':12}" + "".join(f"{metric:>22}" for metric in METRICS)]
    for name, values in per_user.items():
        cells = (f"{values[metric].mean():.4f} ± {standard_error(values[metric]):.4f}" for metric in METRICS)
        lines.append(f"{name:12}" + "".join(f"{cell:>22}" for cell in cells))
    return "\n".join(lines)


def verdict(per_user: PerUser) -> str:
    """Whether EDLAE is below plain EASE by one paired standard error."""
    lines = []
    for metric in METRICS:
        difference = paired_difference(per_user["EDLAE"][metric], per_user["plain EASE"][metric])
        holds = difference.mean > -difference.standard_error
        lines.append(
            f"EDLAE - plain EASE, {metric}: {difference.mean:+.4f} ± {difference.standard_error:.4f} (paired, "
            f"{difference.users} users): {'not below' if holds else 'BELOW'}"
        )
    return "\n".join(lines)


def _scores(estimator: Estimator, fold: Fold) -> Score:
    return model_scores(estimator.fit(fold.known), fold.split.test)


if __name__ == "__main__":
    main()
