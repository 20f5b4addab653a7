from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.splitting import Holdout
from foldin.models.validation import heldout_error, heldout_quality

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


def test_quality_is_the_mean_ndcg_of_what_was_not_shown() -> None:
    total = 0.0
    for scores, cells in zip(SCORES, CELLS, strict=True):
        order = sorted(np.flatnonzero(cells != 1), key=lambda item: -scores[item])
        gains = [1 / np.log2(rank + 2) for rank, item in enumerate(order) if cells[item] == 2]
        best = sum(1 / np.log2(rank + 2) for rank in range(int((cells == 2).sum())))
        total += sum(gains) / best
    assert heldout_quality(Known(), numbered()) == pytest.approx(total / 1200, rel=1e-9)


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
