"""Whether the service lives, whether it can answer, and its measures."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Depends, Query, Response
from starlette.responses import JSONResponse

from foldin.errors import FoldinError
from foldin.service.bodies import StrictRoute
from foldin.service.gate import needs
from foldin.service.measures import text_of
from foldin.service.service import Service

__all__ = ["health_routes", "measure_routes"]


AWAY = "the store is away"
UNWRITABLE = "events cannot be stored: the log says why"

Purpose: TypeAlias = Literal["read", "write"]


class Metrics(Response):
    """Prometheus' text form."""

    media_type = "text/plain; version=0.0.4; charset=utf-8"


def health_routes(service: Service) -> APIRouter:
    """`/health/live` and `/health/ready`, for load balancers and supervisors; open to all, so they say little."""
    routes = APIRouter(prefix="/health", tags=["health"], route_class=StrictRoute)

    @routes.get("/live")
    async def live() -> dict[str, str]:
        """Answers as long as the process lives."""
        return {"status": "live"}

    @routes.get("/ready", responses={503: {"description": "No model yet, or the store is away or cannot be written."}})
    async def ready(purpose: Annotated[Purpose, Query(alias="for")] = "read") -> Response:
        """Whether recommendations can be given: there is a model, and the store answers.

        With `for=write`: whether events can be stored, found out by writing a few bytes, at most once a second;
        `writing` says so as of the last write.
        """
        writing = await service.write_check.succeeds(probe=purpose == "write")
        reason = await _reading_problem(service) if purpose == "read" else None if writing else UNWRITABLE
        body = {"status": _state(reason is None), "writing": _state(writing and reason != AWAY)}
        return JSONResponse(body if reason is None else {**body, "reason": reason}, 200 if reason is None else 503)

    return routes


async def _reading_problem(service: Service) -> str | None:
    try:
        await service.desk.run(lambda store: store.cursor("health"))
    except FoldinError:
        return AWAY
    return AWAY if service.scorer.away else None if service.live.now() else "no model yet"


def _state(ready: bool) -> str:
    return "ready" if ready else "not ready"


def measure_routes(service: Service) -> APIRouter:
    """`/metrics`, in Prometheus' text form."""
    routes = APIRouter(tags=["health"], route_class=StrictRoute, dependencies=[Depends(needs("read"))])

    @routes.get("/metrics", response_class=Metrics)
    async def metrics() -> Response:
        """Latency by route, queue, batch size, model version and age, events, cold starts, coverage and clicks."""
        clicks = await service.clicks.counted()
        return Metrics(text_of(await asyncio.to_thread(service.all_measures), clicks))

    return routes
