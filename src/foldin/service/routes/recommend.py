"""Recommendations, what is similar, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from foldin.data.interactions import History
from foldin.errors import ConfigurationError, NotFoundError
from foldin.service.answers import answered, explained, recommended
from foldin.service.bodies import StrictRoute
from foldin.service.histories import history_of
from foldin.service.live import Live
from foldin.service.messages import (
    BatchRequest,
    BatchResponse,
    ExplainRequest,
    ExplainResponse,
    Id,
    Person,
    RecommendRequest,
    RecommendResponse,
    Rules,
    Similar,
)
from foldin.service.scoring import Answer, Wish
from foldin.service.service import Service
from foldin.store.contract import Store

__all__ = ["recommend_routes"]

MOST_RANKED = 10_000
"""Items in the rankings of one answer: more are seconds in which nobody else is answered."""

MOST_EXPLAINED = 1_000
"""The same where each item has its reasons."""


def recommend_routes(service: Service) -> APIRouter:
    """What a key of scope `read` may ask."""
    routes = APIRouter(prefix="/v1", tags=["recommendations"], route_class=StrictRoute)

    @routes.post("/recommend")
    async def recommend(asked: RecommendRequest) -> RecommendResponse:
        """The best k items for a user, for a history that is sent along, or for a profile alone."""
        (answer,) = await _answers(service, [asked], asked)
        return (
            await asyncio.to_thread(answered, answer, asked.k, explain=True) if asked.explain else _plain(answer, asked)
        )

    @routes.post("/recommend/batch")
    async def batch(asked: BatchRequest) -> BatchResponse:
        """The same for up to 256 people."""
        answers = await _answers(service, asked.people, asked)
        if asked.explain:
            told = [await asyncio.to_thread(answered, answer, asked.k, explain=True) for answer in answers]
        else:
            told = [_plain(answer, asked) for answer in answers]
        return BatchResponse(answers=told)

    @routes.get("/recommendations")
    @routes.get("/users/{user}/recommendations")
    async def simple(
        user: Id, k: Annotated[int, Query(ge=1, le=1_000)] = 10, seen: Literal["exclude", "include"] = "exclude"
    ) -> RecommendResponse:
        """The best k items for a user of the store."""
        asked = RecommendRequest(user=user, k=k, seen=seen)
        (answer,) = await _answers(service, [asked], asked)
        return _plain(answer, asked)

    @routes.get("/similar")
    @routes.get("/items/{item}/similar")
    async def similar(item: Id, k: Annotated[int, Query(ge=1, le=1_000)] = 10) -> Similar:
        """What goes with an item."""
        live = _live(service)
        gone = live.recommender.catalog.item_ids[service.shelf.unavailable(live)].tolist()
        found = await asyncio.to_thread(live.recommender.similar, item, k, exclude=gone)
        return Similar(model=live.version, items=[recommended(one) for one in found])

    @routes.post("/explain")
    async def explain(asked: ExplainRequest) -> ExplainResponse:
        """Why an item has its score for somebody."""
        live = _live(service)
        history, profile = await _known(service, asked)
        told = await asyncio.to_thread(live.recommender.explain, history, asked.item, profile=profile)
        return explained(live.version, told)

    return routes


async def _answers(service: Service, people: Sequence[Person], rules: Rules) -> list[Answer]:
    _check_size(len(people), rules)
    wishes = [_wish(service, person, rules) for person in people]
    answers = await asyncio.gather(*map(asyncio.wrap_future, service.scorer.submit_all(wishes)))
    for answer in answers:
        cold = not len(answer.history)
        service.measures.recommended(answer.live, [one.item_id for one in answer.ranking], cold=cold)
    return answers


def _check_size(people: int, rules: Rules) -> None:
    most = MOST_EXPLAINED if rules.explain else MOST_RANKED
    if people > 1 and people * rules.k > most:
        raise ConfigurationError(
            f"{people:,} rankings of {rules.k:,} items are over {most:,} in one answer: ask for less"
        )


def _wish(service: Service, person: Person, rules: Rules) -> Wish:
    _check(person)
    return Wish(
        user=person.user,
        history=None if person.history is None else history_of(person.history),
        profile=person.profile,
        k=rules.k,
        only=rules.only,
        exclude=rules.exclude,
        categories=rules.categories,
        seen=rules.seen == "include",
        deadline=monotonic() + service.settings.deadline,
    )


def _plain(answer: Answer, rules: Rules) -> RecommendResponse:
    return answered(answer, rules.k, explain=False)


async def _known(service: Service, person: Person) -> tuple[History, Mapping[str, str]]:
    """Whose history and profile it is about."""
    _check(person)
    if person.user is None:
        return history_of(person.history or []), person.profile
    user = person.user

    def read(store: Store) -> tuple[History, dict[str, str]]:
        try:
            return store.history(user), store.profile(user)
        except NotFoundError:
            return History(()), {}

    history, profile = await service.desk.run(read)
    return history, {**profile, **person.profile}


def _check(person: Person) -> None:
    if person.user is not None and person.history is not None:
        raise ConfigurationError("a user or a history, not both: the user's history is in the store")


def _live(service: Service) -> Live:
    live = service.live.now()
    if live is None:
        raise NotFoundError("no model yet: train one with `foldin train`")
    return live
