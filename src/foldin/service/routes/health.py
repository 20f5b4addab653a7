"""Whether the service lives, whether it can answer, and its measures."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Depends, Response
from starlette.responses import JSONResponse

from foldin.errors import FoldinError
from foldin.service.bodies import StrictRoute
from foldin.service.gate import needs
from foldin.service.measures import text_of
from foldin.service.service import Service

__all__ = ["health_routes", "measure_routes"]


AWAY = "the store is away"


class Metrics(Response):
    """Prometheus' text form."""

    media_type = "text/plain; version=0.0.4; charset=utf-8"


def health_routes(service: Service) -> APIRouter:
    """`/health/live` and `/health/ready`, for whoever looks after the process; open to all, and telling little."""
    routes = APIRouter(prefix="/health", tags=["health"], route_class=StrictRoute)

    @routes.get("/live")
    async def live() -> dict[str, str]:
        """Answers as long as the process lives."""
        return {"status": "live"}

    @routes.get("/ready", responses={503: {"description": "No model yet, or the store is away."}})
    async def ready() -> Response:
        """Whether recommendations can be given: there is a model, and the store answers."""
        try:
            await service.desk.run(lambda store: store.cursor("health"))
            reason = AWAY if service.scorer.away else None if service.live.now() else "no model yet"
        except FoldinError:
            reason = AWAY
        body = {"status": "ready"} if reason is None else {"status": "not ready", "reason": reason}
        return JSONResponse(body, 200 if reason is None else 503)

    return routes


def measure_routes(service: Service) -> APIRouter:
    """`/metrics`, in Prometheus' text form."""
    routes = APIRouter(tags=["health"], route_class=StrictRoute, dependencies=[Depends(needs("read"))])

    @routes.get("/metrics", response_class=Metrics)
    async def metrics() -> Response:
        """Latency by route, queue, batch size, model version and age, events, cold starts, coverage and clicks."""
        clicks = await service.clicks.counted()
        return Metrics(text_of(await asyncio.to_thread(service.all_measures), clicks))

    return routes
