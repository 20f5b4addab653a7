"""Transactions of the SQLite store, and what their failures become."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import apsw

from foldin.errors import StoreError

__all__ = ["failures_named", "savepoint", "transaction"]

# What happened and what to do, by the error SQLite gives; the first that fits counts.
_REMEDIES: dict[type[apsw.Error], str] = {
    apsw.BusyError: "another process has been writing for too long; try again when it is done",
    apsw.LockedError: "another process has locked it; try again when it is done",
    apsw.FullError: "the disk is full; free some space and repeat",
    apsw.ReadOnlyError: "it cannot be written; check the permissions of file and folder, and the room on the disk",
    apsw.CantOpenError: "it cannot be opened; check that its folder exists and that you may write there",
    apsw.PermissionsError: "it may not be opened; check the permissions of the file and its folder",
    apsw.NotADBError: "it is not a SQLite database; give the path of a foldin store",
    apsw.CorruptError: "it is damaged; restore it from a backup",
    apsw.IOError: "reading or writing it failed; check the disk, its free space and its quota",
    apsw.ConnectionClosedError: "it has been closed; open it again",
    apsw.ThreadingViolationError: "two threads used one store object; open one for each",
}


@contextmanager
def failures_named(file: str) -> Iterator[None]:
    """Lets no error of SQLite through but as a StoreError that names the file and what to do."""
    try:
        yield
    except apsw.Error as failure:
        remedy = next((text for kind, text in _REMEDIES.items() if isinstance(failure, kind)), "nothing was changed")
        raise StoreError(f"{file}: {remedy} ({failure})") from failure


@contextmanager
def transaction(connection: apsw.Connection, mode: Literal["DEFERRED", "IMMEDIATE"]) -> Iterator[None]:
    """All or nothing: DEFERRED reads one moment, IMMEDIATE waits for its turn to write."""
    # not `with connection:`, which waits for its turn without letting the other threads of this process run
    connection.execute(f"BEGIN {mode}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has already rolled back after some failures, a full disk for one
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def savepoint(connection: apsw.Connection) -> Iterator[None]:
    """All or nothing of a part of a transaction, which goes on either way."""
    connection.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO part; RELEASE part")
        raise
    connection.execute("RELEASE part")
