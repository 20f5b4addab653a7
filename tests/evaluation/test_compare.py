from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.sparse import csr_array

from foldin.data.splitting import Holdout
from foldin.errors import ConfigurationError
from foldin.evaluation.compare import Comparison, compare, compare_ratings
from foldin.evaluation.report import Row, as_json, rating_rows, ratings_as_json, rows
from foldin.evaluation.scoring import known_scores

TARGETS = csr_array(np.array([[0, 1, 0, 0], [0, 0, 0, 1]], dtype=np.float32))
SHOWN = csr_array(np.array([[1, 0, 0, 0], [1, 0, 0, 0]], dtype=np.float32))
HOLDOUT = Holdout(np.array([0, 2]), SHOWN, TARGETS, TARGETS)
METRICS = ("mrr@3", "recall@1", "coverage@1")


def compared(best_possible: str | None = "best possible") -> Comparison:
    truth = np.array([[0, 1, 0, 0], [9, 9, 9, 9], [0, 0, 0.6, 0.5]])  # knows the chances, not the outcome
    contenders = {
        "best possible": known_scores(truth, HOLDOUT),
        "popularity": known_scores(np.array([[4, 3, 2, 1]] * 3), HOLDOUT),
    }
    return compare(contenders, HOLDOUT, popularity=np.ones(4), metrics=METRICS, best_possible=best_possible)


def test_rows_by_hand() -> None:
    best, popularity = rows(compared())
    assert best == Row(
        "best possible",
        {"mrr@3": 3 / 4, "recall@1": 1 / 2, "coverage@1": 1 / 2},
        {"mrr@3": 1 / 4, "recall@1": 1 / 2, "coverage@1": None},
        1,
    )
    assert popularity.means == pytest.approx({"mrr@3": 2 / 3, "recall@1": 1 / 2, "coverage@1": 1 / 4})
    assert popularity.standard_errors["mrr@3"] == pytest.approx(1 / 3)
    assert popularity.share_of_best == pytest.approx(8 / 9)


def test_some_metrics_only() -> None:
    popularity = rows(compared(), ("recall@1",))[1]
    assert popularity.means == {"recall@1": 0.5}
    assert popularity.share_of_best == 1
    with pytest.raises(ConfigurationError, match="'ndcg@5' was not measured"):
        rows(compared(), ("ndcg@5",))


def test_nobody_knows_the_best() -> None:
    assert [row.share_of_best for row in rows(compared(best_possible=None))] == [None, None]


def test_differences_are_paired() -> None:
    difference = compared().difference("best possible", "popularity", "mrr@3")
    assert difference.mean == pytest.approx(1 / 12)
    assert difference.users == 2


def test_json_holds_everything() -> None:
    read = json.loads(json.dumps(as_json(compared()), allow_nan=False))
    assert read["users"] == 2
    assert read["best_possible"] == "best possible"
    assert list(read["contenders"]) == ["best possible", "popularity"]
    figures = read["contenders"]["popularity"]
    assert figures["share_of_best"] == pytest.approx(8 / 9)
    assert list(figures["metrics"]) == list(METRICS)
    assert figures["metrics"]["coverage@1"] == {"mean": 0.25, "standard_error": None}


def test_ratings_have_a_table_of_their_own() -> None:
    predictors = {
        "fours": known_scores(np.full((3, 4), 4.0), HOLDOUT),
        "fives": known_scores(np.full((3, 4), 5.0), HOLDOUT),
    }
    errors = compare_ratings(predictors, HOLDOUT, 5)
    assert [(row.contender, row.rmse, row.mae, row.mae_standard_error) for row in rating_rows(errors)] == [
        ("fours", 1, 1, 0),
        ("fives", 0, 0, 0),
    ]
    read = json.loads(json.dumps(ratings_as_json(errors), allow_nan=False))
    assert read["fours"] == {"rmse": 1, "rmse_standard_error": 0, "mae": 1, "mae_standard_error": 0}


def test_progress_is_told_before_each_turn() -> None:
    told: list[str] = []
    contenders = {name: known_scores(np.ones((3, 4)), HOLDOUT) for name in ("b", "a")}
    compare(contenders, HOLDOUT, popularity=np.ones(4), metrics=METRICS, on_contender=told.append)
    assert told == ["b", "a"]


def test_wrong_contenders_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="nothing to compare"):
        compare({}, HOLDOUT, popularity=np.ones(4))
    with pytest.raises(ConfigurationError, match="no contender 'oracle'; there are: best possible, popularity"):
        compared(best_possible="oracle")
    with pytest.raises(ConfigurationError, match="no contender 'ease'"):
        compared().of("ease")
