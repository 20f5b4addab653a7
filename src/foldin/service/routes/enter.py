"""The door: the one-time link that opens the page, and what it takes to show that door."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from foldin.service.gate import COOKIE
from foldin.service.link import LASTS, key_for
from foldin.service.page.assets import asset
from foldin.service.page.rendering import stranger
from foldin.service.service import Service

__all__ = ["enter_routes"]


def enter_routes(service: Service) -> APIRouter:
    """`/enter`, open to all."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/enter")
    async def enter(request: Request, code: str = "") -> Response:
        """Takes the code of a one-time link for a key, which the browser keeps as a cookie."""
        key = await asyncio.to_thread(key_for, service.settings.workspace, code)
        if key is None:
            return stranger("This link has been used, is too old, or is not whole.")
        inside = RedirectResponse("/", 303)
        inside.set_cookie(
            COOKIE,
            key,
            max_age=int(LASTS.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return inside

    @routes.get("/enter/page.css")
    async def style() -> Response:
        """The door looks like the house."""
        found = asset("page.css")
        assert found is not None
        return Response(found.content, media_type=found.media_type)

    return routes
