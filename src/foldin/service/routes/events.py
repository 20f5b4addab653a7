"""Events as they happen: acknowledged once they are on disk, and in the very next recommendation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Discriminator, Tag, ValidationError

from foldin.errors import ConflictError, DataError, FoldinError
from foldin.service.aside import aside
from foldin.service.bodies import QuickRoute
from foldin.service.gate import needs
from foldin.service.histories import log_of
from foldin.service.messages import Appended, Event, EventsRequest, PartialEventsRequest
from foldin.service.problems import status_of
from foldin.service.service import Service
from foldin.store.contract import Batch, Ingested

__all__ = ["event_routes"]

SOURCE = "http"
"""Where the store says such events came from."""

AT_ONCE = 256
"""Events that are brought to the store at once where each stands for itself: they share few commits, and leave room
for those of others."""


MANY = 256
"""Events that take so long to read that others had better be answered meanwhile."""


def _form(body: object) -> str:
    partial = body.get("partial") if isinstance(body, dict) else getattr(body, "partial", False)
    return "partial" if partial is True else "whole"


_Events = Annotated[
    Annotated[EventsRequest, Tag("whole")] | Annotated[PartialEventsRequest, Tag("partial")], Discriminator(_form)
]


def event_routes(service: Service) -> APIRouter:
    """What a key of scope `ingest` may write."""
    routes = APIRouter(prefix="/v1", tags=["events"], route_class=QuickRoute, dependencies=[Depends(needs("ingest"))])

    @routes.post("/events")
    async def events(sent: _Events) -> Appended:
        """Stores up to 10,000 events: all or nothing, or each for itself."""
        stored = await (_each(service, sent) if isinstance(sent, PartialEventsRequest) else _together(service, sent))
        for outcome, count in (("stored", stored.stored), ("known", stored.known), ("forgotten", stored.forgotten)):
            service.measures.events.labels(outcome).inc(count)
        return stored

    return routes


async def _together(service: Service, sent: EventsRequest) -> Appended:
    return _appended([await service.intake.append(await _built(sent.events))])


async def _each(service: Service, sent: PartialEventsRequest) -> Appended:
    read = await aside(lambda: [_read(event) for event in sent.events], long=len(sent.events) > MANY)
    stored, codes = await _stored(service, [event for event in read if event is not None])
    following = iter(codes)
    return _appended(stored, [422 if event is None else next(following) for event in read])


async def _stored(service: Service, events: Sequence[Event]) -> tuple[list[Ingested], list[int]]:
    """What was stored, and of each event what became of it; all at once where nothing is wrong with any."""
    if not events:
        return [], []
    try:
        return [await service.intake.append(await _built(events))], [200] * len(events)
    except (ConflictError, DataError):
        outcomes = await _one_by_one(service, events)
    return [one for one in outcomes if isinstance(one, Ingested)], [_code(one) for one in outcomes]


async def _one_by_one(service: Service, events: Sequence[Event]) -> list[Ingested | FoldinError]:
    outcomes: list[Ingested | FoldinError] = []
    for start in range(0, len(events), AT_ONCE):
        outcomes += await asyncio.gather(*(_alone(service, event) for event in events[start : start + AT_ONCE]))
    return outcomes


async def _alone(service: Service, event: Event) -> Ingested | FoldinError:
    """What became of one event; raises where the store is away, since then no code says it."""
    try:
        return await service.intake.append(_batch([event]))
    except FoldinError as refusal:
        if status_of(refusal) >= 500:
            raise
        return refusal


def _read(plain: dict[str, object]) -> Event | None:
    try:
        return Event.model_validate(plain)
    except ValidationError:
        return None


def _code(outcome: Ingested | FoldinError) -> int:
    return status_of(outcome) if isinstance(outcome, FoldinError) else 200


async def _built(events: Sequence[Event]) -> Batch:
    return await aside(partial(_batch, events), long=len(events) > MANY)


def _batch(events: Sequence[Event]) -> Batch:
    return Batch(
        log_of(events, datetime.now(UTC)),
        SOURCE,
        [event.event_id for event in events],
        recommendation_ids=[event.recommendation_id for event in events],
        times_filled=[event.time is None for event in events],
    )


def _appended(done: Sequence[Ingested], codes: list[int] | None = None) -> Appended:
    return Appended(
        stored=sum(one.events for one in done),
        known=sum(one.known for one in done),
        forgotten=sum(one.forgotten for one in done),
        codes=codes,
    )
