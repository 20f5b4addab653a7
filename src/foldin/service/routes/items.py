"""Items: what the catalogue says of them, and whether they can be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial

from fastapi import APIRouter, Depends

from foldin.data.availability import AVAILABILITY, HIDDEN, unavailable
from foldin.data.catalog import Catalog, ids_of
from foldin.errors import DataError
from foldin.service.bodies import StrictRoute
from foldin.service.gate import needs
from foldin.service.messages import Id, ItemRequest, ItemResponse
from foldin.service.offered import offered
from foldin.service.service import Service
from foldin.store.contract import Store

__all__ = ["item_routes"]

MOST_NAMES = 256
"""Different names of attributes in a catalogue that is written here: each is a column over all items wherever the
catalogue is read. Those that say when an item can be had are not counted, so that one can always be hidden."""


def item_routes(service: Service) -> APIRouter:
    """What a key of scope `ingest` may do; an id with a slash goes in the query, as `/v1/item?item=a/b`."""
    routes = APIRouter(prefix="/v1", tags=["items"], route_class=StrictRoute, dependencies=[Depends(needs("ingest"))])

    @routes.get("/item")
    @routes.get("/items/{item}")
    async def get(item: Id) -> ItemResponse:
        """What the catalogue says of an item."""
        return _item(service, service.shelf.catalog, item)

    @routes.put("/item")
    @routes.put("/items/{item}")
    async def put(item: Id, sent: ItemRequest) -> ItemResponse:
        """Replaces what the catalogue says of an item; one that hides it is in force at once."""

        def write(store: Store) -> ItemResponse:
            _check_names(service.shelf.catalog, sent.attributes)
            one = Catalog.of_one(item, sent.attributes)
            unavailable(one)  # refuses what cannot be understood, before it is stored
            store.put_catalog(one)
            return _shown(service, store, item)

        return await service.writing_desk.run(write)

    @routes.delete("/item")
    @routes.delete("/items/{item}")
    async def hide(item: Id) -> ItemResponse:
        """Hides an item from all rankings; what people did with it stays, and is learned from."""

        def write(store: Store) -> ItemResponse:
            store.alter_item(item, partial(_hidden, service, item))
            return _shown(service, store, item)

        return await service.writing_desk.run(write)

    return routes


def _check_names(catalog: Catalog, attributes: Mapping[str, str]) -> None:
    counted = {*catalog.attributes, *attributes}.difference(AVAILABILITY)
    if len(counted) > MOST_NAMES and counted - catalog.attributes.keys():
        problem = f"the catalogue would have {len(counted)} attribute names, and {MOST_NAMES} is the most"
        raise DataError(
            f"{problem}: use names that other items have, or put several values under one", field="attributes"
        )


def _hidden(service: Service, item: str, known: Mapping[str, str] | None) -> dict[str, str]:
    catalog = Catalog(ids_of([])) if known is None else Catalog.of_one(item, known)
    return {**_item(service, catalog, item).attributes, HIDDEN: "true"}


def _shown(service: Service, store: Store, item: str) -> ItemResponse:
    """What is said of an item once it is written, which the rankings know from here on."""
    service.shelf.refresh(store)
    return _item(service, service.shelf.catalog, item)


def _item(service: Service, catalog: Catalog, item: str) -> ItemResponse:
    return ItemResponse(**asdict(offered(item, catalog, service.live.now())))
