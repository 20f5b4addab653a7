from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from foldin.store.contract import Store
from foldin.store.opening import open_store
from tests.store.postgres_server import postgres_server

__all__ = ["postgres_server"]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Gives a place for another store at every call; a new kind of store joins the suite here."""
    if request.param == "postgresql":
        place: Callable[[], str] = request.getfixturevalue("postgres_server").new_url
        return place
    numbers = count()
    return lambda: f"sqlite:///{tmp_path}/store{next(numbers)}.sqlite"


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    return new_url()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url, create=True) as opened:
        yield opened
