"""What the page fetches while somebody types: people and items to pick from."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from foldin.service.page.listing import titles_of
from foldin.service.page.people import People, found
from foldin.service.page.rendering import page
from foldin.service.service import Service

__all__ = ["picker_routes"]

MOST = 10


def picker_routes(service: Service, people: People) -> APIRouter:
    """`/people` and `/items`, each a list of options."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/people")
    async def pick(text: str = "") -> Response:
        """People whose ids a text may be the beginning of."""
        ids = await people.ids()
        names = [ids[place] for place in found(text, ids)]
        return page("options.html", options=[(name, name, "") for name in names], nothing="Nobody is called that")

    @routes.get("/items")
    async def choose(text: str = "") -> Response:
        """Items whose title or id a text may be the beginning of."""
        catalog = service.live.answering().recommender.catalog
        titles = titles_of(catalog)
        places = dict.fromkeys([*found(text, titles), *found(text, catalog.item_ids.tolist())])
        options = [(str(catalog.item_ids[place]), titles[place], str(catalog.item_ids[place])) for place in places]
        return page("options.html", options=options[:MOST], nothing="No item is called that")

    return routes
