"""The page: Recommend and What if, and what they fetch while somebody types and clicks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from foldin.data.interactions import History
from foldin.data.matrix import history_matrix
from foldin.data.profiles import Profile
from foldin.errors import NotFoundError
from foldin.recommender import Recommender
from foldin.service.live import Live
from foldin.service.messages import Id
from foldin.service.page.api import messages_of, operations_of
from foldin.service.page.assets import asset
from foldin.service.page.curves import Curve, curve_of
from foldin.service.page.drafts import Draft, read_draft, revised
from foldin.service.page.fields import fields_of, profile_of
from foldin.service.page.listing import titles_of
from foldin.service.page.past import past_of
from foldin.service.page.people import People, found
from foldin.service.page.reading import Reading
from foldin.service.page.reasons import Reason, reasons_for
from foldin.service.page.rendering import page
from foldin.service.page.standings import Segment, Standing, mean_shares, segments_of, standings
from foldin.service.routes.catalogue import catalogue_routes
from foldin.service.routes.data_page import data_page_routes
from foldin.service.routes.models_page import models_page_routes
from foldin.service.scoring import Answer, Wish
from foldin.service.service import Service
from foldin.store.contract import Store

__all__ = ["page_routes"]

SHOWN = 10
FOR_EVER = "private, max-age=31536000, immutable"


@dataclass(frozen=True)
class Somebody:
    """Whom a ranking is for; `known`: whether the store knows the user, True for nobody."""

    user: str | None
    history: History
    profile: Profile
    known: bool


@dataclass(frozen=True)
class Outcome:
    """A ranking with what it rests on: `shares` of the terms over all of it, and where the handover stands."""

    standings: Sequence[Standing]
    shares: Mapping[str, float]
    segments: Sequence[Segment]
    curve: Curve | None
    model: str


def page_routes(service: Service) -> APIRouter:
    """What a browser asks; all of it for whoever may do everything, as it shows what people did."""
    routes = APIRouter(include_in_schema=False)
    people, reading = People(service.desk), Reading(service.workspace.store_url)
    routes.include_router(catalogue_routes(service, reading))
    routes.include_router(models_page_routes(service))
    routes.include_router(data_page_routes(service, reading))

    @routes.get("/")
    async def recommend(user: Id | None = None) -> Response:
        if service.live.now() is None:
            return page("no_model.html", here="recommend")
        somebody = await _somebody(service, user)
        outcome, recommender = await _outcome(service, somebody)
        return page(
            "recommend.html",
            here="recommend",
            somebody=somebody,
            past=past_of(somebody.history, recommender.catalog),
            outcome=outcome,
            some=await people.some(),
        )

    @routes.get("/what-if")
    async def what_if(user: Id | None = None) -> Response:
        if service.live.now() is None:
            return page("no_model.html", here="what-if")
        somebody = await _somebody(service, user)
        outcome, recommender = await _outcome(service, somebody)
        return page(
            "what_if.html",
            here="what-if",
            somebody=somebody,
            draft=Draft(user),
            past=past_of(somebody.history, recommender.catalog),
            fields=fields_of(recommender, somebody.profile),
            outcome=outcome,
        )

    @routes.post("/what-if")
    async def changed(request: Request) -> Response:
        """The ranking for the form as it is now, and the history with it."""
        draft = read_draft(await request.body())
        somebody = await _drafted(service, draft)
        outcome, recommender = await _outcome(service, somebody, draft.before)
        past = past_of(somebody.history, recommender.catalog)
        return page("changed.html", somebody=somebody, draft=draft, past=past, outcome=outcome)

    @routes.post("/reasons")
    async def reasons(request: Request) -> Response:
        """Why the items that are shown are recommended; worked out after them, as it takes longer."""
        draft = read_draft(await request.body())
        somebody = await _drafted(service, draft)
        told = await asyncio.to_thread(_reasons, _live(service).recommender, somebody, draft.before[:SHOWN])
        return page("reasons.html", reasons=told)

    @routes.get("/people")
    async def pick(text: str = "") -> Response:
        """People whose ids a text may be the beginning of."""
        ids = await people.ids()
        names = [ids[place] for place in found(text, ids)]
        return page("options.html", options=[(name, name, "") for name in names], nothing="Nobody is called that")

    @routes.get("/items")
    async def choose(text: str = "") -> Response:
        """Items whose title or id a text may be the beginning of."""
        catalog = _live(service).recommender.catalog
        titles = titles_of(catalog)
        places = dict.fromkeys([*found(text, titles), *found(text, catalog.item_ids.tolist())])
        options = [(str(catalog.item_ids[place]), titles[place], str(catalog.item_ids[place])) for place in places]
        return page("options.html", options=options[:SHOWN], nothing="No item is called that")

    @routes.get("/docs")
    async def docs(request: Request) -> Response:
        """The API, route by route."""
        told = request.app.openapi()
        return page("api.html", here="docs", groups=operations_of(told), messages=messages_of(told))

    @routes.get("/static/{digest}/{name:path}")
    async def static(digest: str, name: str) -> Response:
        """A script or style; it may be kept for ever, as another content has another address."""
        kept = asset(name)
        if kept is None or kept.digest != digest:
            raise HTTPException(404, "no such file")
        return Response(kept.content, headers={"Cache-Control": FOR_EVER}, media_type=kept.media_type)

    return routes


async def _somebody(service: Service, user: str | None) -> Somebody:
    if user is None:
        return Somebody(None, History(()), {}, known=True)
    name = user

    def read(store: Store) -> Somebody:
        try:
            return Somebody(name, store.history(name), store.profile(name), known=True)
        except NotFoundError:
            return Somebody(name, History(()), {}, known=False)

    return await service.desk.run(read)


async def _drafted(service: Service, draft: Draft) -> Somebody:
    recommender = _live(service).recommender
    start = await _somebody(service, draft.user)
    history = revised(start.history, draft, recommender.rule)
    return Somebody(draft.user, history, profile_of(recommender, draft.profile), start.known)


async def _outcome(service: Service, somebody: Somebody, before: Sequence[str] = ()) -> tuple[Outcome, Recommender]:
    deadline = monotonic() + service.settings.deadline
    wish = Wish(history=somebody.history, profile=somebody.profile, k=SHOWN, deadline=deadline)
    answer = await asyncio.wrap_future(service.scorer.submit(wish))
    return _told(answer, before), answer.live.recommender


def _told(answer: Answer, before: Sequence[str]) -> Outcome:
    shares = mean_shares(answer.ranking)
    recommender = answer.live.recommender
    row = recommender.foldable(history_matrix([answer.history], recommender.catalog, recommender.rule)[0])
    return Outcome(
        standings(answer.ranking, before),
        shares,
        segments_of(shares),
        curve_of(recommender.blend.handover, int(row.nnz)),
        answer.live.version,
    )


def _reasons(recommender: Recommender, somebody: Somebody, items: Sequence[str]) -> dict[str, list[Reason]]:
    known = [item for item in items if recommender.catalog.knows([item])[0]]
    return reasons_for(recommender, somebody.history, somebody.profile, known)


def _live(service: Service) -> Live:
    live = service.live.now()
    if live is None:
        raise NotFoundError("no model yet: train one with `foldin train`")
    return live
