from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Interactions
from foldin.fitting import fit
from foldin.models.ease import EASE
from foldin.store.contract import Batch
from foldin.workspace import Workspace, create_workspace
from tests.service.server import Server, serving


@pytest.fixture(scope="session")
def new_workspace(checkerboard: Interactions, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Workspace]:
    """Makes a workspace with the checkerboard in its store and one model."""

    def made() -> Workspace:
        workspace = create_workspace(tmp_path_factory.mktemp("workspace") / "served")
        titles = ids_of([f"Item {item_id}" for item_id in checkerboard.item_ids])
        topics = ids_of(["even" if int(item_id[1:]) % 2 == 0 else "odd" for item_id in checkerboard.item_ids])
        catalog = Catalog(checkerboard.item_ids, {"title": titles, "topics": topics})
        with workspace.store(create=True) as store:
            store.ingest([Batch(checkerboard, "tests")], catalog=catalog)
            workspace.publish(fit(checkerboard, estimator=EASE(l2=1), catalog=catalog))
        return workspace

    return made


@pytest.fixture(scope="session")
def server(new_workspace: Callable[[], Workspace]) -> Iterator[Server]:
    """One service for all tests that do it no harm; each uses users of its own."""
    with serving(new_workspace().folder) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as asking:
        yield asking


@pytest.fixture
def workspace(new_workspace: Callable[[], Workspace]) -> Path:
    """A workspace of the test's own."""
    return new_workspace().folder
