"""A PostgreSQL store that is cut off from its server, waits for others, or has it stop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Interactions
from foldin.errors import StoreError
from foldin.store.contract import Batch
from foldin.store.opening import open_store
from foldin.store.postgres import session
from foldin.store.postgres.store import PostgresStore
from tests.store.postgres_server import PostgresServer, schema_in


@pytest.fixture(scope="module")
def postgres_server(unlucky_postgres_server: PostgresServer) -> PostgresServer:
    return unlucky_postgres_server


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    return postgres_server.new_url()


@pytest.fixture
def log(log_of: Callable[..., Interactions]) -> Interactions:
    return log_of([("ann", "x")] * 3)


def cut(server: PostgresServer) -> int:
    """Ends all connections but its own, as an administrator may."""
    with closing(server.connected()) as connection:
        query = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'foldin'"
        return len(connection.execute(query).fetchall())


def test_a_connection_cut_between_calls_goes_unnoticed(
    url: str, log: Interactions, postgres_server: PostgresServer
) -> None:
    with open_store(url, create=True) as store:
        store.ingest([Batch(log, "a")])
        assert cut(postgres_server) == 1
        assert store.summary().events == 3
        assert cut(postgres_server) == 1
        assert store.ingest([Batch(log, "b")]).events == 3
        assert store.sources() == {"a": 3, "b": 3}


def test_a_connection_cut_in_a_transaction_stores_it_once(
    url: str, log: Interactions, postgres_server: PostgresServer
) -> None:
    attempts = []

    def work(connection: session.Connection) -> None:
        attempts.append(connection.execute("UPDATE arrivals SET next = next + 1").rowcount)
        if len(attempts) == 1:
            cut(postgres_server)
            connection.execute("UPDATE arrivals SET next = next + 1")

    with PostgresStore(url, create=True) as store:
        store._session.write(work, first="SELECT")
        assert (len(attempts), store.summary().position) == (2, 1)


def test_without_its_server_a_store_says_so_and_goes_on_when_it_is_back(
    url: str, log: Interactions, postgres_server: PostgresServer
) -> None:
    with open_store(url, create=True) as store:
        store.ingest([Batch(log, "a")])
        postgres_server.stop()
        try:
            for call in (lambda: store.ingest([Batch(log, "b")]), store.summary):
                with pytest.raises(StoreError, match="no connection, and nothing was stored; check that the server"):
                    call()
        finally:
            postgres_server.start()
        assert store.ingest([Batch(log, "c")]).events == 3
        assert store.sources() == {"a": 3, "c": 3}


def test_a_connection_broken_during_the_commit_says_that_nobody_knows(
    url: str, log: Interactions, postgres_server: PostgresServer
) -> None:
    batch = Batch(log, "a", ["e1", "e2", "e3"])
    with PostgresStore(url, create=True) as store, closing(postgres_server.connected()) as connection:
        # a trigger that runs within the commit, and has its own connection ended there
        connection.execute(f"SET search_path = {schema_in(url)}")
        connection.execute("""
            CREATE FUNCTION fall() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER fall AFTER UPDATE ON arrivals DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION fall();
        """)
        with pytest.raises(StoreError, match="broke during the commit, and whether this was stored is not known"):
            store.ingest([batch])
        connection.execute("DROP TRIGGER fall ON arrivals")
        assert store.ingest([batch]).events + store.ingest([batch]).known == 6


def test_deadlocks_reach_nobody(url: str, postgres_server: PostgresServer) -> None:
    attempts = []

    def work(connection: session.Connection) -> None:
        attempts.append(connection.execute("UPDATE arrivals SET next = next + 1").rowcount)
        if len(attempts) == 1:
            connection.execute("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$")

    with PostgresStore(url, create=True) as store:
        store._session.write(work, first="SELECT")
        assert (len(attempts), store.summary().position) == (2, 1)


def test_a_writer_that_waited_too_long_says_so(
    url: str, log: Interactions, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "PATIENCE", 20)
    with open_store(url, create=True) as store, closing(postgres_server.connected()) as connection:
        connection.execute("BEGIN")
        connection.execute(f"LOCK TABLE {schema_in(url)}.arrivals IN EXCLUSIVE MODE")
        with pytest.raises(StoreError, match="another process has been writing for too long; try again"):
            store.put_catalog(Catalog(ids_of(["x"])))
        assert store.summary().events == 0
        connection.execute("ROLLBACK")
        store.put_catalog(Catalog(ids_of(["x"])))
