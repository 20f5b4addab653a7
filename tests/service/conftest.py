from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Interactions
from foldin.fitting import fit
from foldin.models.ease import EASE
from foldin.recommender import Recommender
from foldin.store.contract import Batch
from foldin.workspace import SETTINGS, Workspace, create_workspace, open_workspace
from tests.service.server import Server, serving
from tests.store.postgres_server import PostgresServer


@pytest.fixture(scope="session")
def fitted(checkerboard: Interactions) -> Recommender:
    """EASE on the checkerboard, with titles and topics."""
    titles = ids_of([f"Item {item_id}" for item_id in checkerboard.item_ids])
    topics = ids_of(["even" if int(item_id[1:]) % 2 == 0 else "odd" for item_id in checkerboard.item_ids])
    catalog = Catalog(checkerboard.item_ids, {"title": titles, "topics": topics})
    return fit(checkerboard, estimator=EASE(l2=1), catalog=catalog)


@pytest.fixture(scope="session")
def new_workspace(
    checkerboard: Interactions, fitted: Recommender, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Workspace]:
    """Makes a workspace with the checkerboard in its store, in the folder or at a URL, and one model."""

    def made(store_url: str | None = None) -> Workspace:
        workspace = create_workspace(tmp_path_factory.mktemp("workspace") / "served")
        if store_url is not None:
            (workspace.folder / SETTINGS).write_text(f'store = "{store_url}"\n', encoding="utf-8")
            workspace = open_workspace(workspace.folder)
        with workspace.store(create=True) as store:
            store.ingest([Batch(checkerboard, "tests")], catalog=fitted.catalog)
            workspace.publish(fitted)
        return workspace

    return made


@pytest.fixture(scope="session")
def server(new_workspace: Callable[[], Workspace]) -> Iterator[Server]:
    """One service for all tests that do it no harm; each uses users of its own."""
    with serving(new_workspace().folder) as running:
        yield running


@pytest.fixture(scope="session")
def server_on_postgresql(
    new_workspace: Callable[[str], Workspace], postgres_server: PostgresServer
) -> Iterator[Server]:
    """The same with its store in PostgreSQL."""
    with serving(new_workspace(postgres_server.new_url()).folder) as running:
        yield running


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """Asks the service that all share, or the one that its parameter names."""
    server: Server = request.getfixturevalue(getattr(request, "param", "server"))
    with server.client() as asking:
        yield asking


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """While this file is there, trainings wait: Python reads `sitecustomize` in every process that is started."""
    gate = tmp_path / "held"
    gate.touch()
    (tmp_path / "sitecustomize.py").write_text(
        "import pathlib, sys, time\n"
        f"while sys.argv[0:1] == ['-m'] and 'train' in sys.orig_argv and pathlib.Path({str(gate)!r}).exists():\n"
        "    time.sleep(0.02)\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    yield gate
    gate.unlink(missing_ok=True)


@pytest.fixture
def workspace(new_workspace: Callable[[], Workspace]) -> Path:
    """A workspace of the test's own."""
    return new_workspace().folder
