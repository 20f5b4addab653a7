from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from foldin.data.splitting import Holdout


@pytest.fixture(scope="session")
def histories() -> csr_array:
    """30 users by 12 items, of two tastes, with an empty history among them."""
    rng = np.random.default_rng(4)
    cells = rng.random((30, 12)) < np.where((np.arange(30)[:, None] + np.arange(12)) % 2, 0.1, 0.6)
    cells[7] = False
    return csr_array(cells.astype(np.float32))


@pytest.fixture(scope="session")
def holdout() -> Holdout:
    """16 users who are shown two items of their taste and are to find the others."""
    rows, columns = np.arange(16)[:, None], np.arange(12)
    taste = (rows + columns) % 2 == 0
    shown = taste & (columns // 2 == rows % 5)
    return Holdout(np.arange(16), *(csr_array(part.astype(np.float32)) for part in (shown, taste & ~shown)))
