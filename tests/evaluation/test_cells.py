"""Cells on a checkerboard: even users like even items, and one item tells which users are even."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.catalog import ids_of
from foldin.data.feedback import Feedback, FeedbackRule
from foldin.data.profiles import Profiles
from foldin.data.splitting import Holdout
from foldin.errors import ConfigurationError, DataError
from foldin.evaluation.cells import Cell, Contender, cells, cells_as_json, differences
from foldin.evaluation.scoring import Score, model_scores
from foldin.evaluation.segments import Segments, segments_of
from foldin.evaluation.significance import holm
from foldin.models.ease import EASE
from foldin.models.popularity import Popularity
from foldin.models.protocols import Model
from foldin.ranking.metrics import popularity_of

ITEMS = 12
LIKED = FeedbackRule(Feedback()).positive
TOP_TEN = 1 / np.log2(np.arange(2, 12))


def board(users: int) -> NDArray[np.float32]:
    cells: NDArray[np.float32] = (np.arange(users)[:, None] % 2 == np.arange(ITEMS) % 2).astype(np.float32)
    return cells


TRAIN = csr_array(board(20))
POPULARITY = popularity_of(TRAIN)


def holdout(users: int = 40) -> Holdout:
    """Users who are shown 4 of their 6 items; the others are to be found."""
    shown = board(users) * (np.arange(ITEMS) < 8)
    return Holdout(np.arange(users), csr_array(shown), csr_array(board(users) - shown))


def by_parity() -> Segments:
    users = ids_of(str(user) for user in range(40))
    parity = ids_of("odd" if user % 2 else "even" for user in range(40))
    return segments_of(Profiles(users, {"parity": parity}), "parity", users, np.arange(40))


class Counting:
    """A contender that remembers how many users it was asked for."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.asked: list[int] = []

    def __call__(self, holdout: Holdout) -> Score:
        self.asked.append(len(holdout))
        return model_scores(self.model, holdout)


def contenders() -> dict[str, Contender]:
    return {
        "popularity": partial(model_scores, Popularity().fit(TRAIN)),
        "ease": partial(model_scores, EASE(l2=1).fit(TRAIN)),
    }


def compared(
    lengths: tuple[int, ...] = (0, 1, 2, 3), segments: Segments | None = None, users: int = 40, seed: int = 0
) -> list[Cell]:
    return cells(
        contenders(),
        holdout(users),
        popularity=POPULARITY,
        liked=LIKED,
        lengths=lengths,
        segments=segments,
        metrics=("ndcg@10",),
        seed=seed,
    )


def means(cells: list[Cell], name: str) -> list[float]:
    return [cell.comparison.of(name).mean("ndcg@10") for cell in cells]


def test_nothing_is_known_without_an_item_and_everything_with_one() -> None:
    found = compared()
    assert [(cell.length, cell.segment, len(cell)) for cell in found] == [
        (length, None, 40) for length in (0, 1, 2, 3, None)
    ]
    # without any item all score alike, and the catalogue's order puts every second item of one's own on top
    even, odd = TOP_TEN[::2].sum() / TOP_TEN[:6].sum(), TOP_TEN[1::2].sum() / TOP_TEN[:6].sum()
    assert means(found, "ease") == pytest.approx([(even + odd) / 2, 1, 1, 1, 1])
    assert means(found, "popularity")[0] == pytest.approx((even + odd) / 2)
    assert max(means(found, "popularity")) < 0.9


def test_segments_are_judged_at_each_length() -> None:
    found = compared(lengths=(0, 2), segments=by_parity())
    assert [(cell.length, cell.segment, len(cell)) for cell in found] == [
        (length, *part) for length in (0, 2, None) for part in ((None, 40), ("even", 20), ("odd", 20))
    ]
    whole, even, odd = means(found, "ease")[:3]
    assert even == pytest.approx(TOP_TEN[::2].sum() / TOP_TEN[:6].sum())
    assert odd == pytest.approx(TOP_TEN[1::2].sum() / TOP_TEN[:6].sum())
    assert whole == pytest.approx((even + odd) / 2)
    assert found[1].rows.tolist() == list(range(0, 40, 2))
    assert found[1].comparison.of("ease").standard_error("ndcg@10") == pytest.approx(0, abs=1e-12)


