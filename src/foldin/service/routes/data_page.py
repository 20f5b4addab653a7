"""The page's Data: how much there is, how it is spread, and what the doctor warns of."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from foldin.service.page.charts import Chart, daily_chart, feedback_chart, spread_chart, tail_chart
from foldin.service.page.digest import Digest
from foldin.service.page.reading import Reading
from foldin.service.page.rendering import has_session, page
from foldin.service.service import Service
from foldin.wording import command

__all__ = ["data_page_routes"]


SOON = 1
"""Seconds until an open page asks again while events are counted."""

LATER = 5
"""And once they are."""


def data_page_routes(service: Service, reading: Reading) -> APIRouter:
    """`/data`."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/data")
    async def data(request: Request, counted: int | None = None, told: bool = False) -> Response:
        """What the store holds; counted on a thread of its own, and shown once that is done.

        `counted`: up to where an open page shows what was counted, -1 where nothing was, so that it hears of news only;
        `told`: whether it says already why no more was.
        """
        summary = await service.desk.run(lambda store: store.summary())
        digest = reading.digest(summary.position, patient=counted is not None)
        if counted is not None and not _is_news(digest, counted) and (told or reading.trouble is None):
            return Response(status_code=204)
        sources = await service.desk.run(lambda store: store.sources())
        behind = digest is None or digest.position < summary.position
        counting = behind and counted is None and reading.trouble is None
        return page(
            "data.html",
            here="data",
            signed_in=has_session(request.scope),
            summary=summary,
            sources=sources,
            digest=digest,
            trouble=reading.trouble,
            ingest=command("ingest", service.workspace.folder),
            train="" if digest is None else command(_train(digest), service.workspace.folder),
            counting=counting,
            pause=SOON if counting else LATER,
            charts=[] if digest is None or not digest.diagnosis.events else _charts(digest),
        )

    return routes


def _train(digest: Digest) -> str:
    return f"train {digest.diagnosis.hint.options}".rstrip()


def _is_news(digest: Digest | None, counted: int) -> bool:
    return digest is not None and digest.position > counted


def _charts(digest: Digest) -> list[Chart]:
    charts = (
        daily_chart(digest),
        tail_chart(digest),
        feedback_chart(digest),
        spread_chart("Events per person", "people", digest.per_user, "history"),
        spread_chart("Events per item", "items", digest.per_item, "content"),
    )
    return [chart for chart in charts if chart is not None]
