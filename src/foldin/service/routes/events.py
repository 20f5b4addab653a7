"""Events as they happen: acknowledged once they are on disk, and in the very next recommendation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, Request
from pydantic import Discriminator, Tag, ValidationError

from foldin.errors import ConflictError, DataError, FoldinError
from foldin.service.bodies import QuickRoute
from foldin.service.gate import needs
from foldin.service.histories import log_of
from foldin.service.messages import Appended, Event, EventsRequest, PartialEventsRequest
from foldin.service.offload import check_cancelled, offload
from foldin.service.problems import detail_of, faults_of, status_of
from foldin.service.service import Service
from foldin.store.contract import Batch, Ingested

__all__ = ["event_routes"]

AT_ONCE = 256
"""Events that are brought to the store at once where each stands for itself: they share few commits, and leave room
for those of others."""


MANY = 256
"""Events that take so long to read that others had better be answered meanwhile."""


_Outcome: TypeAlias = Ingested | FoldinError

NOTHING = Ingested(0, 0, 0, 0, 0)
"""What an event adds that was counted with another."""


def _form(body: object) -> str:
    partial = body.get("partial") if isinstance(body, dict) else getattr(body, "partial", False)
    return "partial" if partial is True else "whole"


_Events = Annotated[
    Annotated[EventsRequest, Tag("whole")] | Annotated[PartialEventsRequest, Tag("partial")], Discriminator(_form)
]


def event_routes(service: Service) -> APIRouter:
    """What a key of scope `events` may write."""
    routes = APIRouter(prefix="/v1", tags=["events"], route_class=QuickRoute, dependencies=[Depends(needs("events"))])

    @routes.post("/events")
    async def events(sent: _Events, request: Request) -> Appended:
        """Stores up to 10,000 events: all or nothing, or each for itself."""
        source = request.state.key.source
        if isinstance(sent, PartialEventsRequest):
            stored = await _each(service, sent, source)
        else:
            stored = await _together(service, sent, source)
        for outcome, count in (("stored", stored.stored), ("known", stored.known), ("forgotten", stored.forgotten)):
            service.measures.events.labels(outcome).inc(count)
        return stored

    return routes


async def _together(service: Service, sent: EventsRequest, source: str) -> Appended:
    return _appended([await service.intake.append(await _built(sent.events, source))])


async def _each(service: Service, sent: PartialEventsRequest, source: str) -> Appended:
    read = await offload(partial(_read_all, sent.events), long=len(sent.events) > MANY)
    stored = iter(await _stored(service, [event for event in read if isinstance(event, Event)], source))
    return _apart([next(stored) if isinstance(event, Event) else event for event in read])


async def _stored(service: Service, events: Sequence[Event], source: str) -> Sequence[_Outcome]:
    """What became of each event; all are brought at once where nothing is wrong with any."""
    if not events:
        return []
    try:
        together = await service.intake.append(await _built(events, source))
    except (ConflictError, DataError):
        return await _one_by_one(service, events, source)
    return [together, *[NOTHING] * (len(events) - 1)]


async def _one_by_one(service: Service, events: Sequence[Event], source: str) -> list[_Outcome]:
    outcomes: list[_Outcome] = []
    for start in range(0, len(events), AT_ONCE):
        some = events[start : start + AT_ONCE]
        outcomes += await asyncio.gather(*(_alone(service, event, source) for event in some))
    return outcomes


async def _alone(service: Service, event: Event, source: str) -> _Outcome:
    """What became of one event; raises where the store is away, since then no code says it."""
    try:
        return await service.intake.append(_batch([event], source))
    except ConflictError:
        return ConflictError(f"event id '{event.event_id}' belongs to another event")
    except FoldinError as refusal:
        if status_of(refusal) >= 500:
            raise
        return refusal


def _read_all(plain: Sequence[dict[str, object]]) -> list[Event | DataError]:
    read = []
    for event in plain:
        check_cancelled()
        read.append(_read(event))
    return read


def _read(plain: dict[str, object]) -> Event | DataError:
    try:
        return Event.model_validate(plain)
    except ValidationError as error:
        return DataError(detail_of(faults_of(error.errors(include_url=False, include_input=False))))


async def _built(events: Sequence[Event], source: str) -> Batch:
    return await offload(partial(_batch, events, source), long=len(events) > MANY)


def _batch(events: Sequence[Event], source: str) -> Batch:
    return Batch(
        log_of(events, datetime.now(UTC)),
        source,
        [event.event_id for event in events],
        recommendation_ids=[event.recommendation_id for event in events],
        times_filled=[event.time is None for event in events],
    )


def _apart(outcomes: Sequence[_Outcome]) -> Appended:
    """The same of events each of which stands for itself: a code says what became of it, and a reason why not."""
    refused = [outcome if isinstance(outcome, FoldinError) else None for outcome in outcomes]
    return _appended([one for one in outcomes if isinstance(one, Ingested)]).model_copy(
        update={
            "codes": [200 if refusal is None else status_of(refusal) for refusal in refused],
            "reasons": [None if refusal is None else str(refusal) for refusal in refused],
        }
    )


def _appended(done: Sequence[Ingested]) -> Appended:
    return Appended(
        stored=sum(one.events for one in done),
        known=sum(one.known for one in done),
        forgotten=sum(one.forgotten for one in done),
    )
