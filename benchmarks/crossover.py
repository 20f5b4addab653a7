"""From which share of stored cells a dense product beats a sparse one: for `DENSE_FROM` in models/item_weights.py.

`python -m benchmarks.crossover`, in a quiet moment: the dense product takes all cores, the sparse one takes one.
"""

from __future__ import annotations

from functools import partial

from scipy.sparse import csr_array

from benchmarks.measuring import fastest
from benchmarks.worlds import skewed_histories
from foldin.models import item_weights, linear
from foldin.models.ease import EASE

USERS, ITEMS = 2_000, 3_500
SHARES = (0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2)
ROUNDS = 12
ALWAYS, NEVER = 0.0, 1.1


def main() -> None:
    model = EASE().fit(skewed_histories(USERS, ITEMS, 100))
    print("stored   sparse     dense   sparse / dense")
    for share in SHARES:
        histories = skewed_histories(USERS, ITEMS, share * ITEMS)
        sparse, dense = fastest(
            ROUNDS, partial(score, model, histories, NEVER), partial(score, model, histories, ALWAYS)
        )
        print(f"{share:6.1%} {sparse:6.3f} s  {dense:6.3f} s   {sparse / dense:6.2f}", flush=True)


def score(model: linear.LinearAutoEncoder, histories: csr_array, dense_from: float) -> None:
    """The model's scores, with another crossover."""
    item_weights.DENSE_FROM = dense_from
    model.score(histories)


if __name__ == "__main__":
    main()
