"""The same three events in every kind of database."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import duckdb
import pytest

if TYPE_CHECKING:
    from tests.store.postgres_server import PostgresServer

TABLES = """
CREATE TABLE events (event_id VARCHAR, user_id BIGINT, item_id VARCHAR, rating DOUBLE PRECISION, moment {moment},
     seq BIGINT);
INSERT INTO events VALUES ('e1', 1, 'x', 4, '2024-01-01 01:00:00+01:00', 1);
INSERT INTO events VALUES ('e2', 2, 'é%', NULL, '2024-01-02 00:00:00+00:00', 2);
INSERT INTO events VALUES ('e3', 1, 'y', 2.5, '2024-01-03 00:00:00.5+00:00', 3);
CREATE TABLE items (id VARCHAR, title VARCHAR, price DOUBLE PRECISION);
INSERT INTO items VALUES ('x', 'Chess', 1.5);
INSERT INTO items VALUES ('y', NULL, 3);
CREATE TABLE people (id BIGINT, role VARCHAR);
INSERT INTO people VALUES (2, 'nurse');
INSERT INTO people VALUES (1, 'cook');
"""


@pytest.fixture(
    params=["sqlite:///", "duckdb:///", "postgresql://", "sqlite+pysqlite:///", "postgresql+psycopg://"],
    scope="session",
)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database with the tables; not to be written to."""
    folder = tmp_path_factory.mktemp("database")
    kind = str(request.param)
    if kind.startswith("postgresql"):
        return kind + _postgres(request.getfixturevalue("postgres_server"), f"tables{len(kind)}")
    return kind + (_duckdb if kind.startswith("duckdb") else _sqlite)(folder / "events.db")


@pytest.fixture
def sqlite_of(tmp_path: Path) -> Callable[[str], str]:
    """Makes a SQLite database by a script, and gives its URL."""

    def made(script: str) -> str:
        with closing(apsw.Connection(str(tmp_path / "made.db"))) as connection:
            connection.execute(script)
        return f"sqlite:///{tmp_path}/made.db"

    return made


def _sqlite(file: Path) -> str:
    with closing(apsw.Connection(str(file))) as connection:
        connection.execute(TABLES.format(moment="TEXT"))
    return str(file)


def _duckdb(file: Path) -> str:
    with closing(duckdb.connect(str(file))) as connection:
        connection.execute(TABLES.format(moment="TIMESTAMPTZ")).fetchall()
    return str(file)


def _postgres(server: PostgresServer, name: str) -> str:
    with closing(server.connected()) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    with closing(server.connected(name)) as connection:
        connection.execute(TABLES.format(moment="TIMESTAMPTZ").encode())
    return server.url(name).partition("://")[2]
