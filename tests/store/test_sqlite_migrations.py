"""Files of earlier versions are opened, brought up to date, and lose nothing."""

from __future__ import annotations

from pathlib import Path

import apsw
import numpy as np
import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Interactions
from foldin.errors import ConflictError
from foldin.store.contract import Batch, ClickThrough, Impression, Summary
from foldin.store.schema import APPLICATION_ID, MIGRATIONS
from foldin.store.sqlite import SqliteStore

CONTENT_OF_THE_FIRST = """
INSERT INTO users VALUES (1, 'nle', NULL), (2, 'ann', '{"role":"admin"}'), (5, 'bob', '{}');
INSERT INTO items VALUES (1, 'x', '{"title":"X"}', 0), (2, 'seen', NULL, NULL);
INSERT INTO kinds VALUES (1, 'view');
INSERT INTO sources VALUES (1, 'a.csv'), (2, 'b.csv'), (3, 'empty.csv');
INSERT INTO events (user, seq, item, kind, value, time, event_id, source) VALUES
    (1, 0, 1, 1, 4.5, 20, 'e1', 1), (1, 2, 2, NULL, NULL, NULL, NULL, 2), (2, 1, 1, NULL, NULL, -5, 'e2', 1);
UPDATE arrivals SET next = 3;
"""


def file_of_version(path: Path, version: int) -> Path:
    """A store as a former foldin left it; what later versions have in addition is empty."""
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "wal")
    for number, script in enumerate(MIGRATIONS[:version]):
        connection.execute(script).fetchall()
        if number == 0:
            connection.execute(CONTENT_OF_THE_FIRST).fetchall()
    connection.pragma("application_id", APPLICATION_ID)
    connection.pragma("user_version", version)
    connection.close()
    return path


@pytest.fixture(params=range(1, len(MIGRATIONS) + 1))
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return file_of_version(tmp_path / "store.sqlite", request.param)


def test_nothing_is_lost(path: Path) -> None:
    with SqliteStore(path) as store:
        assert store._connection.pragma("user_version") == len(MIGRATIONS)
        log = store.interactions()
        assert (list(log.user_ids), list(log.item_ids), len(log)) == (["ann", "nle"], ["seen", "x"], 3)
        history = store.history("nle")
        assert (history.item_ids, history.kinds) == (("seen", "x"), (None, "view"))
        assert store.catalog().item(0) == {"title": "X"}
        assert store.user_ids() == ["ann", "bob", "nle"]
        assert store.profiles().profile("ann") == {"role": "admin"}
        assert store.sources() == {"a.csv": 2, "b.csv": 1, "empty.csv": 0}
        assert store.summary() == Summary(3, 2, 3, 3, -5, 20, forgotten=0, position=3)


def test_what_is_new_works_on_what_was_there(path: Path, log_of_one: Interactions) -> None:
    with SqliteStore(path) as store:
        assert store.cursor("a.csv") is None
        with pytest.raises(ConflictError, match="'e2'"):
            store.ingest([Batch(log_of_one, "c", ["e2"])])
        assert store.ingest([Batch(log_of_one, "a.csv", digest="d", cursor="1")]).events == 1
        assert store.sources()["a.csv"] == 3
        assert store.forget("ann").events == 1
        assert store.forgotten_since(3) == 1
        assert store.summary() == Summary(3, 3, 3, 3, 20, 20, forgotten=1, position=5)


def test_what_is_shown_from_then_on_is_remembered(path: Path, log_of_one: Interactions) -> None:
    with SqliteStore(path) as store:
        assert store.click_through() == []
        store.show([Impression("r", "new", "1-ease", 0, ("x", "y"))])
        store.ingest([Batch(log_of_one, "a.csv", recommendation_ids=["r"])])
        assert store.click_through() == [ClickThrough("1-ease", 1, 1, 0), ClickThrough("1-ease", 2, 1, 1)]


def test_what_the_catalogue_gets_from_then_on_is_counted(path: Path) -> None:
    with SqliteStore(path) as store:
        before = store.catalog_version()
        store.put_catalog(Catalog(ids_of(["x", "y"])))
        assert store.catalog_version() > before
        assert store.catalog().item_ids.tolist() == ["x", "y"]


def test_every_way_leads_to_the_same_schema(path: Path, tmp_path: Path) -> None:
    schemas = []
    SqliteStore(tmp_path / "new.sqlite", create=True).close()
    for file in (path, tmp_path / "new.sqlite"):
        SqliteStore(file).close()
        connection = apsw.Connection(str(file))
        schemas.append(connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").fetchall())
        connection.close()
    assert schemas[0] == schemas[1]


@pytest.fixture
def log_of_one() -> Interactions:
    code = np.zeros(1, dtype=np.int32)
    return Interactions(ids_of(["new"]), code, ids_of(["y"]), code)
