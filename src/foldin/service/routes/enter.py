"""Signing in to the page with a one-time link, and signing out."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from foldin.audit import audited
from foldin.errors import NotFoundError
from foldin.service.credentials import session_cookie
from foldin.service.gate import needs
from foldin.service.keys import Key, revoke_key
from foldin.service.link import MAX_AGE, is_valid, redeem
from foldin.service.page.assets import asset
from foldin.service.page.rendering import page, stranger
from foldin.service.problems import problem
from foldin.service.service import Service

__all__ = ["enter_routes"]

INVALID = "This link has been used, is too old, or is not whole."

NO_SESSION = "there is no session to end: a key was sent, or the service was started with --no-auth"

REFERRER = {"Referrer-Policy": "same-origin"}
"""With `no-referrer`, as everywhere else, a browser sends the form with `Origin: null`, which is refused."""


def enter_routes(service: Service) -> APIRouter:
    """`/enter`, open to all, and `/leave`."""
    routes = APIRouter(include_in_schema=False)
    folder = service.settings.workspace

    @routes.get("/enter")
    async def ask(code: str = "") -> Response:
        """Shows a button that redeems the code of a one-time link: previews of links send GET and HEAD, which must not
        use it up."""
        if not await asyncio.to_thread(is_valid, folder, code):
            return stranger(INVALID, may_be_signed_in=True)
        button = page("enter.html", code=code)
        button.headers.update(REFERRER)
        return button

    @routes.post("/enter")
    async def enter(request: Request, code: str = "") -> Response:
        """Redeems the code for a session, whose id the browser keeps in a cookie. The body is empty."""
        session_id = await asyncio.to_thread(redeem, folder, code)
        if session_id is None:
            return stranger(INVALID, may_be_signed_in=True)
        inside = RedirectResponse("/", 303)
        inside.set_cookie(
            _cookie_of(request),
            session_id,
            max_age=int(MAX_AGE.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return inside

    @routes.get("/enter/page.css")
    async def style() -> Response:
        """The style of the pages before signing in."""
        found = asset("page.css")
        assert found is not None
        return Response(found.content, media_type=found.media_type)

    @routes.post("/leave", dependencies=[Depends(needs("admin"))])
    async def leave(request: Request) -> Response:
        """Revokes the session of the page, and has the page loaded again."""
        key: Key = request.state.key
        if key.kind != "session":
            return problem(409, NO_SESSION, request.state.request_id)
        await asyncio.to_thread(_end_session, service, key)
        outside = Response(status_code=204, headers={"HX-Redirect": "/"})
        outside.delete_cookie(_cookie_of(request))
        return outside

    return routes


def _cookie_of(request: Request) -> str:
    return session_cookie(request.headers.get("host", ""))


def _end_session(service: Service, key: Key) -> None:
    folder = service.settings.workspace
    with suppress(NotFoundError), audited(folder, key.source, "leave", key=key.name):  # it may have been revoked
        revoke_key(folder, key.name)
