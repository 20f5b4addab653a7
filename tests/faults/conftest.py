from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.profiles import Profiles
from foldin.store.opening import open_store
from tests.faults.batches import batch_of
from tests.faults.failing_disk import FailingDisk


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    """A store that is there, and empty."""
    place = new_url()
    open_store(place, create=True).close()
    return place


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with some of everything in it, one user forgotten."""
    folder = tmp_path_factory.mktemp("template")
    with open_store(f"sqlite:///{folder}/store.sqlite", create=True) as store:
        store.ingest([batch_of("before", 5), batch_of("first", 40)], catalog=Catalog(ids_of(["z"])))
        store.put_profiles(Profiles(ids_of(["user 1"]), {"role": ids_of(["guest"])}))
        store.forget("user 99")
    return folder / "store.sqlite"


@pytest.fixture
def copied(template: Path, tmp_path: Path) -> Callable[[], str]:
    """Gives the URL of another copy of the template at every call."""
    numbers = count()

    def copy() -> str:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        shutil.copy(template, folder)
        return f"sqlite:///{folder}/store.sqlite"

    return copy


@pytest.fixture
def disk() -> Iterator[FailingDisk]:
    with FailingDisk() as failing:
        yield failing
