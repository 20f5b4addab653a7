"""How a query and the model go together, by measurement: `python -m benchmarks.query --data FOLDER`.

FOLDER holds interactions.csv.gz, items.csv with titles and, where there are any, users.csv; ml-100k, mars-en and
itm-rec are meant. EDLAE is fitted on the training users with the prior and the handover that are learned beside it.
Three questions, each asked of the validation users (or half of the items) and then, once, of the test users:
  title: an item's title as a query, nobody's history; the reciprocal rank of that item.
  title, user: the title of an item that a user withholds, their history shown; the reciprocal rank of that item.
  topic, user: one category, tag or genre of an item that a user withholds (without these: a word of its title);
    NDCG@10 of the withheld items that have all of its words.
The contenders are BM25 alone, the model alone, and both by `query_term` with several weights of the relevance.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.coldstart.blend import Blend, of_rows
from foldin.coldstart.content import Content, query_words
from foldin.coldstart.query import RELEVANCE_WEIGHT, query_term
from foldin.coldstart.stemming import stems_of
from foldin.contest import Contest, contest
from foldin.data.catalog import Catalog
from foldin.data.columns import recognise
from foldin.data.feedback import Feedback
from foldin.data.readers import read, read_catalog, read_profiles
from foldin.data.splitting import Holdout
from foldin.models.ease import EDLAE
from foldin.ranking.metrics import hits_of, ndcg, relevant_of
from foldin.ranking.top_k import top_k

WEIGHTS = (0.0, 1.0, RELEVANCE_WEIGHT, 4.0, 8.0)
ALONE = ("BM25", "model")
TARGETS_PER_USER = 5
MOST_TITLES = 1_000
CUTOFF = 10

Scores = NDArray[np.float32]  # (questions, items)


@dataclass(frozen=True, eq=False)
class Questions:
    """Queries as words, and what the model and the prior make of who asks; `hidden`: items seen; `targets`: to find;
    `withheld`: all that who asks withholds. All but the queries are (questions, items).
    """

    queries: list[list[str]]
    others: Scores
    hidden: NDArray[np.bool_]
    targets: NDArray[np.bool_]
    withheld: NDArray[np.bool_]

    def where(self, keep: NDArray[np.bool_]) -> Questions:
        """Some of them."""
        kept = [query for query, stays in zip(self.queries, keep, strict=True) if stays]
        return Questions(kept, self.others[keep], self.hidden[keep], self.targets[keep], self.withheld[keep])


def main() -> None:
    parser = argparse.ArgumentParser(description="How a query and the model go together")
    parser.add_argument("--data", type=Path, required=True, help="the folder of interactions.csv.gz and items.csv")
    parser.add_argument("--positive-from", type=float, help="the rating from which an item counts as liked")
    parser.add_argument("--seed", type=int, default=0, help="of the users and the questions")
    given = parser.parse_args()
    held = fitted(given.data, given.positive_from)
    content = held.evidence.content
    assert content is not None
    print(f"{given.data.name}: {len(held.evidence.catalog):,} items, stemmed as {content.language}\n")
    print(table(held, content, given.seed))


def fitted(folder: Path, positive_from: float | None) -> Contest:
    """EDLAE on the training users, with its prior and handover."""
    users = folder / "users.csv"
    return contest(
        read(folder / "interactions.csv.gz"),
        {"edlae": EDLAE(l2=100.0, dropout=0.25)},
        catalog=read_catalog(folder / "items.csv"),
        profiles=read_profiles(users) if users.exists() else None,
        feedback=Feedback(positive_from=positive_from),
    )


def table(held: Contest, content: Content, seed: int) -> str:
    """A line per contender, with a column for each question, validation then test."""
    rng = np.random.default_rng(seed)
    asked = dict(questions(held, content, rng))
    names = [*ALONE, *(f"both, {weight:g}" for weight in WEIGHTS)]
    columns = {
        heading: [quality(scores, part) for scores in contenders(part, content)]
        for heading, (part, quality) in asked.items()
    }
    lines = ["| | " + " | ".join(f"{name} (n={len(asked[name][0].queries)})" for name in columns) + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for row, name in enumerate(names):
        lines.append(f"| {name} | " + " | ".join(f"{column[row]:.4f}" for column in columns.values()) + " |")
    return "\n".join(lines)


Quality = Callable[[Scores, Questions], float]


def questions(
    held: Contest, content: Content, rng: np.random.Generator
) -> Iterable[tuple[str, tuple[Questions, Quality]]]:
    """The questions by name, each with its measure."""
    titles, blend = titles_of(held.evidence.catalog), held.blends["edlae"]
    items = rng.permutation([item for item, title in enumerate(titles) if title])[: 2 * MOST_TITLES]
    halves = {"validation": items[::2], "test": items[1::2]}
    users = {"validation": held.split.validation.ranked(), "test": held.split.test.ranked()}
    for part, half in halves.items():
        yield f"title, {part}", (by_title(half.tolist(), titles, blend), reciprocal_rank)
    for part, holdout in users.items():
        yield f"title, user, {part}", (by_user(held, holdout, title_asker(titles), rng), reciprocal_rank)
    ask = topic_asker(held.evidence.catalog, titles, content)
    for part, holdout in users.items():
        yield f"topic, user, {part}", (of_topic(by_user(held, holdout, ask, rng), content), ndcg_at_10)


def titles_of(catalog: Catalog) -> list[str]:
    """The titles of items, empty where there is none."""
    titles = [catalog.title(item) for item in range(len(catalog))]
    return ["" if title == item_id else title for title, item_id in zip(titles, catalog.item_ids, strict=True)]


def by_title(items: Sequence[int], titles: Sequence[str], blend: Blend) -> Questions:
    """Somebody of whom nothing is known looks for a title."""
    size = len(titles)
    level = blend.score(csr_array(np.zeros((1, size), dtype=np.float32)), {})
    targets = np.zeros((len(items), size), dtype=np.bool_)
    targets[np.arange(len(items)), items] = True
    queries = [query_words(titles[item], {}, 0) for item in items]
    return Questions(queries, np.repeat(level, len(items), axis=0), np.zeros_like(targets), targets, targets)


Asker = Callable[[int, np.random.Generator], str]


def title_asker(titles: Sequence[str]) -> Asker:
    return lambda item, _: titles[item]


def topic_asker(catalog: Catalog, titles: Sequence[str], content: Content) -> Asker:
    """Draws one of an item's categories, or, without any, a word of its title that finds something."""
    kinds = {name: recognise(cells, rarest=2).kind for name, cells in catalog.attributes.items()}
    columns = [catalog.attributes[name] for name, kind in kinds.items() if kind in ("category", "values")]

    def ask(item: int, rng: np.random.Generator) -> str:
        values = [value for cells in columns for value in (cells[item] or "").split("|") if value]
        if values:
            return str(rng.choice(values))
        words = query_words(titles[item], {}, 0)
        found = sorted(set(words) - set(content.unmatched(words)))
        return str(rng.choice(found)) if found else ""

    return ask


