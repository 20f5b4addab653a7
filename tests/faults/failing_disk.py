"""A disk whose n-th write, synchronisation or cut fails, as SQLite's own tests have one.

The methods of SQLite's open files are replaced in memory, and not by a VFS in Python: there an exception reaches the
caller even where SQLite gets over a failure, and the caller would be told that a commit failed which did not.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import apsw

__all__ = ["FAILURES", "FailingDisk", "Failure"]

_WRITE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int64)
_TRUNCATE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int64)
_SYNC = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)


class Methods(ctypes.Structure):
    """The head of sqlite3_io_methods; what follows is copied as it is."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("close", ctypes.c_void_p),
        ("read", ctypes.c_void_p),
        ("write", _WRITE),
        ("truncate", _TRUNCATE),
        ("sync", _SYNC),
        ("others", ctypes.c_void_p * 13),
    )


class OpenFile(ctypes.Structure):
    """sqlite3_file."""

    _fields_ = (("methods", ctypes.POINTER(Methods)),)


@dataclass(frozen=True)
class Failure:
    """What SQLite is told when a write, a cut and a synchronisation fail."""

    name: str
    write: int
    truncate: int
    sync: int


FAILURES = (
    Failure("EIO", apsw.SQLITE_IOERR_WRITE, apsw.SQLITE_IOERR_TRUNCATE, apsw.SQLITE_IOERR_FSYNC),
    Failure("ENOSPC", apsw.SQLITE_FULL, apsw.SQLITE_IOERR_TRUNCATE, apsw.SQLITE_IOERR_FSYNC),
)


class FailingDisk:
    """Fails calls of every connection that is opened while it is entered.

    `calls`: how many there were since the last order; `failed`: how many of them failed.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.failed = 0
        self._failure: Failure | None = None
        self._failing = range(0)
        self._connections: list[apsw.Connection] = []
        self._kept: list[Methods] = []

    def __enter__(self) -> FailingDisk:
        apsw.connection_hooks.append(self._connections.append)
        return self

    def __exit__(self, *error: object) -> None:
        apsw.connection_hooks.remove(self._connections.append)

    @contextmanager
    def failing(self, failure: Failure, nth: int, count: int = 1) -> Iterator[None]:
        """From the n-th call on, 1 being the next, that many calls fail."""
        self._replace_methods()
        self.calls, self.failed = 0, 0
        self._failure, self._failing = failure, range(nth, nth + count)
        yield
        self._failing = range(0)

    def _replace_methods(self) -> None:
        for connection in self._connections:
            for which in (apsw.SQLITE_FCNTL_FILE_POINTER, apsw.SQLITE_FCNTL_JOURNAL_POINTER):
                with suppress(apsw.ConnectionClosedError):
                    self._replace(_file_of(connection, which))

    def _replace(self, file: OpenFile) -> None:
        replaced = {ctypes.addressof(methods) for methods in self._kept}
        if not file.methods or ctypes.addressof(file.methods.contents) in replaced:
            return
        original = file.methods.contents
        methods = Methods.from_buffer_copy(original)
        methods.write = _WRITE(self._writing(original.write))
        methods.truncate = _TRUNCATE(self._called(original.truncate, "truncate"))
        methods.sync = _SYNC(self._called(original.sync, "sync"))
        self._kept.append(methods)
        file.methods = ctypes.pointer(methods)

    def _called(self, original: Callable[..., int], field: str) -> Callable[..., int]:
        return lambda *arguments: self._code(field) or original(*arguments)

    def _writing(self, original: Callable[..., int]) -> Callable[..., int]:
        def write(file: int, data: int, amount: int, offset: int) -> int:
            code = self._code("write")
            # what cannot be written whole may have been written in part
            return original(file, data, amount // 2 if code else amount, offset) or code

        return write

    def _code(self, field: str) -> int:
        self.calls += 1
        if self._failure is None or self.calls not in self._failing:
            return apsw.SQLITE_OK
        self.failed += 1
        return int(getattr(self._failure, field))


def _file_of(connection: apsw.Connection, which: int) -> OpenFile:
    pointer = ctypes.POINTER(OpenFile)()
    connection.file_control("main", which, ctypes.addressof(pointer))
    return pointer.contents
