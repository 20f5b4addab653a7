"""What the page fetches while somebody types: people and items to pick from."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from foldin.service.page.items import Items
from foldin.service.page.people import People
from foldin.service.page.rendering import page
from foldin.service.service import Service

__all__ = ["picker_routes"]


def picker_routes(service: Service, people: People) -> APIRouter:
    """`/people` and `/items`, each a list of options."""
    routes = APIRouter(include_in_schema=False)
    items = Items()

    @routes.get("/people")
    async def pick(text: str = "") -> Response:
        """People whose ids a text may be the beginning of."""
        options = [(user, user, "") for user in await people.found(text)]
        return page("options.html", options=options, nothing="Nobody is called that")

    @routes.get("/items")
    async def choose(text: str = "") -> Response:
        """Items whose title or id a text may be the beginning of."""
        found = await items.found(text, service.live.answering().recommender.catalog)
        options = [(item, title, item) for item, title in found]
        return page("options.html", options=options, nothing="No item is called that")

    return routes
