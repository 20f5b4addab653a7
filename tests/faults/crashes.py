"""How a PostgreSQL server crashes."""

from __future__ import annotations

import signal

import psutil

from tests.store.postgres_server import PostgresServer

__all__ = ["crash"]

PATIENCE = 60
"""Seconds until a server that does not end is an error."""


def crash(server: PostgresServer) -> None:
    """What `pg_ctl stop --mode immediate` does: all its processes end as they are; the next start replays the log."""
    process = psutil.Process(server.process.get_pid())
    process.send_signal(signal.SIGQUIT)
    process.wait(PATIENCE)
