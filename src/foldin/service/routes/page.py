"""The page: Recommend and What if, and what they fetch while somebody types and clicks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import Annotated, TypedDict

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from foldin.data.interactions import History
from foldin.data.matrix import history_matrix
from foldin.data.profiles import Profile
from foldin.recommender import Recommender
from foldin.service.field_types import SearchQuery, TextId
from foldin.service.gate import needs
from foldin.service.offload import offload
from foldin.service.page.curves import Curve, curve_of
from foldin.service.page.drafts import Draft, read_draft, revised, settled
from foldin.service.page.fields import changes, fields_of, laid_over, profile_of
from foldin.service.page.past import LONG, Done, past_of
from foldin.service.page.people import People
from foldin.service.page.reading import Reading
from foldin.service.page.reasons import Reason, reasons_for
from foldin.service.page.rendering import has_session, page
from foldin.service.page.standings import Segment, Standing, mean_shares, segments_of, standings
from foldin.service.page.trainings import stand_of
from foldin.service.persons import known_of
from foldin.service.routes.assets import asset_routes
from foldin.service.routes.catalogue import catalogue_routes
from foldin.service.routes.data_page import data_page_routes
from foldin.service.routes.models_page import models_page_routes
from foldin.service.routes.pickers import picker_routes
from foldin.service.scoring import Answer, Wish
from foldin.service.service import Service
from foldin.wording import command

__all__ = ["page_routes"]

SHOWN = 10

SHOWN_STAND = "foldin-shown"
"""A header of what a page asks by itself: how the last training stands there, and whether there are events."""


@dataclass(frozen=True)
class Somebody:
    """Whom a ranking is for; `known`: whether the store knows the user, True for nobody."""

    user: str | None
    history: History
    profile: Profile
    known: bool
    query: str = ""


@dataclass(frozen=True)
class Outcome:
    """A ranking with what it rests on: `shares` of the terms over all of it, and where the handover stands.

    `notices`: what of the profile says nothing; `unmatched`: what of the query finds no item.
    """

    standings: Sequence[Standing]
    shares: Mapping[str, float]
    segments: Sequence[Segment]
    curve: Curve | None
    model: str
    notices: Sequence[str]
    unmatched: str


class View(TypedDict):
    """What every page of a ranking shows."""

    somebody: Somebody
    past: Sequence[Done]
    outcome: Outcome


def page_routes(service: Service) -> APIRouter:
    """What a browser asks; all of it for whoever may do everything, as it shows what people did."""
    routes = APIRouter(include_in_schema=False, dependencies=[Depends(needs("admin"))])
    people, reading = People(service.desk), Reading(service.workspace.store_url)
    routes.include_router(catalogue_routes(service, reading))
    routes.include_router(models_page_routes(service))
    routes.include_router(data_page_routes(service, reading))
    routes.include_router(picker_routes(service, people))
    routes.include_router(asset_routes())

    routes.include_router(_pages(service, people))
    routes.include_router(_answers(service))
    return routes


def _pages(service: Service, people: People) -> APIRouter:
    """Recommend and What if as they are opened."""
    routes = APIRouter()

    @routes.get("/")
    async def recommend(
        request: Request, user: TextId | None = None, query: Annotated[SearchQuery, Query()] = ""
    ) -> Response:
        """The ten best for somebody, or for nobody yet, and for what they look for."""
        if service.live.now() is None:
            return await _no_model(service, request, "recommend")
        view, _ = await _ranked(service, replace(await _somebody(service, user), query=query.strip()))
        some, signed_in = await people.some(), has_session(request.scope)
        return await _rendered("recommend.html", view, here="recommend", signed_in=signed_in, some=some)

    @routes.get("/what-if")
    async def what_if(request: Request) -> Response:
        """The same, to be played with, as far as the address says already."""
        if service.live.now() is None:
            return await _no_model(service, request, "what-if")
        draft = read_draft(request.scope["query_string"])
        start = await _somebody(service, draft.user)
        recommender = service.live.answering().recommender
        profile = laid_over(recommender, start.profile, draft.profile)
        somebody = _as_drafted(recommender, start, draft, {name: cell for name, cell in profile.items() if cell})
        draft = settled(draft, start.history, draft.profile)
        view, _ = await _ranked(service, somebody)
        fields = fields_of(recommender, profile)
        return await _rendered(
            "what_if.html",
            view,
            here="what-if",
            signed_in=has_session(request.scope),
            draft=draft,
            fields=fields,
        )

    return routes


async def _rendered(template: str, view: View, **values: object) -> Response:
    """A page of a ranking; aside where the history is long, as all of it is in the page."""
    return await offload(partial(page, template, 200, **values, **view), long=len(view["past"]) > LONG)


async def _no_model(service: Service, request: Request, here: str) -> Response:
    """What is shown before there is a model: how to get one, or how its training goes; nothing where that is shown."""
    folder = service.workspace.folder
    jobs = await asyncio.to_thread(service.jobs.all)
    last = jobs[-1] if jobs else None
    training = last if last is not None and last.state == "running" else None
    summary = await service.desk.run(lambda store: store.summary())
    stand = f"{stand_of(jobs)} {'some' if summary.events else 'no'} events".strip()
    if request.headers.get(SHOWN_STAND) == stand and training is None:
        return Response(status_code=204)
    return page(
        "no_model.html",
        here=here,
        signed_in=has_session(request.scope),
        commands=[command("ingest", folder, "events.csv"), command("train", folder)],
        events=summary.events,
        training=training,
        failed=last if last is not None and last.state == "failed" else None,
        shown=stand,
    )


def _answers(service: Service) -> APIRouter:
    """What they fetch as the form on them changes."""
    routes = APIRouter()

    @routes.post("/what-if")
    async def changed(request: Request) -> Response:
        """The ranking for the form as it is now, and the history with it."""
        draft = read_draft(await request.body())
        start, somebody = await _drafted(service, draft)
        view, recommender = await _ranked(service, somebody, draft.before)
        draft = settled(draft, start.history, changes(fields_of(recommender, start.profile), draft.profile))
        return await _rendered("changed.html", view, draft=draft)

    @routes.post("/reasons")
    async def reasons(request: Request) -> Response:
        """Why the items that are shown are recommended; worked out after them, as it takes longer."""
        draft = read_draft(await request.body())
        _, somebody = await _drafted(service, draft)
        recommender = service.live.answering().recommender
        found = await service.explainer.run(lambda: _reasons(recommender, somebody, draft.before[:SHOWN]))
        return page("reasons.html", reasons=found)

    return routes


async def _somebody(service: Service, user: str | None) -> Somebody:
    if user is None:
        return Somebody(None, History(()), {}, known=True)
    known = await service.desk.run(lambda store: known_of(store, user))
    return Somebody(user, known.history, known.profile, known.heard_of)


async def _ranked(service: Service, somebody: Somebody, before: Sequence[str] = ()) -> tuple[View, Recommender]:
    """Somebody, what they did and what is recommended to them, and the model that did so."""
    outcome, recommender = await _outcome(service, somebody, before)
    past = await past_of(somebody.history, recommender.catalog, service.shelf.catalog)
    return {"somebody": somebody, "past": past, "outcome": outcome}, recommender


async def _drafted(service: Service, draft: Draft) -> tuple[Somebody, Somebody]:
    """Whom a draft that holds all of the profile starts from, and whom it makes of them."""
    recommender = service.live.answering().recommender
    start = await _somebody(service, draft.user)
    return start, _as_drafted(recommender, start, draft, profile_of(recommender, draft.profile))


def _as_drafted(recommender: Recommender, start: Somebody, draft: Draft, profile: Profile) -> Somebody:
    history = revised(start.history, draft, recommender.rule)
    return replace(start, history=history, profile=profile, query=draft.query)


async def _outcome(service: Service, somebody: Somebody, before: Sequence[str]) -> tuple[Outcome, Recommender]:
    deadline = monotonic() + service.settings.deadline
    wish = Wish(history=somebody.history, profile=somebody.profile, query=somebody.query, k=SHOWN, deadline=deadline)
    answer = await service.scorer.submit(wish)
    (notices,) = await service.notices.of(answer.live, [somebody.profile])
    shares, curve = mean_shares(answer.ranking), _curve_of(answer)
    outcome = Outcome(
        standings(answer.ranking, before),
        shares,
        segments_of(shares),
        curve,
        answer.live.version,
        notices,
        "; ".join(answer.live.recommender.query_notices(somebody.query)),
    )
    return outcome, answer.live.recommender


def _curve_of(answer: Answer) -> Curve | None:
    recommender = answer.live.recommender
    row = recommender.foldable(history_matrix([answer.history], recommender.catalog, recommender.rule)[0])
    return curve_of(recommender.blend.handover, int(row.nnz), telling=float(answer.ranked.telling[answer.row]))


def _reasons(recommender: Recommender, somebody: Somebody, items: Sequence[str]) -> dict[str, list[Reason]]:
    known = [item for item in items if recommender.catalog.knows([item])[0]]
    return reasons_for(recommender, somebody.history, somebody.profile, somebody.query, known)
