from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.splitting import Holdout
from foldin.models.validation import heldout_error, heldout_qualities, heldout_quality

SCORES = np.random.default_rng(1).random((1200, 6)).astype(np.float32)
CELLS = np.random.default_rng(2).choice(3, (1200, 6), p=[0.4, 0.3, 0.3])
CELLS[:, 0], CELLS[:, 1] = 1, 2
HOLDOUT = Holdout(np.arange(1200), *(csr_array(np.equal(CELLS, kind).astype(np.float32)) for kind in (1, 2)))


class Known:
    """Scores by the user's number, hidden in the value of the first item."""

    def score(self, histories: csr_array) -> NDArray[np.float32]:
        scores: NDArray[np.float32] = SCORES[histories.toarray()[:, 0].astype(int)]
        return scores

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        return {}


def numbered() -> Holdout:
    shown = HOLDOUT.fold_in.toarray()
    shown[:, 0] = np.arange(1200)
    shown[0, 0] = 1e-9
    return replace(HOLDOUT, fold_in=csr_array(shown))


def ndcg_by_hand(user: int) -> float:
    order = sorted(np.flatnonzero(CELLS[user] != 1), key=lambda item: -SCORES[user, item])
    gains = [1 / np.log2(rank + 2) for rank, item in enumerate(order) if CELLS[user, item] == 2]
    return float(sum(gains) / sum(1 / np.log2(rank + 2) for rank in range(int((CELLS[user] == 2).sum()))))


def test_quality_is_the_mean_ndcg_of_what_was_not_shown() -> None:
    assert heldout_quality(Known(), numbered()) == pytest.approx(np.mean([*map(ndcg_by_hand, range(1200))]), rel=1e-9)


def test_qualities_are_of_each_user_with_something_to_find() -> None:
    targets = HOLDOUT.targets.toarray()
    targets[[0, 700, 1199]] = 0
    some = replace(numbered(), targets=csr_array(targets))
    wanted = [ndcg_by_hand(user) for user in range(1200) if user not in (0, 700, 1199)]
    assert heldout_qualities(Known(), some) == pytest.approx(np.array(wanted), rel=1e-9)
    assert heldout_qualities(Known(), some.where(np.array([0, 700]))).shape == (0,)


def test_error_on_withheld_ratings_only() -> None:
    ratings = HOLDOUT.targets * np.float32(0.5)
    holdout = replace(numbered(), ratings=ratings)
    expected = np.square(SCORES[CELLS == 2] - 0.5, dtype=np.float64).mean()
    assert heldout_error(Known(), holdout, 0) == pytest.approx(expected, rel=1e-6)


def test_error_on_all_cells() -> None:
    class Constant(Known):
        def score(self, histories: csr_array) -> NDArray[np.float32]:
            return np.full(histories.shape, 0.25, dtype=np.float32)

    known, unknown = (CELLS > 0).sum(), (CELLS == 0).sum()
    expected = (known * 0.75**2 + 0.3 * unknown * 0.25**2) / (known + 0.3 * unknown)
    assert heldout_error(Constant(), HOLDOUT, 0.3) == pytest.approx(expected, rel=1e-6)
