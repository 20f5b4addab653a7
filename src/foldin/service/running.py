"""Running the service: one process or several on the same address, ended by SIGTERM once all is answered."""

from __future__ import annotations

import asyncio
import atexit
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from threading import Thread, Timer
from threading import enumerate as enumerate_threads
from typing import cast

import uvicorn
from fastapi import FastAPI
from pydantic import TypeAdapter
from threadpoolctl import threadpool_limits
from uvicorn.supervisors import Multiprocess

from foldin.errors import ConfigurationError, FoldinError
from foldin.service.app import create_app
from foldin.service.connection_limit import ConnectionLimit, max_connections, raise_file_limit
from foldin.service.connections import Connection
from foldin.service.listening import BACKLOG
from foldin.service.logs import LOGGING, log_uncaught_errors
from foldin.service.settings import Settings

__all__ = ["from_environment", "run"]

DRAIN = 10
"""Seconds that requests in flight have at the end."""

CLOSE_SECONDS = 8.0
"""Time to close the service once requests have been answered or cancelled; then the process exits whatever still runs.
With `DRAIN` this is below the 20 s after which systemd kills the unit in `deploy/`."""

SWITCH = 0.00005
"""Seconds for which a thread may keep the others from running Python: the scorer gives way at every product, some
dozens of times a batch, and with the usual 5 ms would wait longer for its turns than it works."""

VARIABLE = "FOLDIN_SERVICE"
"""What tells each process how to run."""

_log = logging.getLogger("foldin.service")
_JSON = TypeAdapter(Settings)


def run(settings: Settings, sockets: list[socket], workers: int = 1) -> None:
    """Serves at sockets that listen, until SIGTERM or Ctrl-C.

    Raises:
        ConfigurationError: several processes find no folder for what they measure.
        NotFoundError, StoreError: workspace or store cannot be opened.
    """
    # once all is answered uvicorn raises the signal again, and by itself that is the death of the process: code 143
    signal.signal(signal.SIGTERM, lambda _, __: sys.exit(0))
    raise_file_limit()
    if workers == 1:
        _run_alone(_described(settings), sockets)
        return
    with _folder() as tallies:
        config = _described(replace(settings, tallies=tallies), workers)
        Multiprocess(config, sockets).run()


@contextmanager
def _folder() -> Iterator[Path]:
    try:
        folder = TemporaryDirectory(prefix="foldin-")
    except OSError as error:
        reason = f"several workers want a temporary folder that can be written: set TMPDIR ({error.strerror})"
        raise ConfigurationError(reason) from error
    with folder as name:
        yield Path(name)


def _run_alone(config: uvicorn.Config, sockets: list[socket]) -> None:
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):  # the way to end it, once all is answered
        server.run(sockets)
    if not server.started:
        sys.exit(1)


def _described(settings: Settings, workers: int = 1) -> uvicorn.Config:
    os.environ[VARIABLE] = _JSON.dump_json(replace(settings, workspace=settings.workspace.absolute())).decode()
    # each worker gets a limit of its own with its copy of the configuration
    connection = partial(Connection, limit=ConnectionLimit(max_connections()))
    return uvicorn.Config(
        f"{__name__}:{from_environment.__name__}",
        factory=True,
        workers=workers,
        backlog=BACKLOG,
        log_config=LOGGING,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN,
        http=cast(type[asyncio.Protocol], connection),
        ws="none",
    )


def from_environment() -> FastAPI:
    """The application as `run` described it: what each of its processes serves."""
    app = _created(_JSON.validate_json(os.environ[VARIABLE]))
    # products as small as those of a batch gain little from a second core, and threads that wait for each other take
    # both cores from the answers: a process has one, and --workers has more of them
    threadpool_limits(1, "blas")
    sys.setswitchinterval(SWITCH)
    _log_little()
    log_uncaught_errors()
    # what is there at the start stays: a collection that went through it as well would stop everybody for longer
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # libraries complain of what is left at the end
    _follow(parent_process())
    return app


def _exit_after(seconds: float) -> None:
    """Ends the process after some seconds unless it has ended by then, as threads that hang would keep it for ever."""
    timer = Timer(seconds, _exit_now)
    timer.daemon = True
    timer.start()


def _exit_now() -> None:
    names = sorted(thread.name for thread in enumerate_threads() if not thread.daemon)
    _log.error("exit forced", extra={"fields": {"reason": "threads did not end in time", "threads": names}})
    os._exit(1)


def _log_little() -> None:
    """Leaves out of a record what no line says and takes longest to find: who wrote it, and in which thread."""
    logging._srcfile = None  # as the library's documentation advises
    logging.logThreads = logging.logMultiprocessing = False


def _created(settings: Settings) -> FastAPI:
    """The application; a worker that cannot have it says why in a line, ends, and is started again."""
    try:
        return create_app(settings, on_shutdown=lambda: _exit_after(CLOSE_SECONDS))
    except FoldinError as error:
        if parent_process() is None:
            raise
        _log.error("worker not started", extra={"fields": {"reason": str(error)}})
        sys.exit(1)  # uvicorn takes 3 for the end of all, and the others answer on


def _follow(supervisor: BaseProcess | None) -> None:
    """Ends a worker in order once whoever started it is gone: killed, it could not say so, and the address stays
    taken."""
    if supervisor is not None:
        Thread(target=_end_after, args=(supervisor,), name="foldin-supervisor", daemon=True).start()


def _end_after(supervisor: BaseProcess) -> None:
    supervisor.join()
    os.kill(os.getpid(), signal.SIGTERM)
