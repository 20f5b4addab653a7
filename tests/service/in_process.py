"""The application of a workspace, called in the tests' own process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from foldin.service.app import create_app
from foldin.service.settings import Settings
from tests.service.loops import completed

__all__ = ["HOST", "InProcess", "serving_in_process"]

HOST = "127.0.0.1:8000"


@dataclass(frozen=True)
class InProcess:
    """An application and the workspace that it serves."""

    app: FastAPI
    folder: Path

    def send(self, method: str, target: str, key: str | None = None, host: str = HOST, **more: Any) -> httpx.Response:
        """Answers one request, of a client that keeps no cookies."""
        authorization = {} if key is None else {"Authorization": f"Bearer {key}"}
        headers = authorization | more.pop("headers", {})
        return completed(self._send(method, f"http://{host}{target}", headers=headers, **more))

    async def _send(self, method: str, url: str, **more: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), verify=False) as client:
            return await client.request(method, url, **more)


@contextmanager
def serving_in_process(folder: Path, **settings: Any) -> Iterator[InProcess]:
    """The service of a workspace until the end of the block."""
    app = create_app(Settings(folder, **settings))
    try:
        yield InProcess(app, folder)
    finally:
        app.state.service.close()