def by_user(held: Contest, users: Holdout, ask: Asker, rng: np.random.Generator) -> Questions:
    """Users look for some of the items they withhold, one at a time."""
    scores = held.blends["edlae"].score(users.fold_in, of_rows(held.evidence.attributes, users.rows))
    withheld = users.targets.toarray() > 0
    pairs = [
        (user, int(item))
        for user in range(len(users))
        for item in rng.permutation(np.flatnonzero(withheld[user]))[:TARGETS_PER_USER]
    ]
    rows = np.array([user for user, _ in pairs], dtype=np.intp)
    targets = np.zeros((len(pairs), scores.shape[1]), dtype=np.bool_)
    targets[np.arange(len(pairs)), [item for _, item in pairs]] = True
    queries = [query_words(ask(item, rng), {}, 0) for _, item in pairs]
    return Questions(queries, scores[rows], (users.fold_in.toarray() != 0)[rows], targets, withheld[rows])


def of_topic(asked: Questions, content: Content) -> Questions:
    """Those whose query finds anything; to find are all items withheld that have all of its words."""
    having = np.array([has_all(words, content) for words in asked.queries])
    targets = asked.withheld & having
    return replace(asked, targets=targets).where(targets.any(axis=1))


def has_all(words: Sequence[str], content: Content) -> NDArray[np.bool_]:
    """Which items have all words of a query that are in any, (items,)."""
    places = [
        content.words.vocabulary[stem] for stem in stems_of(words, content.language) if stem in content.words.vocabulary
    ]
    having = content.words.weights[places].toarray() > 0
    return np.asarray(having.all(axis=0) & bool(places))


def contenders(asked: Questions, content: Content) -> Iterable[Scores]:
    """The scores of BM25, of the model, and of both for each of `WEIGHTS`; what was seen is left out."""
    yield left_out(content.words.score([stems_of(words, content.language) for words in asked.queries]), asked)
    yield left_out(asked.others, asked)
    relevance = content.relevance(asked.queries)
    for weight in WEIGHTS:
        yield left_out(asked.others + query_term(relevance, asked.others, weight), asked)


def left_out(scores: Scores, asked: Questions) -> Scores:
    return np.where(asked.hidden, np.float32(-np.inf), scores)


def reciprocal_rank(scores: Scores, asked: Questions) -> float:
    """The mean of one over the place of the item to find; equal scores share the mean of their places."""
    rows, items = asked.targets.nonzero()
    own = scores[rows, items][:, None]
    before, equal = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
    return float((1 / (1 + before + (equal - 1) / 2)).mean())


def ndcg_at_10(scores: Scores, asked: Questions) -> float:
    targets = csr_array(asked.targets.astype(np.float32))
    return float(ndcg(hits_of(top_k(scores, CUTOFF), targets, CUTOFF), relevant_of(targets)).mean())


if __name__ == "__main__":
    main()
