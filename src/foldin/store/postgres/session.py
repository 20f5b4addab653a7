"""A connection to PostgreSQL that comes back by itself, its transactions, and what their failures become."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import sleep
from typing import Any, TypeAlias, TypeVar

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from foldin.errors import StoreError
from foldin.store.postgres.address import Address

__all__ = ["Connection", "Session"]

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]
Result = TypeVar("Result")

PATIENCE = 200_000
"""Milliseconds one attempt waits for other writers: the largest import takes minutes."""

ATTEMPTS = 3
PAUSE = 0.05
"""Seconds before the second attempt; twice as many before the third."""

_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED"

# What the server's own settings say must not decide whether a commit is kept, a call is cut off or nothing is written.
# `transaction_timeout` is there from PostgreSQL 17 on.
_SETTINGS = """
SET statement_timeout = 0;
SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'transaction_timeout';
SET synchronous_commit = on;
SET idle_in_transaction_session_timeout = 0;
SET lock_timeout = {patience};
SET default_transaction_read_only = off;
SET search_path = {schema};
"""
_SERVER = "SELECT current_setting('fsync'), current_setting('server_encoding')"

_ALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
_TIMEOUT = 10
"""Seconds a server has to answer a connection."""

_PASSING = (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)
_SHUTDOWNS = (errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow, errors.IdleSessionTimeout)

_UNREACHABLE = "no connection, and nothing was stored; check that the server runs and lets you in, and try again"

# What happened and what to do, by the error PostgreSQL gives; the first that fits counts.
_REMEDIES: dict[type[psycopg.Error], str] = {
    errors.LockNotAvailable: "another process has been writing for too long; try again when it is done",
    errors.SerializationFailure: "others kept getting in the way; try again",
    errors.DeadlockDetected: "others kept getting in the way; try again",
    errors.DiskFull: "the disk of the server is full; free some space and repeat",
    errors.InsufficientPrivilege: "this role may not do that; grant it the database or the schema",
    errors.ReadOnlySqlTransaction: "the server takes no writing (a standby?); connect to the primary",
    errors.DataCorrupted: "it is damaged; restore it from a backup",
    errors.IndexCorrupted: "it is damaged; REINDEX, or restore it from a backup",
    errors.UndefinedTable: "its tables are gone; open it again",
}


class Session:
    """One connection, opened when it is needed and again when it was lost, on which work is done whole or not at all.

    `prepare`: what is done with every new connection before it is used.
    """

    def __init__(self, address: Address, prepare: Callable[[Connection], None]) -> None:
        self.name = address.name
        self._address = address
        self._prepare = prepare
        self._connection: Connection | None = None
        self._closed = False

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """What the work finds, all of it at one moment.

        Raises:
            StoreError: the database cannot be read.
        """
        return self._persistently(partial(_read, work))

    def look(self, work: Callable[[Connection], Result]) -> Result:
        """What a work of one statement finds: that sees one moment by itself, and is four times as soon done.

        Raises:
            StoreError: the database cannot be read.
        """
        return self._persistently(work)

    def write(self, work: Callable[[Connection], Result], *, first: str) -> Result:
        """What the work returns, once all of it is stored; it may be begun more than once, and is stored once.

        `first`: a statement sent along with the beginning.

        Raises:
            StoreError: nothing of it was stored; or the connection broke while it was, and the message says so.
        """
        return self._persistently(partial(_stored, work, f"{_WRITING}; {first}", self.name))

    def connect(self) -> None:
        """Opens the connection, unless it is open.

        Raises:
            StoreError: the server cannot be reached, or has no store this foldin can use.
        """
        self._connected()

    def close(self) -> None:
        """Ends the connection for good."""
        self._closed = True
        self._drop()

    def _persistently(self, attempt: Callable[[Connection], Result]) -> Result:
        number = 1
        while True:
            try:
                return self._attempted(attempt)
            except psycopg.Error as failure:
                if number == ATTEMPTS or not self._may_pass(failure):
                    raise self._named(failure) from failure
                sleep(PAUSE * number)
                number += 1

    def _attempted(self, attempt: Callable[[Connection], Result]) -> Result:
        connection = self._connected()
        try:
            return attempt(connection)
        except BaseException:
            self._roll_back(connection)
            raise

    def _roll_back(self, connection: Connection) -> None:
        if connection.info.transaction_status == TransactionStatus.IDLE:
            return
        # a connection that cannot even roll back is ended, and the server rolls back
        try:
            connection.execute("ROLLBACK")
        except BaseException:
            self._drop()

    def _connected(self) -> Connection:
        if self._closed:
            raise StoreError(f"{self.name}: it has been closed; open it again")
        if self._connection is None or self._connection.closed:
            self._connection = self._new_connection()
        return self._connection

    def _new_connection(self) -> Connection:
        try:
            connection = _connection_to(self._address)
            with _closed_on_failure(connection):
                self._prepare(connection)
        except psycopg.Error as failure:
            raise self._named(failure) from failure
        return connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _may_pass(self, failure: psycopg.Error) -> bool:
        # a transaction whose connection was lost was rolled back, and is begun again on a new one
        return isinstance(failure, _PASSING) or self._connection is None

    def _named(self, failure: psycopg.Error) -> StoreError:
        remedy = next((text for kind, text in _REMEDIES.items() if isinstance(failure, kind)), None)
        if remedy is None:
            lost = self._connection is None and isinstance(failure, psycopg.OperationalError)
            remedy = _UNREACHABLE if lost else "nothing was changed"
        return StoreError(f"{self.name}: {remedy} ({' '.join(str(failure).split())})")


def _read(work: Callable[[Connection], Result], connection: Connection) -> Result:
    connection.execute(_READING)
    result = work(connection)
    connection.execute("COMMIT")
    return result


def _stored(work: Callable[[Connection], Result], begin: str, name: str, connection: Connection) -> Result:
    connection.execute(begin)
    result = work(connection)
    try:
        connection.execute("COMMIT")
    except psycopg.Error as failure:
        if not _is_lost(connection, failure):
            raise
        raise StoreError(
            f"{name}: the connection broke during the commit, and whether this was stored is not known; "
            "send it again: events with ids, and batches with a digest, are stored once"
        ) from failure
    return result


def _connection_to(address: Address) -> Connection:
    connection = psycopg.connect(address.conninfo, autocommit=True, **_defaults(address.conninfo))
    with _closed_on_failure(connection):
        settings = sql.SQL(_SETTINGS).format(patience=sql.Literal(PATIENCE), schema=sql.Identifier(address.schema))
        connection.execute(settings)
        _check_server(connection, address.name)
    return connection


@contextmanager
def _closed_on_failure(connection: Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _defaults(conninfo: str) -> dict[str, Any]:
    wanted = {**_ALIVE, "connect_timeout": _TIMEOUT, "application_name": "foldin", "client_encoding": "utf8"}
    return {name: value for name, value in wanted.items() if name not in conninfo_to_dict(conninfo)}


def _check_server(connection: Connection, name: str) -> None:
    ((fsync, encoding),) = connection.execute(_SERVER).fetchall()
    if encoding != "UTF8":
        raise StoreError(f"{name}: the database is encoded in {encoding}; create one with ENCODING 'UTF8'")
    if fsync != "on":
        raise StoreError(f"{name}: the server runs with fsync = off and may lose what was stored; turn it on")


def _is_lost(connection: Connection, failure: psycopg.Error) -> bool:
    return connection.closed or isinstance(failure, _SHUTDOWNS)
