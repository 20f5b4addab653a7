from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from foldin.store.contract import Store
from foldin.store.opening import open_store


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    return new_url()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url, create=True) as opened:
        yield opened
