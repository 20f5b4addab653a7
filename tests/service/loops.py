"""Event loops of the tests' own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

__all__ = ["completed"]

Result = TypeVar("Result")

PATIENCE = 60.0
"""Seconds that a busy machine may take; they pass only where a test fails."""


def completed(work: Coroutine[Any, Any, Result]) -> Result:
    """What comes of it, on a thread of its own: where a browser is open its loop runs on the tests' thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asyncio.wait_for(work, PATIENCE)).result()
