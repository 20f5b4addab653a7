"""The page's Data: how much there is, how it is spread, and what the doctor warns of."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from foldin.service.page.charts import Chart, daily_chart, feedback_chart, spread_chart, tail_chart
from foldin.service.page.digest import Digest
from foldin.service.page.reading import Reading
from foldin.service.page.rendering import page
from foldin.service.service import Service

__all__ = ["data_page_routes"]


def data_page_routes(service: Service, reading: Reading) -> APIRouter:
    """`/data`."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/data")
    async def data(awaited: int | None = None) -> Response:
        """What the store holds; counted on a thread of its own, and shown once that is done.

        `awaited`: the position that an open page waits for, so that it hears nothing before, and no more after.
        """
        summary = await service.desk.run(lambda store: store.summary())
        position = summary.position if awaited is None else min(awaited, summary.position)
        digest = reading.digest(position)
        behind = digest is not None and digest.position < position
        if behind and awaited is not None and reading.trouble is None:
            return Response(status_code=204)
        sources = await service.desk.run(lambda store: store.sources())
        return page(
            "data.html",
            here="data",
            summary=summary,
            sources=sources,
            digest=digest,
            trouble=reading.trouble,
            behind=behind,
            charts=[] if digest is None or not digest.diagnosis.events else _charts(digest),
        )

    return routes


def _charts(digest: Digest) -> list[Chart]:
    charts = (
        daily_chart(digest),
        tail_chart(digest),
        feedback_chart(digest),
        spread_chart("Events per person", "people", digest.per_user, "history"),
        spread_chart("Events per item", "items", digest.per_item, "content"),
    )
    return [chart for chart in charts if chart is not None]
