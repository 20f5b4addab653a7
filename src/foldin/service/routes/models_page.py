"""The page's Models: which there are, how good they are, and what trains just now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from foldin.errors import NotFoundError
from foldin.service.page.bundles import HEADLINES, figures_of, made, older_than_current, shown
from foldin.service.page.charts import Chart, click_chart, error_chart, length_chart, quality_chart
from foldin.service.page.clicked import RANKS, clicked_by_model
from foldin.service.page.rendering import has_session, page
from foldin.service.page.trainings import stand_of
from foldin.service.service import Service
from foldin.store.contract import ClickThrough
from foldin.wording import command
from foldin.workspace import Bundle

__all__ = ["models_page_routes"]


def models_page_routes(service: Service) -> APIRouter:
    """`/models` and what it fetches; what changes something goes to `/v1`."""
    routes = APIRouter(prefix="/models", include_in_schema=False)

    @routes.get("")
    async def models(request: Request, bundle: str | None = None) -> Response:
        """All bundles, the newest first, and one of them in full: the live one unless another is asked for."""
        bundles = await service.bundle_list.bundles()
        live = service.live.now()
        version = None if live is None else live.version
        chosen = _named(bundles, bundle) if bundle else _live_or_newest(bundles, version)
        counted = await service.clicks.counted()
        jobs = await asyncio.to_thread(service.jobs.all)
        summary = await service.desk.run(lambda store: store.summary())
        names = [one.name for one in bundles]
        contenders, figures = ([], []) if chosen is None else figures_of(chosen)
        return page(
            "models.html",
            here="models",
            signed_in=has_session(request.scope),
            headlines=HEADLINES,
            bundles=[shown(one, version, service.live.refused.get(one.name)) for one in reversed(bundles)],
            older=older_than_current(bundles),
            gone=None if version in names else version,
            chosen=chosen,
            made=None if chosen is None else made(chosen),
            contenders=contenders,
            figures=figures,
            charts=[] if chosen is None else _charts(chosen, counted),
            clicked=clicked_by_model(counted),
            ranks=range(1, RANKS + 1),
            events=summary.events,
            way_back=version if version in names else None,
            jobs=jobs,
            shown=stand_of(jobs),
            stale=False,
            ingest=command("ingest", service.workspace.folder),
            train=command("train", service.workspace.folder),
        )

    @routes.get("/jobs")
    async def jobs(shown: str = "") -> Response:
        """What trains just now; all of the page is filled anew once that is another than what it shows, or none."""
        known = await asyncio.to_thread(service.jobs.all)
        latest = stand_of(known)
        if shown == latest and not latest.endswith("running"):
            return Response(status_code=204)
        return page("jobs.html", jobs=known, shown=latest, stale=shown != latest)

    return routes


def _named(bundles: Sequence[Bundle], name: str) -> Bundle:
    found = next((bundle for bundle in bundles if bundle.name == name), None)
    if found is None:
        raise NotFoundError(f"no bundle '{name}'")
    return found


def _live_or_newest(bundles: Sequence[Bundle], version: str | None) -> Bundle | None:
    """The newest one also where the folder of the live one has gone."""
    return next((bundle for bundle in bundles if bundle.name == version), bundles[-1] if bundles else None)


def _charts(bundle: Bundle, counted: Sequence[ClickThrough]) -> list[Chart]:
    charts = [*_reported(bundle), click_chart(bundle.name, counted)]
    return [chart for chart in charts if chart is not None]


def _reported(bundle: Bundle) -> list[Chart | None]:
    report = None if bundle.manifest is None else bundle.manifest.report
    if report is None or bundle.manifest is None:
        return []
    by_length = () if report.figures is None else report.figures.by_length
    return [
        length_chart(bundle.manifest.model, by_length),
        error_chart(report.epochs),
        quality_chart(report.epochs),
    ]
