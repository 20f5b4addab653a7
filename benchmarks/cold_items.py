"""How cold items get scores, by measurement: `python -m benchmarks.cold_items --data FOLDER`.

FOLDER holds interactions.csv.gz with the columns user and item, and items.csv with what is known of the items;
citeulike-a is meant, whose items have tags. A tenth of the items is made cold: all their interactions are withheld.
Strong generalisation: a tenth of the users validates, a tenth tests; EDLAE is fitted on the others. Every user shows
80 % of their warm items.
  cold among cold: all cold items ranked; targets are all of the user's.
  mixed: all items ranked but the 80 % of the user's (cold ones too); targets are the other 20 %, warm and cold.
Every contender's fields are chosen on the validation users by NDCG@100 of cold among cold; the test users are touched
once. `--closed-forms` adds CEASE and the EASE of the items' words: seven inversions, and 5 GB of memory.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from foldin.coldstart.cold_items import ColdItems, fit_cold_items, history_weight_of
from foldin.coldstart.content import fit_content
from foldin.data.feedback import Feedback
from foldin.data.matrix import user_item_matrix
from foldin.data.readers import read, read_catalog
from foldin.evaluation.significance import paired_difference, standard_error
from foldin.models.ease import EDLAE
from foldin.models.gram import gram_matrix
from foldin.models.linear import zero_diagonal_weights
from foldin.ranking.metrics import hits_of, ndcg, recall, relevant_of
from foldin.ranking.top_k import Rankings, joined, masked, top_k

SHARE = 0.1  # of the items that is cold, of the users that validates, and of those that tests
WITHHELD = 0.2
MODEL = EDLAE(l2=100.0, dropout=0.25)
NEIGHBOURS = (5, 20, 50, 100)
POWERS = (1, 2)
HISTORY = (0.5, 1.0, 1.5, 2.0, 3.0)  # times `history_weight_of`
TAGS = (10.0, 30.0, 100.0)  # CEASE's alpha^2; the words' vectors have norm 1
TAGS_L2 = (0.2, 1.0, 5.0)
METRICS = ("ndcg@10", "ndcg@100", "recall@20")

Scores = NDArray[np.float32]
PerUser = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class World:
    """What is learned from; `cold` also holds items that no training user has."""

    train: csr_array
    vectors: csr_array
    cold: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Users:
    """Held-out users; all are (users, items). `hidden` is left out of the mixed ranking."""

    shown: csr_array
    cold_targets: csr_array
    mixed_targets: csr_array
    hidden: csr_array


@dataclass(frozen=True, eq=False)
class Side:
    """What a contender can take from held-out users: the model's scores, and the weight of an item of the history."""

    users: Users
    scores: Scores
    unit: float


def main() -> None:
    parser = argparse.ArgumentParser(description="Ways to score items without interactions")
    parser.add_argument("--data", type=Path, required=True, help="the folder of interactions.csv.gz and items.csv")
    parser.add_argument("--seed", type=int, default=0, help="of the cold items and the users")
    parser.add_argument("--closed-forms", action="store_true", help="fit CEASE and the words' EASE too")
    given = parser.parse_args()
    world, validation, test = worlds(given.data, given.seed)
    model = MODEL.fit(world.train)
    unit = history_weight_of(model.score(validation.shown), validation.shown, ~world.cold)
    sides = [Side(users, model.score(users.shown), unit) for users in (validation, test)]
    del model
    print(f"{int(world.cold.sum())} of {len(world.cold)} items cold; history_weight {unit:.3f}")
    print(among_cold(dict(contenders(world, sides, closed_forms=given.closed_forms)), world, sides))
    print(mixed(world, sides))


def worlds(folder: Path, seed: int) -> tuple[World, Users, Users]:
    """The training users, and two sets of held-out ones."""
    log, catalog = read(folder / "interactions.csv.gz"), read_catalog(folder / "items.csv")
    histories = user_item_matrix(log, catalog, Feedback().settle(log)).histories
    content = fit_content(catalog)
    assert content is not None
    rng = np.random.default_rng(seed)
    users, items = (rng.permutation(count) for count in histories.shape)
    held_out = int(SHARE * len(users))
    cold = np.zeros(len(items), dtype=np.bool_)
    cold[items[: int(SHARE * len(items))]] = True
    train = where(histories[users[2 * held_out :]], ~cold)
    cold |= np.bincount(train.indices, minlength=len(items)) == 0
    parts = [histories[users[start : start + held_out]] for start in (held_out, 0)]
    validation, test = (cut(part, cold, rng) for part in parts)
    return World(train, content.item_vectors(), cold), validation, test


