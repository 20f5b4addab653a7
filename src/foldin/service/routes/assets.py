"""What the page is made of: scripts and styles, and the description of the API."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from foldin.service.page.api import messages_of, operations_of
from foldin.service.page.assets import asset
from foldin.service.page.rendering import has_session, page
from foldin.wording import command

__all__ = ["asset_routes"]

FOR_EVER = "private, max-age=31536000, immutable"


def asset_routes() -> APIRouter:
    """`/static` and `/docs`."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/docs")
    async def docs(request: Request) -> Response:
        """The API, route by route."""
        description = request.app.openapi()
        return page(
            "api.html",
            here="docs",
            signed_in=has_session(request.scope),
            groups=operations_of(description),
            messages=messages_of(description),
            create_key=command("keys create NAME", request.app.state.service.workspace.folder),
        )

    @routes.get("/static/{digest}/{name:path}")
    async def static(digest: str, name: str) -> Response:
        """A script or style; it may be kept for ever, as another content has another address."""
        kept = asset(name)
        if kept is None or kept.digest != digest:
            raise HTTPException(404, "no such file")
        return Response(kept.content, headers={"Cache-Control": FOR_EVER}, media_type=kept.media_type)

    return routes