def test_users_are_scored_once_for_each_length_whatever_the_segments() -> None:
    counting = Counting(EASE(l2=1).fit(TRAIN))
    told: list[int | None] = []
    cells(
        {"ease": counting},
        holdout(),
        popularity=POPULARITY,
        liked=LIKED,
        lengths=(3, 0),
        segments=by_parity(),
        on_length=told.append,
    )
    assert counting.asked == [40, 40, 40]
    assert told == [0, 3, None]


def test_lengths_that_nobody_has_are_left_out() -> None:
    assert [cell.length for cell in compared(lengths=(4, 5))] == [4, None]


def test_segments_that_nobody_of_is_left_are_left_out() -> None:
    shown = board(40) * (np.arange(ITEMS) < np.where(np.arange(40) % 2, 4, 8)[:, None])  # 2 items of odd users
    users = Holdout(np.arange(40), csr_array(shown), csr_array(board(40) - shown))
    segments = by_parity()
    found = cells(contenders(), users, popularity=POPULARITY, liked=LIKED, lengths=(2, 3), segments=segments)
    assert [cell.segment for cell in found if cell.length == 2] == [None, "even", "odd"]
    assert [cell.segment for cell in found if cell.length == 3] == [None, "even"]


def test_only_users_with_something_to_find_are_judged() -> None:
    shown, nothing = csr_array(board(3)), csr_array(np.zeros((3, ITEMS), dtype=np.float32))
    everything_shown = Holdout(np.arange(3), shown, nothing)
    with pytest.raises(DataError, match="no held-out users"):
        cells(contenders(), everything_shown, popularity=POPULARITY, liked=LIKED, lengths=(1,))


def test_differences_are_corrected_for_all_cells_together() -> None:
    found = compared(lengths=(0, 1), segments=by_parity())
    gaps = differences(found, "ease", "ndcg@10")
    assert [(gap.length, gap.segment) for gap in gaps] == [(cell.length, cell.segment) for cell in found]
    assert {(gap.one, gap.other) for gap in gaps} == {("ease", "popularity")}
    assert [gap.adjusted for gap in gaps] == holm([gap.p_value for gap in gaps]).tolist()
    at_one = gaps[3]
    assert (at_one.length, at_one.difference.users) == (1, 40)
    assert at_one.difference.mean == pytest.approx(1 - means(found, "popularity")[3])
    assert at_one.p_value < at_one.adjusted < 1e-6


def test_one_user_has_no_error_and_no_chance() -> None:
    (gap,) = differences(compared(lengths=(), users=1), "ease", "ndcg@10")
    assert gap.difference.users == 1
    assert np.isnan([gap.difference.standard_error, gap.p_value, gap.adjusted]).all()
    (cell,) = cells_as_json(compared(lengths=(), users=1), "ease")
    assert figures(cell, "contenders")["ease"]["ndcg@10"]["standard_error"] is None
    assert figures(cell, "differences")["ease - popularity"]["ndcg@10"]["p_value"] is None


def test_json_holds_every_cell() -> None:
    found = compared(lengths=(1,), segments=by_parity())
    read = json.loads(json.dumps(cells_as_json(found, "ease"), allow_nan=False))
    places = [(cell["history_length"], cell["segment"], cell["users"]) for cell in read]
    assert places == [(cell.length, cell.segment, len(cell)) for cell in found]
    gaps = differences(found, "ease", "ndcg@10")
    for cell, gap in zip(read, gaps, strict=True):
        assert cell["contenders"]["ease"]["ndcg@10"]["mean"] == pytest.approx(1)
        assert cell["differences"] == {
            "ease - popularity": {
                "ndcg@10": {
                    "mean": gap.difference.mean,
                    "standard_error": gap.difference.standard_error,
                    "p_value": gap.p_value,
                    "adjusted_p_value": gap.adjusted,
                }
            }
        }


def test_what_has_no_value_per_user_has_none_per_cell() -> None:
    with pytest.raises(ConfigurationError, match="coverage@10: no value per user"):
        cells(contenders(), holdout(), popularity=POPULARITY, liked=LIKED, metrics=("ndcg@10", "coverage@10"))


def figures(cell: Mapping[str, object], key: str) -> dict[str, dict[str, dict[str, object]]]:
    of_key = cell[key]
    assert isinstance(of_key, dict)
    return of_key
