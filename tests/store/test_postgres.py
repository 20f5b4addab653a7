"""What only a PostgreSQL store can be: in a database of many, too new, or set up badly."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Thread
from time import sleep

import numpy as np
import psycopg
import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Interactions
from foldin.errors import ConfigurationError, ConflictError, DataError, NotFoundError, StoreError
from foldin.store import coded_events
from foldin.store.contract import Batch, ClickThrough, Impression, Ingested
from foldin.store.opening import open_store
from foldin.store.postgres import batches, events, schema, session
from foldin.store.postgres.schema import MIGRATIONS
from foldin.store.postgres.store import PostgresStore
from tests.service.server import until
from tests.store.postgres_server import PostgresServer, schema_in

CREATE = """
import sys
from foldin.store.opening import open_store
open_store(sys.argv[1], create=True).close()
"""


@pytest.fixture(scope="module")
def postgres_server(unlucky_postgres_server: PostgresServer) -> PostgresServer:
    return unlucky_postgres_server


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    return postgres_server.new_url()


@pytest.fixture
def log(log_of: Callable[..., Interactions]) -> Interactions:
    return log_of([("ann", "x")] * 3)


@contextmanager
def settings_of(server: PostgresServer, *settings: str) -> Iterator[None]:
    """Defaults of the database that every new connection gets."""
    with closing(server.connected()) as connection:
        for setting in settings:
            connection.execute(f"ALTER DATABASE postgres SET {setting}")
        try:
            yield
        finally:
            connection.execute("ALTER DATABASE postgres RESET ALL")


def tables(server: PostgresServer, schema: str) -> list[object]:
    with closing(server.connected()) as connection:
        query = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s) ORDER BY 1"
        return [name for (name,) in connection.execute(query, (schema,))]


def test_commits_wait_for_the_disk_whatever_the_server_says(
    url: str, log: Interactions, postgres_server: PostgresServer
) -> None:
    badly = (
        "synchronous_commit = off",
        "statement_timeout = 1",
        "lock_timeout = 1",
        "transaction_timeout = 500",
        "default_transaction_read_only = on",
    )
    with settings_of(postgres_server, *badly), PostgresStore(url, create=True) as store:
        connection = store._session._connection
        assert connection is not None
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
        assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)
        assert connection.execute("SHOW lock_timeout").fetchone() == ("200s",)
        assert connection.execute("SHOW transaction_timeout").fetchone() == ("0",)
        assert store.ingest([Batch(log, "a")]).events == 3


def test_an_older_server_that_knows_no_limit_of_transactions_is_used(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_SETTINGS", session._SETTINGS.replace("'transaction_timeout'", "'not known'"))
    with open_store(url, create=True) as store:
        assert store.summary().events == 0


def test_a_standby_is_read_and_not_written(url: str, log: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(url, create=True) as store:
        store.ingest([Batch(log, "a")])
    monkeypatch.setattr(session, "_SETTINGS", session._SETTINGS.replace("read_only = off", "read_only = on"))
    with open_store(url) as store:
        assert store.summary().events == 3
        with pytest.raises(StoreError, match="the server takes no writing"):
            store.ingest([Batch(log, "b")])


def test_a_server_without_fsync_is_refused(url: str, postgres_server: PostgresServer) -> None:
    with closing(postgres_server.connected()) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        try:
            reloaded(postgres_server, fsync="off")
            with pytest.raises(StoreError, match="runs with fsync = off and may lose what was stored; turn it on"):
                PostgresStore(url, create=True)
        finally:
            connection.execute("ALTER SYSTEM RESET fsync")
            reloaded(postgres_server, fsync="on")


def reloaded(server: PostgresServer, *, fsync: str) -> None:
    """Has the server read its settings again, until who connects finds the one that was changed."""

    def is_found() -> bool:
        with closing(server.connected()) as connection:
            connection.execute("SELECT pg_reload_conf()")
        with closing(server.connected()) as connection:
            return connection.execute("SHOW fsync").fetchone() == (fsync,)

    until(is_found)


def test_a_database_of_another_encoding_is_refused(postgres_server: PostgresServer) -> None:
    with closing(postgres_server.connected()) as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(StoreError, match="is encoded in LATIN1; create one with ENCODING 'UTF8'"):
        PostgresStore(postgres_server.url("latin"), create=True)


def test_a_store_is_made_only_where_asked_to(url: str, postgres_server: PostgresServer) -> None:
    with pytest.raises(NotFoundError, match=r"no store in PostgreSQL database postgres at "):
        open_store(url)
    assert tables(postgres_server, schema_in(url)) == []


def test_the_schema_is_foldin_unless_named(postgres_server: PostgresServer, log: Interactions) -> None:
    with closing(postgres_server.connected()) as connection:
        connection.execute("CREATE DATABASE fresh")
    plain, named = postgres_server.url("fresh"), postgres_server.url("fresh", schema="a%20%22b%22.%C3%A4")
    with open_store(plain, create=True) as one, open_store(named, create=True) as other:
        one.ingest([Batch(log, "a")])
        assert (one.summary().events, other.summary().events) == (3, 0)
    with closing(postgres_server.connected("fresh")) as connection:
        assert connection.execute("SELECT count(*) FROM foldin.events").fetchone() == (3,)
        assert connection.execute('SELECT count(*) FROM "a ""b"".ä".events').fetchone() == (0,)


def test_another_programs_schema_is_refused_and_left_alone(url: str, postgres_server: PostgresServer) -> None:
    name = schema_in(url)
    with closing(postgres_server.connected()) as connection:
        connection.execute(f"CREATE SCHEMA {name}; CREATE TABLE {name}.notes (line text)")
    with pytest.raises(StoreError, match="holds another program's tables; name another schema"):
        open_store(url, create=True)
    assert tables(postgres_server, name) == ["notes"]


def test_an_empty_schema_may_be_all_a_role_is_allowed(url: str, postgres_server: PostgresServer) -> None:
    name = schema_in(url)
    with closing(postgres_server.connected()) as connection:
        connection.execute(f"CREATE ROLE guest_{name} LOGIN; CREATE SCHEMA {name} AUTHORIZATION guest_{name}")
    as_guest = url.replace("postgres@", f"guest_{name}@")
    with open_store(as_guest, create=True) as store:
        assert store.summary().events == 0
    with pytest.raises(StoreError, match="this role may not do that; grant it the database or the schema"):
        open_store(f"{as_guest}_more", create=True)


def test_a_role_that_may_only_read_says_what_it_lacks(
    url: str, log: Interactions, postgres_server: PostgresServer
) -> None:
    with open_store(url, create=True) as store:
        store.ingest([Batch(log, "a")])
    name = schema_in(url)
    as_reader = url.replace("postgres@", f"reader_{name}@")
    with closing(postgres_server.connected()) as connection:
        connection.execute(f"CREATE ROLE reader_{name} LOGIN")
        for create in (False, True):
            with pytest.raises(StoreError, match="this role may not use the schema; grant it USAGE on it, and its tab"):
                open_store(as_reader, create=create)
        connection.execute(f"GRANT USAGE ON SCHEMA {name} TO reader_{name}")
        with pytest.raises(StoreError, match="this role may not do that"):
            open_store(as_reader)
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO reader_{name}")
    with open_store(as_reader) as store:
        assert (store.summary().events, store.catalog_version()) == (3, 0)
        with pytest.raises(StoreError, match="this role may not do that"):
            store.ingest([Batch(log, "b")])


def test_a_newer_schema_is_refused_and_left_alone(url: str, postgres_server: PostgresServer) -> None:
    open_store(url, create=True).close()
    with closing(postgres_server.connected()) as connection:
        connection.execute(f"UPDATE {schema_in(url)}.version SET number = number + 1")
    before = tables(postgres_server, schema_in(url))
    with pytest.raises(StoreError, match=r"was written by a newer foldin \(schema 4, .*upgrade foldin"):
        open_store(url, create=True)
    assert tables(postgres_server, schema_in(url)) == before


def test_every_older_schema_is_migrated_with_what_it_holds(
    postgres_server: PostgresServer, log: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = *MIGRATIONS, "CREATE TABLE one (x int); CREATE TABLE two (x int)", "INSERT INTO two VALUES (3)"
    for version in range(1, len(newer)):
        url = postgres_server.new_url()
        monkeypatch.setattr(schema, "MIGRATIONS", newer[:version])
        with PostgresStore(url, create=True) as store:
            store.ingest([Batch(log, "a")])
            fingerprint = store.fingerprint()
        monkeypatch.setattr(schema, "MIGRATIONS", newer)
        with PostgresStore(url) as store:
            assert store.fingerprint() == fingerprint
            store.show([Impression("r", None, "1-ease", 0, ("x",))])
            store.ingest([Batch(log, "a", recommendation_ids=["r"] * len(log))])
            assert store.click_through() == [ClickThrough("1-ease", 1, 1, 1)]
            before = store.catalog_version()
            store.put_catalog(Catalog(ids_of(["x"])))
            assert store.catalog_version() > before
        with closing(postgres_server.connected()) as connection:
            assert connection.execute(f"SELECT x FROM {schema_in(url)}.two").fetchall() == [(3,)]
            assert connection.execute(f"SELECT number FROM {schema_in(url)}.version").fetchall() == [(len(newer),)]


def test_a_failed_migration_leaves_the_schema_as_it_was(
    url: str, log: Interactions, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PostgresStore(url, create=True) as store:
        store.ingest([Batch(log, "a")])
        before = store.fingerprint(), tables(postgres_server, schema_in(url))
    with monkeypatch.context() as newer:
        newer.setattr(schema, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE one (x int); CREATE TABLE one (x int)"))
        with pytest.raises(StoreError, match='"one" already exists'):
            PostgresStore(url)
    with PostgresStore(url) as store:
        assert (store.fingerprint(), tables(postgres_server, schema_in(url))) == before


def test_whoever_makes_a_store_at_the_same_time_waits_and_finds_it_made(
    url: str, postgres_server: PostgresServer
) -> None:
    script = [sys.executable, "-c", CREATE, url]
    with closing(postgres_server.connected()) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (schema.LOCK, schema_in(url)))
        makers = [subprocess.Popen(script, stderr=subprocess.PIPE, text=True) for _ in range(3)]
        while waiting(connection) < len(makers):
            assert [maker.poll() for maker in makers] == [None] * len(makers), "one did not wait for its turn"
            sleep(0.01)
        connection.execute("COMMIT")
    assert [maker.communicate()[1] for maker in makers] == [""] * len(makers)
    with open_store(url) as store:
        assert store.summary().events == 0


def waiting(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    query = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    return len(connection.execute(query).fetchall())


def test_reading_goes_on_from_where_it_was_while_others_write(url: str) -> None:
    """No event is missed, for its number is given in the order of the commits."""
    codes = np.zeros(2, dtype=np.int32)

    def write(name: str) -> None:
        with open_store(url) as store:
            for number in range(15):
                log = Interactions(ids_of([f"{name} {number}"]), codes, ids_of(["x"]), codes)
                store.append([Batch(log, name)])

    with open_store(url, create=True) as store:
        writers = [Thread(target=write, args=(name,)) for name in "abc"]
        for writer in writers:
            writer.start()
        position, seen, going = 0, set[str](), True
        while going:
            going = any(writer.is_alive() for writer in writers)
            # events may come between the two; they are read again
            until = store.summary().position
            seen.update(store.interactions(since=position).user_ids)
            position = until
        assert sorted(seen) == store.user_ids()
        assert store.summary().position == 90


def test_a_reading_is_of_one_moment(url: str, log: Interactions) -> None:
    def work(connection: session.Connection) -> list[object]:
        before = connection.execute("SELECT count(*) FROM events").fetchone()
        other.ingest([Batch(log, "b")])
        return [before, connection.execute("SELECT count(*) FROM events").fetchone()]

    with PostgresStore(url, create=True) as store, open_store(url) as other:
        store.ingest([Batch(log, "a")])
        assert store._session.read(work) == [(3,), (3,)]
        assert store.summary().events == 6


def test_ids_and_names_are_in_the_order_of_code_points_whatever_the_language_of_the_database(
    url: str, postgres_server: PostgresServer
) -> None:
    # asked of the columns: the tests' server knows no language in which the order would be another
    query = """
        SELECT column_name, collation_name FROM information_schema.columns
        WHERE table_schema = %s AND column_name IN ('id', 'name', 'event_id', 'digest')
    """
    open_store(url, create=True).close()
    with closing(postgres_server.connected()) as connection:
        found = connection.execute(query, (schema_in(url),)).fetchall()
    assert sorted(found, key=str) == [(name, "C") for name in ("digest", "event_id", *["id"] * 3, *["name"] * 3)]


def test_one_batch_that_is_refused_leaves_the_others_of_its_commit(url: str, log: Interactions) -> None:
    other = Interactions(ids_of(["bob"]), log.user_codes, log.item_ids, log.item_codes)
    with open_store(url, create=True) as store:
        first, conflict, second = store.append(
            [Batch(log, "a", ["1", "2", "3"]), Batch(other, "a", ["4", "5", "1"]), Batch(log, "b")]
        )
        assert first == Ingested(events=3, known=0, forgotten=0, new_users=1, new_items=1)
        assert isinstance(conflict, ConflictError)
        assert second == Ingested(events=3, known=0, forgotten=0, new_users=0, new_items=0)
        assert store.user_ids() == ["ann"]


def test_event_ids_are_indexed_once_there_are_any(url: str, log: Interactions, postgres_server: PostgresServer) -> None:
    with open_store(url, create=True) as store:
        store.ingest([Batch(log, "a"), Batch(log, "a", [None, None, None])])
        assert isinstance(store.append([Batch(log, "a", ["1", "2", "2" * 3_000])])[0], DataError)
        assert "events_by_id" not in tables(postgres_server, schema_in(url))
        assert store.ingest([Batch(log, "a", ["1", "2", None])]).events == 3
        assert "events_by_id" in tables(postgres_server, schema_in(url))
        assert store.ingest([Batch(log, "b", ["2", "3", "1"])]).known == 2
    insert = f"INSERT INTO {schema_in(url)}.events VALUES (1, 99, 1, NULL, NULL, NULL, '3', 1)"
    with closing(postgres_server.connected()) as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(insert)


def test_blocks_part_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (batches, coded_events):
        monkeypatch.setattr(module, "BLOCK", 3)
    rng = np.random.default_rng(0)
    users = rng.integers(0, 3, 10, dtype=np.int32)
    log = Interactions(ids_of("abc"), users, ids_of("xyz"), users[::-1].copy(), values=rng.random(10, dtype=np.float32))
    batch = Batch(log, "a", [f"e{row}" for row in range(10)])
    with open_store(url, create=True) as store:
        assert store.ingest([batch]).events == 10
        assert store.ingest([batch]).known == 10


def test_reading_in_parts_misses_nothing_even_where_new_events_took_the_place_of_erased_ones(
    url: str, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "PAGES", 2)
    numbers = np.arange(2_000, dtype=np.int32)
    early, late = (
        Interactions(ids_of(names), numbers % len(names), ids_of(["x"]), numbers * 0) for names in ("abcd", "ef")
    )
    with open_store(url, create=True) as store:
        store.ingest([Batch(early, "a")])
        assert len(store.interactions()) == 2_000
        store.forget("b")
        position = store.summary().position
        with closing(postgres_server.connected()) as connection:
            connection.execute(f"VACUUM {schema_in(url)}.events")
        store.ingest([Batch(late, "a")])
        assert np.bincount(store.interactions(since=position).user_codes).tolist() == [1_000, 1_000]
        assert np.bincount(store.interactions().user_codes).tolist() == [500, 500, 500, 1_000, 1_000]


def test_text_too_long_for_an_index_is_refused(url: str, log: Interactions) -> None:
    rng = np.random.default_rng(0)
    fitting, long = ("".join(map(chr, rng.integers(0x4E00, 0x9FFF, length))) for length in (833, 834))
    with open_store(url, create=True) as store:
        store.put_catalog(Catalog(ids_of([fitting])))
        with pytest.raises(DataError, match=r"field 'item': .*is longer than 2500 bytes"):
            store.put_catalog(Catalog(ids_of([long])))
        with pytest.raises(DataError, match=r"field 'source'"):
            store.ingest([Batch(log, long)])
        assert list(store.catalog().item_ids) == [fitting]


def test_psycopg_is_an_extra(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'foldin\[postgres\]'"):
        open_store(url, create=True)


def test_opening_other_stores_imports_no_psycopg() -> None:
    script = "import sys, foldin.store.opening; sys.exit('psycopg' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("postgresql://ann:secret@host/db", "holds a password; put that in ~/.pgpass or PGPASSWORD"),
        ("postgres://host/db?password=secret", "holds a password"),
        ("postgres://host/db?sslpassword=secret", "holds its sslpassword; put that in ~/.pg_service.conf"),
        ("postgresql://ann:secret%zz@host/db", "cannot be read"),
        ("postgresql://host/db?nonsense=secret", "cannot be read"),
        ("postgresql://host/db?schema=", "no schema can be called ''"),
        ("postgresql://host/db?schema=pg_secret", "no schema can be called 'pg_secret'"),
        ("postgresql://host/db?schema=%24user", "no schema can be called '.user'"),
        (f"postgresql://host/db?schema={'ä' * 32}", "up to 63 bytes"),
    ],
)
def test_a_url_that_cannot_be_used_gives_nothing_away(url: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as refused:
        open_store(url)
    assert "schema" in url or "secret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(StoreError, match=r"^PostgreSQL database db at 127.0.0.1:1, schema foldin: no connection"):
        open_store("postgres://ann@127.0.0.1:1/db", create=True)


def test_the_connection_is_the_one_psycopg_makes(url: str) -> None:
    named = url.replace("?", "?application_name=nightly&")
    with PostgresStore(named, create=True) as store:
        connection = store._session._connection
        assert isinstance(connection, psycopg.Connection)
        assert connection.info.parameter_status("application_name") == "nightly"
