"""Services forked from a process that has imported foldin already: importing it takes longer than most tests."""

from __future__ import annotations

import multiprocessing.process
import os
import signal
import subprocess
import sys
import warnings
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.service.patient import serve_patiently

__all__ = ["ForkedProcess", "fork_service"]

PRELOADED = [
    "foldin.cli.app",
    "foldin.cli.serve",
    "foldin.service.running",
    "foldin.models.autoencoder",
    "foldin.models.ease",
]


@dataclass(frozen=True)
class ForkedProcess:
    """A process with the part of `subprocess.Popen` that the tests use."""

    process: ForkServerProcess

    @property
    def pid(self) -> int:
        """Its id."""
        assert self.process.pid is not None
        return self.process.pid

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self.process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end, and returns its exit code."""
        self.process.join(timeout)
        if self.process.exitcode is None:
            raise subprocess.TimeoutExpired("the service", timeout or 0)
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        """Sends it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Asks it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)


def fork_service(arguments: list[str], log: Path, environment: dict[str, str]) -> ForkedProcess:
    """Starts `foldin` with these arguments, and writes what it prints to a file."""
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    process = context.Process(target=_run, args=(arguments, str(log), environment))
    process.start()
    return ForkedProcess(process)


def _run(arguments: list[str], log: str, environment: dict[str, str]) -> None:
    """Becomes the command, as if it had been started by itself."""
    with open(log, "ab") as lines:  # noqa: PTH123 - its descriptor is all that is wanted
        os.dup2(lines.fileno(), 1)
        os.dup2(lines.fileno(), 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # multiprocessing has closed it, and uvicorn hands it on to workers
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115 - it stays open
    os.environ.clear()
    os.environ.update(environment)
    warnings.simplefilter("error")
    sys.argv = ["foldin", *arguments]
    # a worker of the service ends with its parent; this is no worker
    setattr(multiprocessing.process, "_parent_process", None)  # noqa: B010 - mypy knows no such name
    serve_patiently()
