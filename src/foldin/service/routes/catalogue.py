"""The page's Catalogue: a list to search, and what is known of each item."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.responses import Response

from foldin.data.availability import unavailable
from foldin.data.catalog import Catalog, ids_of
from foldin.errors import NotFoundError
from foldin.service.live import Live
from foldin.service.messages import Id
from foldin.service.page.audience import audience_of
from foldin.service.page.digest import Digest
from foldin.service.page.listing import listing_of
from foldin.service.page.reading import Reading
from foldin.service.page.rendering import page
from foldin.service.page.standings import standings
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
    async def catalogue(text: str = "", number: int = 1) -> Response:
        """What is in the catalogue, or what of it a text finds."""
        known = await digest()
        numbers = {} if known is None else known.items
        found = await asyncio.to_thread(listing_of, _catalog(service), text, number, numbers)
        return page("catalogue.html", here="catalogue", text=text, listing=found)

    @routes.get("/item")
    async def item(item: Id) -> Response:
        """An item: what it is, its numbers, whom it is for, and what goes with it."""
        known, catalog, live = await digest(), _catalog(service), service.live.now()
        in_model = live is not None and bool(live.recommender.catalog.knows([item])[0])
        if not in_model and not catalog.knows([item])[0]:
            raise NotFoundError(f"no item '{item}'")
        attributes, title = _told(service, item)
        return page(
            "item.html",
            here="catalogue",
            item=item,
            title=title,
            attributes=attributes,
            available=not unavailable(_alone(item, attributes)),
            numbers=None if known is None else known.items.get(item),
            counted=known is not None,
            groups=audience_of(live.recommender, item) if live is not None and in_model else [],
            neighbours=await asyncio.to_thread(_neighbours, service, live, item)
            if live is not None and in_model
            else [],
            in_model=in_model,
        )

    return routes


def _catalog(service: Service) -> Catalog:
    """The store's, or, where it has none, the model's, which then knows the items of the log."""
    live = service.live.now()
    return service.shelf.catalog if len(service.shelf.catalog) or live is None else live.recommender.catalog


def _told(service: Service, item: str) -> tuple[dict[str, str], str]:
    live, catalog = service.live.now(), service.shelf.catalog
    if not catalog.knows([item])[0] and live is not None:
        catalog = live.recommender.catalog
    index = int(catalog.indices([item])[0])
    return catalog.item(index), catalog.title(index)


def _alone(item: str, attributes: dict[str, str]) -> Catalog:
    return Catalog(ids_of([item]), {name: ids_of([value]) for name, value in attributes.items()})


def _neighbours(service: Service, live: Live, item: str) -> object:
    gone = live.recommender.catalog.item_ids[service.shelf.unavailable(live)].tolist()
    return standings(live.recommender.similar(item, NEIGHBOURS, exclude=gone), ())
