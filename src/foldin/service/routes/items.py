"""Items: what the catalogue says of them, and whether they can be had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict
from enum import Enum
from functools import partial

from fastapi import APIRouter, Depends

from foldin.data.availability import unavailable
from foldin.data.catalog import Catalog, ids_of
from foldin.data.known_attributes import AVAILABILITY, HIDDEN, known_names
from foldin.service.attribute_names import check_names
from foldin.service.bodies import QuickRoute, StrictRoute
from foldin.service.field_types import TextId
from foldin.service.gate import needs
from foldin.service.messages import ItemEntry, ItemRequest, ItemResponse, ItemsRequest, ItemsStored
from foldin.service.offered import offered
from foldin.service.service import Service
from foldin.store.contract import Store

__all__ = ["item_routes", "many_items_routes"]

TAGS: list[str | Enum] = ["items"]


def many_items_routes(service: Service) -> APIRouter:
    """What a key of scope `catalogue` may do with many items."""
    routes = APIRouter(prefix="/v1", route_class=QuickRoute, dependencies=[Depends(needs("catalogue"))], tags=TAGS)

    @routes.post("/items")
    async def store(sent: ItemsRequest) -> ItemsStored:
        """Stores up to 10,000 items, all or nothing; what the catalogue says of each of them is replaced, and others
        stay as they are. The catalogue is read again once."""

        def write(store: Store) -> ItemsStored:
            items = _catalog_of(sent.items)
            _check_names(service.shelf.catalog, items.attributes.keys())
            _put(service, store, items)
            return ItemsStored(stored=len(sent.items))

        return await service.writing_desk.run(write)

    return routes


def item_routes(service: Service) -> APIRouter:
    """What it may do with an item by its id; one with a slash goes in the query, as `/v1/item?item=a/b`."""
    routes = APIRouter(prefix="/v1", route_class=StrictRoute, dependencies=[Depends(needs("catalogue"))], tags=TAGS)

    @routes.get("/item")
    @routes.get("/items/{item}")
    async def get(item: TextId) -> ItemResponse:
        """What the catalogue says of an item."""
        return _item(service, service.shelf.catalog, item)

    @routes.put("/item")
    @routes.put("/items/{item}")
    async def put(item: TextId, sent: ItemRequest) -> ItemResponse:
        """Replaces what the catalogue says of an item; one that hides it is in force at once."""

        def write(store: Store) -> ItemResponse:
            described = Catalog.of_one(item, sent.attributes)
            _check_names(service.shelf.catalog, described.attributes.keys())
            _put(service, store, described)
            return _item(service, service.shelf.catalog, item)

        return await service.writing_desk.run(write)

    @routes.delete("/item")
    @routes.delete("/items/{item}")
    async def hide(item: TextId) -> ItemResponse:
        """Hides an item from all rankings; what people did with it stays, and is learned from."""

        def write(store: Store) -> ItemResponse:
            store.alter_item(item, partial(_hidden, service, item))
            service.shelf.refresh(store)
            return _item(service, service.shelf.catalog, item)

        return await service.writing_desk.run(write)

    return routes


def _check_names(catalog: Catalog, added: Set[str]) -> None:
    # those that say when an item can be had are not counted, so that one can always be hidden
    check_names(catalog.attributes.keys() - {*AVAILABILITY}, added - {*AVAILABILITY}, "the catalogue")


def _catalog_of(items: Sequence[ItemEntry]) -> Catalog:
    # of each item apart: what one calls Title another may call title
    described = [{known: one.attributes[name] for name, known in known_names(one.attributes).items()} for one in items]
    names = sorted({name for attributes in described for name in attributes})
    columns = {name: ids_of([attributes.get(name) for attributes in described]) for name in names}
    return Catalog(ids_of([one.item for one in items]), columns)


def _put(service: Service, store: Store, items: Catalog) -> None:
    """Stores items, which the rankings know from here on."""
    unavailable(items)  # refuses what cannot be understood, before anything is stored
    store.put_catalog(items)
    service.shelf.refresh(store)


def _hidden(service: Service, item: str, known: Mapping[str, str] | None) -> dict[str, str]:
    catalog = Catalog(ids_of([])) if known is None else Catalog.of_one(item, known)
    return {**_item(service, catalog, item).attributes, HIDDEN: "true"}


def _item(service: Service, catalog: Catalog, item: str) -> ItemResponse:
    return ItemResponse(**asdict(offered(item, catalog, service.live.now())))
