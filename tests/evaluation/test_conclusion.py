from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel

from foldin.errors import ConfigurationError
from foldin.evaluation.compare import Comparison
from foldin.evaluation.conclusion import conclude
from foldin.evaluation.evaluate import Evaluation


def compared(means: dict[str, float], *, best_possible: str | None = None, users: int = 50) -> Comparison:
    """Contenders of these means, whose users differ from each other's by .1, give or take."""
    rng = np.random.default_rng(0)
    hard = rng.random(users)
    values = {name: hard + rng.normal(0, 0.1, users) for name in means}
    return Comparison(
        {name: Evaluation({"ndcg@10": of - of.mean() + means[name]}, {}) for name, of in values.items()}, best_possible
    )


@pytest.mark.parametrize(
    ("means", "said"),
    [
        ({"popularity": 0, "ease": 0.5, "edlae": 1}, "edlae is best by NDCG@10: 1.000, above ease and popularity."),
        (
            {"popularity": 0, "ease": 1.01, "edlae": 1},
            "ease is best by NDCG@10: 1.010, above popularity; edlae is not distinguishable from it.",
        ),
        ({"a": 0, "b": 0.01}, "b has the highest NDCG@10, 0.010, but a is not distinguishable from it."),
        (
            {"popularity": 0, "a": 0, "b": 0.01},
            "b has the highest NDCG@10, 0.010, but none of the others, not even popularity, "
            "is distinguishable from it.",
        ),
        ({"a": 0.25}, "a has NDCG@10 0.250; it was compared with nothing."),
        (
            {"z": 9, "a": 5, "b": 4, "c": 3, "d": 2, "e": 1},
            "z is best by NDCG@10: 9.000, above a, b, c and 2 others.",
        ),
    ],
)
def test_what_a_comparison_says(means: dict[str, float], said: str) -> None:
    assert conclude(compared(means), "ndcg@10").sentence() == said


def test_the_lead_is_tested_for_all_pairs() -> None:
    comparison = compared({"popularity": 0, "ease": 0.95, "edlae": 1})
    found = conclude(comparison, "ndcg@10")
    assert [gap.other for gap in found.gaps] == ["ease", "popularity"]
    edlae, ease = (comparison.of(name).values("ndcg@10") for name in ("edlae", "ease"))
    assert found.gaps[0].p_value == pytest.approx(ttest_rel(edlae, ease).pvalue)  # the greatest of three counts once
    assert found.gaps[1].p_value < 1e-10


def test_a_small_lead_among_many_is_none() -> None:
    comparison = compared({"a": 0.0, "b": 0.05, "c": 0.0})
    lead = conclude(comparison, "ndcg@10").gaps[0]
    alone = ttest_rel(comparison.of("b").values("ndcg@10"), comparison.of(lead.other).values("ndcg@10")).pvalue
    assert lead.p_value == pytest.approx(3 * alone)  # the smallest of three counts three times


def test_who_knows_the_truth_takes_no_part() -> None:
    found = conclude(compared({"truth": 5, "ease": 1, "popularity": 0}, best_possible="truth"), "ndcg@10")
    assert (found.best, found.below, found.tied) == ("ease", ["popularity"], [])
    with pytest.raises(ConfigurationError, match="nothing to compare"):
        conclude(compared({"truth": 5}, best_possible="truth"), "ndcg@10")


def test_one_user_tells_no_models_apart() -> None:
    said = conclude(compared({"a": 0, "b": 1}, users=1), "ndcg@10").sentence()
    assert said.endswith("of one test user: too few to tell models apart.")
