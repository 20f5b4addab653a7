"""What diversity costs and brings: `python -m benchmarks.diversity`, on the simulated labs; under a minute.

EDLAE with the prior, by strong generalisation on the demo's world; test users, top 10. `alike`: the mean cosine of two
items of the same ranking, by their words; `topics`: different ones in a ranking; `coverage`: the share of items that
anybody is shown.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from foldin.contest import contest
from foldin.data.catalog import Catalog
from foldin.data.synthetic import simulate
from foldin.evaluation.significance import standard_error
from foldin.models.ease import EDLAE
from foldin.ranking.diversity import CANDIDATES, diverse
from foldin.ranking.metrics import hits_of, ndcg, relevant_of
from foldin.ranking.top_k import Rankings, masked, top_k

K = 10
TRIED = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)


def main() -> None:
    world = simulate()
    result = contest(world.events, {"edlae": EDLAE()}, catalog=world.catalog, profiles=world.profiles)
    users, content = result.split.test.ranked(), result.evidence.content
    assert content is not None
    scores = masked(np.array(result.scores("edlae", users)(slice(None))), users.fold_in)
    longer = top_k(scores, CANDIDATES * K)
    print("| diversity | NDCG@10 | alike | topics | coverage |\n|---|---|---|---|---|")
    for diversity in TRIED:
        shown = diverse(longer, content.vectors, K, diversity)
        gains = ndcg(hits_of(shown, users.targets, K), relevant_of(users.targets))
        columns = (
            f"{diversity:g}",
            f"{gains.mean():.3f} ± {standard_error(gains):.3f}",
            f"{alike(shown, content.vectors):.2f}",
            f"{topics(shown, result.evidence.catalog):.1f}",
            f"{len(np.unique(shown.items)) / scores.shape[1]:.2f}",
        )
        print(f"| {' | '.join(columns)} |")


def alike(rankings: Rankings, vectors: csr_array) -> float:
    """The mean cosine of two items of the same ranking."""
    pairs = []
    for items, _ in rankings:
        cosines = (vectors[items] @ vectors[items].T).toarray()
        pairs.append((cosines.sum() - np.trace(cosines)) / (len(items) * (len(items) - 1)))
    return float(np.mean(pairs))


def topics(rankings: Rankings, catalog: Catalog) -> float:
    """How many different topics a ranking holds, on average."""
    named = [set((cell or "").split("|")) for cell in catalog.attributes["topics"]]
    return float(np.mean([len(set.union(*(named[item] for item in items))) for items, _ in rankings]))


if __name__ == "__main__":
    main()