def cut(histories: csr_array, cold: NDArray[np.bool_], rng: np.random.Generator) -> Users:
    """Withholds a fifth of all, and shows what is warm of the rest."""
    withheld = rng.random(histories.nnz) < WITHHELD
    found, rest = (kept(histories, mark) for mark in (withheld, ~withheld))
    return Users(where(rest, ~cold), where(histories, cold), found, rest)


def contenders(world: World, sides: list[Side], *, closed_forms: bool) -> Iterator[tuple[str, list[list[Scores]]]]:
    """By name, the fields tried: for each, the scores of the cold items, (users, cold), on both sides.

    Each is chosen from several on the validation users. "blend" is of scores, "neighbours" of histories.
    """
    similar = similarities(world)
    shown = [side.users.shown[:, ~world.cold] for side in sides]
    scores = [side.scores[:, ~world.cold] for side in sides]
    unit = sides[0].unit
    yield "content", [[(rows @ similar).toarray() for rows in shown]]
    yield "content, squares", [[(rows @ similar.power(2)).toarray() for rows in shown]]
    raw = [neighbours(similar, k, power) for k in NEIGHBOURS for power in POWERS]
    shares = [csr_array(one @ diags_array(1 / np.maximum(one.sum(axis=0), 1e-30))) for one in raw]
    yield "blend, sums", [[rows @ one for rows in scores] for one in raw]
    yield "blend", [[rows @ one for rows in scores] for one in shares]
    yield "neighbours", [[(rows @ one).toarray() for rows in shown] for one in shares]
    both = list(zip(scores, shown, strict=True))
    yield (
        "blend + neighbours",
        [
            [s @ one + np.float32(times * unit) * (h @ one).toarray() for s, h in both]
            for one in shares
            for times in HISTORY
        ],
    )
    yield "foldin", [[side_scores(world, side)[:, world.cold] for side in sides]]
    if closed_forms:
        yield "CEASE", [cease(world, sides, tags) for tags in TAGS]
        yield "EASE of words", [words_ease(world, sides, l2) for l2 in TAGS_L2]


def side_scores(world: World, side: Side, times: float = 1.0) -> Scores:
    """What foldin makes of all items; those that cannot be reached are left out."""
    fitted = fitted_cold_items(world)
    fitted = replace(fitted, history_weight=times * side.unit)
    filled = fitted.filled(side.scores, side.users.shown)
    filled[:, world.cold & ~fitted.reachable] = -np.inf
    return filled


def fitted_cold_items(world: World) -> ColdItems:
    fitted = fit_cold_items(world.vectors, world.cold)
    assert fitted is not None
    return fitted


def similarities(world: World) -> csr_array:
    """Cosines, (warm, cold)."""
    return csr_array(world.vectors[~world.cold] @ world.vectors[world.cold].T)


def neighbours(similar: csr_array, k: int, power: int) -> csr_array:
    """The k largest of each cold item, to a power, (warm, cold)."""
    columns = similar.T.tocsr()
    blocks = [columns[start : start + 256].toarray() for start in range(0, columns.shape[0], 256)]
    best = joined([top_k(np.where(block > 0, block, np.float32(-np.inf)), k) for block in blocks])
    return csr_array((best.scores**power, (best.items, best.rows)), shape=similar.shape)


def cease(world: World, sides: list[Side], tags: float) -> list[Scores]:
    """EDLAE with G' = G + alpha^2 T T'.

    Source: Jeunen et al. 2020, "Closed-Form Models for Collaborative Filtering with Side-Information".
    """
    gram = gram_matrix(world.train)
    penalties = np.float32(MODEL.dropout / (1 - MODEL.dropout)) * gram.diagonal() + np.float32(MODEL.l2)
    words = gram_matrix(csr_array(world.vectors.T))
    words *= np.float32(tags)
    gram += words
    return scored(zero_diagonal_weights(gram, penalties), world, sides)


def words_ease(world: World, sides: list[Side], l2: float) -> list[Scores]:
    """EASE of the items' words, whose cold columns are those of ADD-EASE but for a factor."""
    words = gram_matrix(csr_array(world.vectors.T))
    return scored(zero_diagonal_weights(words, np.full(len(words), l2, dtype=np.float32)), world, sides)


