"""How the SQLite store gets its connection: synchronised, patient with others, and read-only where it must be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import apsw

from foldin.data.files import PRIVATE_FILE
from foldin.store.file_identity import StoreFiles, check_log_belongs, identify, record_inode
from foldin.store.frozen import Stamp, stamp
from foldin.store.schema import check_version, prepare

__all__ = ["Connected", "connected", "patiently", "with_large_cache"]

PATIENCE = 600.0
"""Seconds a writer waits for others to finish: the largest import takes minutes."""

PAUSES = 0.001, 0.005
"""Seconds between two tries, at first and later on. SQLite's own pauses grow to 100 ms, in which others go first."""

CACHE = -2_048
"""Page cache in kibibytes (a negative number is what SQLite takes for kibibytes). Small, as the system has a cache of
files besides: a service that writes would hold more and more."""

LARGE_CACHE = -65_536
"""The same while many events are taken in at once, which lie all over their indices."""

LARGEST_LOG_KEPT = 64 * 2**20
"""Bytes the write-ahead log is cut back to after a large import."""


@dataclass(frozen=True, eq=False)
class Connected:
    """A connection, and the identities of the files it has open.

    `frozen`: the stamp of a file that is read without locks, good until that changes; None for all others.
    """

    connection: apsw.Connection
    files: StoreFiles
    frozen: Stamp | None = None


def connected(file: str, *, create: bool) -> Connected:
    """Opens a store's file; where it cannot be written, as on a full disk, for reading only.

    Raises:
        StoreError: the file is no store of a version this foldin knows, or the log beside it is another file's.
        apsw.Error: it cannot be opened.
    """
    check_log_belongs(file)
    try:
        connection = _opened(file, _flags(create), _settled, create=create)
    except apsw.Error as failure:
        found = stamp(file)
        if found.log_size or not found.size or not Path(file).is_file() or not _cannot_write(failure):
            raise
        return Connected(_frozen(file), identify(file), found)
    record_inode(file)
    return Connected(connection, identify(file))


def _cannot_write(failure: apsw.Error) -> bool:
    """Whether a file was not opened because what a reader needs beside it cannot be made: for lack of permission or
    of room."""
    no_room = (
        isinstance(failure, apsw.IOError) and getattr(failure, "extendedresult", None) == apsw.SQLITE_IOERR_SHMSIZE
    )
    denied = apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError, apsw.FullError
    return no_room or isinstance(failure, denied)


def _flags(create: bool) -> int:
    return apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)


def patiently(work: Callable[[], object]) -> None:
    """Repeats what fails at once, without the busy handler being asked, where another process is at the same work:
    changing the mode of a new file, and emptying the write-ahead log.

    Raises:
        apsw.BusyError: it is at it for longer than anybody waits.
    """
    until = monotonic() + PATIENCE
    while True:
        try:
            work()
            return
        except apsw.BusyError:
            if monotonic() > until:
                raise
        sleep(PAUSES[1])


def _opened(
    file: str, flags: int, settle: Callable[[apsw.Connection, str, bool], None], *, create: bool = False
) -> apsw.Connection:
    new = create and not Path(file).exists()
    connection = apsw.Connection(file, flags=flags)
    try:
        if new:  # the log and its index get the mode of the file
            Path(file).chmod(PRIVATE_FILE)
        connection.set_busy_handler(_patient())
        settle(connection, file, create)
    except BaseException:
        connection.close()
        raise
    return connection


def _settled(connection: apsw.Connection, file: str, create: bool) -> None:
    if connection.readonly("main"):
        # SQLite has turned to reading by itself; whether that works in this folder, the first look will tell
        check_version(connection, file)
    else:
        prepare(connection, file, create=create)
        patiently(lambda: connection.pragma("journal_mode", "wal"))
        connection.pragma("user_version")  # the first reading opens the log and its index
    connection.pragma("synchronous", "full")
    connection.pragma("foreign_keys", 1)
    connection.pragma("secure_delete", 1)  # what is deleted is overwritten: a forgotten user's ids, above all
    connection.pragma("cache_size", CACHE)
    connection.pragma("journal_size_limit", LARGEST_LOG_KEPT)


@contextmanager
def with_large_cache(connection: apsw.Connection) -> Iterator[None]:
    """Gives a connection room for many changes at once, and takes it back."""
    connection.pragma("cache_size", LARGE_CACHE)
    try:
        yield
    finally:
        connection.pragma("cache_size", CACHE)
        connection.pragma("shrink_memory")


def _frozen(file: str) -> apsw.Connection:
    # Reading a file in write-ahead mode takes the files -wal and -shm beside it, and here they can neither be made nor
    # written. A store that nobody has open and that was closed in order has no log: then all of it is in the file,
    # and `immutable` lets SQLite read that without locks, until somebody writes to it. With content in the log, the
    # file alone would be an older store, or half of one; then we refuse.
    uri = f"{Path(file).as_uri()}?immutable=1"
    return _opened(uri, apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI, lambda it, _, __: check_version(it, file))


def _patient() -> Callable[[int], bool]:
    """A busy handler: called with how often it was called for the same lock, it waits and says whether to try on."""
    began = 0.0

    def wait(tries: int) -> bool:
        nonlocal began
        if tries == 0:
            began = monotonic()
        sleep(PAUSES[0] if tries < 10 else PAUSES[1])
        return monotonic() - began < PATIENCE

    return wait
