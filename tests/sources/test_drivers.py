from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import apsw
import duckdb
import pytest

from foldin.errors import ConfigurationError, DataError
from foldin.sources import read_sql, source_name
from tests.store.postgres_server import PostgresServer


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("events.db", "is no URL of a database"),
        ("sqlite://", "names no file"),
        ("nosuch://ann:secret@host/shop", "SQLAlchemy knows no 'nosuch'"),
        ("mysql+pymysql://ann:secret@host/shop", "needs the driver pymysql: pip install pymysql"),
        ("postgresql+psycopg://ann:secret@host:port/shop", "is no URL of a database"),
    ],
)
def test_urls_that_lead_nowhere(url: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as caught:
        read_sql(url, "SELECT 1")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_file_that_is_not_there_is_not_made(tmp_path: Path, kind: str) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_sql(f"{kind}:///{tmp_path}/gone.db", "SELECT 1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
@pytest.mark.parametrize("password", ["s3cr%40t", "p@s3cr%40t", "a/s3cr%40t"])
def test_a_password_is_never_told(scheme: str, password: str) -> None:
    url = f"{scheme}://ann:{password}@127.0.0.1:1/shop?application_name=s3cr%40t"
    with pytest.raises((DataError, ConfigurationError)) as caught:
        read_sql(url, "SELECT 1")
    told = f"{caught.value} {caught.value.__cause__}"
    assert "s3cr" not in told


def test_a_password_among_the_options_that_connects_is_never_told(postgres_server: PostgresServer) -> None:
    user, _, place = postgres_server.url().removeprefix("postgresql://").rpartition("@")
    url = f"postgresql://{place}{'&' if '?' in place else '?'}user={user}&password=s3cr@t-word"
    assert read_sql(url, "SELECT 1 AS user, 2 AS item").reading is not None
    with pytest.raises(DataError) as caught:
        read_sql(url, "SELECT nonsense")
    for told in (str(caught.value), source_name(url, "SELECT 1")):
        assert "s3cr" not in told
        assert "t-word" not in told


def test_missing_extras_are_named(tmp_path: Path) -> None:
    for module, url, extra in (("psycopg", "postgresql://h/d", "postgres"), ("sqlalchemy", "trino://h/d", "sql")):
        program = (
            f"import sys; sys.modules[{module!r}] = None\n"
            "from foldin.errors import ConfigurationError\nfrom foldin.sources import read_sql\n"
            f"try:\n    read_sql({url!r}, 'SELECT 1')\nexcept ConfigurationError as error:\n    print(error)"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert f"pip install 'foldin[{extra}]'" in done.stdout


def test_sqlite_tells_numbers_from_texts_without_a_type(tmp_path: Path) -> None:
    with closing(apsw.Connection(str(tmp_path / "e.db"))) as connection:
        connection.execute("CREATE TABLE e (user, item, n); INSERT INTO e VALUES (x'cafe', 7, 10), ('b', '7', 9)")
    answered = read_sql(f"sqlite:///{tmp_path}/e.db", "SELECT * FROM e WHERE n > :since", cursor="n", since="9.5")
    assert answered.reading is not None
    assert (answered.reading.log.user_ids.tolist(), answered.cursor) == (["cafe"], "10")


def test_types_of_duckdb(tmp_path: Path) -> None:
    with closing(duckdb.connect(str(tmp_path / "e.db"))) as connection:
        connection.execute(
            "CREATE TABLE e AS SELECT '00000000-0000-0000-0000-000000000007'::UUID AS user, "
            "170141183460469231731::HUGEINT AS item, 2.50::DECIMAL(9, 2) AS value, "
            "TIMESTAMPTZ '2024-01-01 01:00:00+01' AS time, [1] AS tags"
        ).fetchall()
    reading = read_sql(f"duckdb:///{tmp_path}/e.db", "SELECT * FROM e -- all").reading
    assert reading is not None
    assert reading.log.user_ids.tolist() == ["00000000-0000-0000-0000-000000000007"]
    assert reading.log.item_ids.tolist() == ["170141183460469231731"]
    assert reading.log.times is not None
    assert reading.log.times.tolist() == [1_704_067_200_000_000]


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_types_of_postgresql(postgres_server: PostgresServer, scheme: str) -> None:
    url = scheme + postgres_server.url().removeprefix("postgresql")
    query = (
        "SELECT '00000000-0000-0000-0000-000000000007'::uuid AS user, '\\xcafe'::bytea AS item, "
        "2.50::numeric AS value, '2024-01-01 01:00:00+01'::timestamptz AS time, array[1] AS tags, '{}'::jsonb AS more"
    )
    reading = read_sql(url, query).reading
    assert reading is not None
    assert (reading.log.user_ids[0], reading.log.item_ids[0]) == ("00000000-0000-0000-0000-000000000007", "cafe")
    assert reading.log.times is not None
    assert reading.log.times.tolist() == [1_704_067_200_000_000]


@pytest.mark.parametrize("moment", ["infinity", "0044-03-15 BC", "20240-01-01"])
def test_times_of_postgresql_that_are_none_name_their_row(postgres_server: PostgresServer, moment: str) -> None:
    query = f"SELECT 1 AS user, 2 AS item, timestamptz '{moment}' AS time"
    with pytest.raises(DataError, match="the time") as caught:
        read_sql(postgres_server.url(), query)
    assert (caught.value.row, caught.value.field) == (1, "time")
