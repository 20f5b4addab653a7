"""What metrics are called where people read them."""

from __future__ import annotations

__all__ = ["title_of"]

TITLES = {
    "ndcg": "NDCG",
    "recall_capped": "Recall, of min(k, n)",
    "recall": "Recall, of n",
    "precision": "Precision",
    "hit_rate": "Hit rate",
    "map": "MAP",
    "mrr": "MRR",
    "novelty": "Novelty, bits",
    "popularity": "Mean popularity",
    "coverage": "Coverage",
    "gini": "Gini",
}


def title_of(metric: str) -> str:
    """A metric's name as people write it: "Recall@20, of n" for "recall@20"."""
    name, _, cutoff = metric.partition("@")
    title, comma, rest = TITLES.get(name, name).partition(",")
    return f"{title}@{cutoff}{comma}{rest}"
