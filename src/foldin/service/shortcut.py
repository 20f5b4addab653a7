"""The way straight to the routes that are asked most, without the framework's matching and wrapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from foldin.service.bodies import QuickRoute

__all__ = ["Shortcut"]


class Shortcut:
    """Serves what `routes` answer at a path of their own; all else goes on. `handlers`: of what they raise.

    The routes are served as they are: the application includes them without a prefix or dependencies of its own.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[QuickRoute], handlers: Mapping[Any, Callable[..., Any]]) -> None:
        self._app = app
        self._ways = {
            (method, route.path): (route, ExceptionMiddleware(route.handle, handlers))
            for route in routes
            for method in route.methods or ()
            if not route.param_convertors
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        way = self._ways.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if way is None:
            await self._app(scope, receive, send)
            return
        scope["route"], answering = way
        await answering(scope, receive, send)