def scored(weights: Scores, world: World, sides: list[Side]) -> list[Scores]:
    return [np.asarray(side.users.shown @ weights[:, world.cold]) for side in sides]


def among_cold(found: dict[str, list[list[Scores]]], world: World, sides: list[Side]) -> str:
    """A line per contender: means and standard errors of the test users, and NDCG@100 less that of content, paired."""
    targets = [side.users.cold_targets[:, world.cold] for side in sides]
    known = np.diff(world.vectors.indptr)[world.cold] > 0
    lines = [f"{'cold among cold':20}" + "".join(f"{metric:>18}" for metric in METRICS) + f"{'- content':>18}"]
    content: PerUser | None = None
    for name, tried in found.items():
        best = max(tried, key=lambda scores: quality(scores[0], targets[0], known)[1].mean())
        values = quality(best[1], targets[1], known)
        content = values[1] if content is None else content
        difference = paired_difference(values[1], content)
        cells = [f"{value.mean():.4f} ± {standard_error(value):.4f}" for value in values]
        cells.append(f"{difference.mean:+.4f} ± {difference.standard_error:.4f}")
        place = next(place for place, one in enumerate(tried) if one is best)
        lines.append(f"{name:20}" + "".join(f"{cell:>18}" for cell in cells) + f"  field {place} of {len(tried)}")
    return "\n".join(lines)


def quality(scores: Scores, targets: csr_array, known: NDArray[np.bool_]) -> list[PerUser]:
    """The three metrics, of the users who have something to find."""
    aimed = np.diff(targets.indptr) > 0
    ranked = np.where(known, scores, np.float32(-np.inf))[aimed]
    return metrics(top_k(ranked, 100), targets[aimed])


def metrics(rankings: Rankings, targets: csr_array) -> list[PerUser]:
    relevant = relevant_of(targets)
    ten, twenty, hundred = (hits_of(rankings, targets, k) for k in (10, 20, 100))
    return [ndcg(ten, relevant), ndcg(hundred, relevant), recall(twenty, relevant)]


def mixed(world: World, sides: list[Side]) -> str:
    """How foldin ranks cold items among all: on the validation users by how much the history counts, then the test."""
    lines = [
        f"{'mixed':20}" + "".join(f"{metric:>18}" for metric in METRICS) + "   of the top 10: cold, right; warm right"
    ]
    for times in (0.0, *HISTORY, 6.0):
        line = mixed_line(side_scores(world, sides[0], times), world, sides[0])
        lines += [f"{f'validation, {times:g}':20}{line}"]
    without = sides[1].scores.copy()
    without[:, world.cold] = -np.inf
    lines.append(f"{'test, no cold items':20}" + mixed_line(without, world, sides[1]))
    lines.append(f"{'test, foldin':20}" + mixed_line(side_scores(world, sides[1]), world, sides[1]))
    return "\n".join(lines)


def mixed_line(scores: Scores, world: World, side: Side) -> str:
    targets = side.users.mixed_targets
    aimed = np.diff(targets.indptr) > 0
    rankings, wanted = top_k(masked(scores, side.users.hidden)[aimed], 100), targets[aimed]
    cells = [f"{value.mean():.4f} ± {standard_error(value):.4f}" for value in metrics(rankings, wanted)]
    ten = rankings.best(10)
    cold, right = world.cold[ten.items], hits_of(ten, wanted, 10)[ten.rows, ten.ranks]
    shares = [cold.mean(), right[cold].sum() / max(1, cold.sum()), right[~cold].mean()]
    return "".join(f"{cell:>18}" for cell in cells) + "   " + ", ".join(f"{share:.3f}" for share in shares)


def kept(histories: csr_array, mark: NDArray[np.bool_]) -> csr_array:
    """Some of the stored cells, (stored,)."""
    rows = np.repeat(np.arange(histories.shape[0]), np.diff(histories.indptr))
    return csr_array((histories.data[mark], (rows[mark], histories.indices[mark])), shape=histories.shape)


def where(histories: csr_array, items: NDArray[np.bool_]) -> csr_array:
    """The cells of some of the items."""
    return kept(histories, items[histories.indices])


if __name__ == "__main__":
    main()
