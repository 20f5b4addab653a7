"""`foldin` with limits in seconds that no slow machine reaches, for the tests that are about something else.

On a busy machine a correct service answers 503 to what it could not do in time, is ended before it has answered all,
and takes a worker that is slow to start for one that hangs.
"""

from __future__ import annotations

from dataclasses import replace

import uvicorn

from foldin.__main__ import main
from foldin.service import running
from foldin.service.settings import Settings

PATIENCE = 120
"""Seconds."""

_described = running._described


def _described_patiently(settings: Settings, workers: int = 1) -> uvicorn.Config:
    config = _described(replace(settings, deadline=float(PATIENCE), patience=float(PATIENCE)), workers)
    config.timeout_graceful_shutdown = PATIENCE
    config.timeout_worker_healthcheck = PATIENCE
    return config


def serve_patiently() -> None:
    """Runs the command line with these limits."""
    running._described = _described_patiently
    main()


if __name__ == "__main__":
    serve_patiently()
