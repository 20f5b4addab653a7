"""The page's Catalogue: a list to search, and what is known of each item."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from foldin.data.catalog import Catalog
from foldin.service.field_types import TextId
from foldin.service.live import Live
from foldin.service.offered import offered
from foldin.service.page.audience import audience_of
from foldin.service.page.digest import Digest
from foldin.service.page.listing import listing_of
from foldin.service.page.reading import Reading
from foldin.service.page.rendering import has_session, page
from foldin.service.page.standings import Standing, standings
from foldin.service.service import Service

__all__ = ["catalogue_routes"]

NEIGHBOURS = 8


def catalogue_routes(service: Service, reading: Reading) -> APIRouter:
    """`/catalogue` and what is under it."""
    routes = APIRouter(prefix="/catalogue", include_in_schema=False)

    async def digest() -> Digest | None:
        summary = await service.desk.run(lambda store: store.summary())
        return reading.digest(summary.position)

    @routes.get("")
    async def catalogue(request: Request, text: str = "", number: int = 1) -> Response:
        """What is in the catalogue, or what of it a text finds."""
        known = await digest()
        numbers = {} if known is None else known.items
        found = await asyncio.to_thread(listing_of, _catalog(service), text, number, numbers)
        counting = known is None and reading.trouble is None
        return page(
            "catalogue.html",
            here="catalogue",
            signed_in=has_session(request.scope),
            text=text,
            listing=found,
            counting=counting,
        )

    @routes.get("/item")
    async def item(request: Request, item: TextId) -> Response:
        """An item: what it is, its numbers, whom it is for, and what goes with it."""
        known, live = await digest(), service.live.now()
        found = offered(item, service.shelf.catalog, live)
        learned = live if found.in_model else None
        return page(
            "item.html",
            here="catalogue",
            signed_in=has_session(request.scope),
            item=found,
            numbers=None if known is None else known.items.get(item),
            counted=known is not None,
            trouble=reading.trouble,
            groups=[] if learned is None else audience_of(learned.recommender, item),
            neighbours=[] if learned is None else await asyncio.to_thread(_neighbours, service, learned, item),
        )

    return routes


def _catalog(service: Service) -> Catalog:
    """The store's, or, where it has none, the model's, which then knows the items of the log."""
    live = service.live.now()
    return service.shelf.catalog if len(service.shelf.catalog) or live is None else live.recommender.catalog


def _neighbours(service: Service, live: Live, item: str) -> list[Standing]:
    return standings(service.similar(live, item, NEIGHBOURS), ())
