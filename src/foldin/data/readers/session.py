"""A connection to DuckDB for the time of one reading: in memory, bounded, without downloads."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import duckdb
import psutil

__all__ = ["AS_WRITTEN", "literal", "path_literal", "session"]

SHARE_OF_MEMORY = 0.6
MOST_THREADS = 8
INTERRUPTED = "Query interrupted"

AS_WRITTEN = "hive_partitioning = false, union_by_name = false, filename = false"
"""Options of every scan of a file: its columns are those written in it; none comes from the names of folders."""


@contextmanager
def session() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that is closed afterwards; what does not fit in memory goes to the system's temporary folder.

    Raises:
        KeyboardInterrupt: a query was interrupted by Ctrl-C, which DuckDB takes for itself.
    """
    connection = _database(os.getpid()).cursor()
    try:
        for name, value in _settings().items():
            connection.execute(f"SET {name} = {literal(str(value))}")
        with suppress(duckdb.CatalogException):  # without the icu extension there is no such setting, and all is UTC
            connection.execute("SET TimeZone = 'UTC'")
        yield connection
    except (RuntimeError, duckdb.InterruptException) as error:
        if str(error) == INTERRUPTED or isinstance(error, duckdb.InterruptException):
            raise KeyboardInterrupt from error
        raise
    finally:
        connection.close()


@cache
def _database(process: int) -> duckdb.DuckDBPyConnection:
    # starting DuckDB takes longer than reading a small file; a forked process has none of its parent's threads
    database = duckdb.connect()
    # this one setting cannot be repeated once the folder is in use
    folder = Path(tempfile.gettempdir()) / f"foldin-duckdb-{process}"
    database.execute(f"SET temp_directory = {literal(str(folder))}")
    return database


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def path_literal(path: Path) -> str:
    """A path as SQL writes it; one with the signs of a glob is not taken for one."""
    return literal("".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path)))


def _settings() -> dict[str, str | int]:
    return {
        "threads": min(_processors(), MOST_THREADS),
        "memory_limit": f"{int(psutil.virtual_memory().available * SHARE_OF_MEMORY)}B",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "enable_progress_bar": "false",
        # a name in a query is that of a table here, never that of a Python variable or a file
        "python_enable_replacements": "false",
        # joins stay as written: the log streams past the small tables of ids, whatever DuckDB guesses of its size
        "disabled_optimizers": "join_order,build_side_probe_side",
        # 0: a pandas column of objects is read as text, never as what its first rows look like
        "pandas_analyze_sample": 0,
    }


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
