from __future__ import annotations

import pytest

from foldin.data.synthetic import World, simulate


@pytest.fixture(scope="session")
def world() -> World:
    return simulate(users=1200, items=132, seed=3)
