"""Recommendations, what is similar, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import Enum
from functools import partial
from time import monotonic
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request

from foldin.data.interactions import History
from foldin.data.profiles import Profile
from foldin.errors import ConfigurationError
from foldin.recommendation import Recommendation
from foldin.service.answers import answered, explained, reasons_of, recommended
from foldin.service.bodies import QuickRoute, StrictRoute
from foldin.service.field_types import SearchQuery, TextId
from foldin.service.gate import needs, require
from foldin.service.histories import history_of
from foldin.service.live import Live
from foldin.service.messages import (
    MAX_EXPLAINED_PAIRS,
    BatchRequest,
    ExplainRequest,
    Person,
    RecommendRequest,
    Rules,
)
from foldin.service.offload import check_cancelled, offload
from foldin.service.persons import known_of
from foldin.service.rankings import BatchResponse, ExplainResponse, RecommendResponse, Similar
from foldin.service.scoring import EVERYTHING, Answer, Candidates, Wish
from foldin.service.service import Service
from foldin.service.unknown import unknown_in_history, unknown_in_rules

__all__ = ["explain_routes", "question_routes", "recommend_routes"]

TAGS: list[str | Enum] = ["recommendations"]

MANY = 200
"""Items that take so long to put together, a millisecond, that others had better be answered meanwhile."""

MOST_RANKED = 10_000
"""Items in the rankings of one answer: more are seconds in which nobody else is answered."""

MOST_EXPLAINED = 1_000
"""The same where each item has its reasons."""


def recommend_routes(service: Service) -> APIRouter:
    """What a key of scope `read` may ask: a message in, a message out. Reasons name what is stored of a user, so for
    users of the store they also need the scope `people`."""
    routes = APIRouter(prefix="/v1", route_class=QuickRoute, dependencies=[Depends(needs("read"))], tags=TAGS)

    @routes.post("/recommend")
    async def recommend(asked: RecommendRequest, request: Request) -> RecommendResponse:
        """The best k items for a user, for a history that is sent along, for a profile or a query alone. The reasons
        (`explain`) of a user of the store need the scope `people`, too."""
        _check_access(request, [asked], asked)
        (response,) = await _responses(service, [asked], asked)
        return response

    @routes.post("/recommend/batch")
    async def batch(asked: BatchRequest, request: Request) -> BatchResponse:
        """The same for up to 256 people."""
        _check_access(request, asked.people, asked)
        return BatchResponse(answers=await _responses(service, asked.people, asked))

    return routes


def explain_routes(service: Service) -> APIRouter:
    """What a key of scope `read` may ask of a history that is sent along, and one of scope `people` of a user."""
    routes = APIRouter(prefix="/v1", route_class=QuickRoute, dependencies=[Depends(needs("read", "people"))], tags=TAGS)

    @routes.post("/explain")
    async def explain(asked: ExplainRequest, request: Request) -> ExplainResponse:
        """Why an item has its score, for a history or profile that is sent along (scope `read`), or for a user of the
        store (scope `people`)."""
        require(request, "read" if asked.user is None else "people")
        live = service.live.answering()
        history, profile = await _known(service, asked)
        explanation = await service.explainer.run(
            lambda: live.recommender.explain(
                history, asked.item, profile=profile, query=asked.query, check=check_cancelled
            )
        )
        return explained(live.version, explanation)

    return routes


def question_routes(service: Service) -> APIRouter:
    """What an address alone can ask, with such a key."""
    routes = APIRouter(prefix="/v1", route_class=StrictRoute, dependencies=[Depends(needs("read"))], tags=TAGS)

    @routes.get("/recommendations")
    @routes.get("/users/{user}/recommendations")
    async def simple(
        user: TextId,
        query: Annotated[SearchQuery | None, Query()] = None,
        k: Annotated[int, Query(ge=1, le=1_000)] = 10,
        seen: Literal["exclude", "include"] = "exclude",
    ) -> RecommendResponse:
        """The best k items for a user of the store."""
        asked = RecommendRequest(user=user, query=query, k=k, seen=seen)
        (response,) = await _responses(service, [asked], asked)
        return response

    @routes.get("/similar")
    @routes.get("/items/{item}/similar")
    async def similar(item: TextId, k: Annotated[int, Query(ge=1, le=1_000)] = 10) -> Similar:
        """What goes with an item."""
        live = service.live.answering()
        found = await asyncio.to_thread(service.similar, live, item, k)
        return Similar(model=live.version, items=[recommended(one) for one in found])

    return routes


def _check_access(request: Request, people: Sequence[Person], rules: Rules) -> None:
    if rules.explain and any(person.user is not None for person in people):
        require(request, "people")


async def _responses(service: Service, people: Sequence[Person], rules: Rules) -> list[RecommendResponse]:
    """One for each; reasons take so long that others had better be answered meanwhile."""
    answers = await _answers(service, people, rules)
    if rules.explain:
        _check_pairs(answers)
    reasons = [
        await service.explainer.run(partial(reasons_of, answer)) if rules.explain else [()] * len(answer.ranking)
        for answer in answers
    ]
    notices = await _notices(service, answers[0].live, people, rules)
    # from here on nothing waits: what is recorded as shown is answered
    return [
        answered(answer, rules.k, _recorded(service, person, answer), spoken, noticed)
        for person, answer, spoken, noticed in zip(people, answers, reasons, notices, strict=True)
    ]


async def _notices(service: Service, live: Live, people: Sequence[Person], rules: Rules) -> list[list[str]]:
    """What of each person's request says nothing, or names what nobody knows."""
    of_profiles = await service.notices.of(live, [person.profile for person in people])
    of_all = unknown_in_rules(live, service.shelf, rules)
    return [
        [*said, *unknown_in_history(live, person), *live.recommender.query_notices(person.query), *of_all]
        for said, person in zip(of_profiles, people, strict=True)
    ]


def _recorded(service: Service, person: Person, answer: Answer) -> str:
    item_ids = [one.item_id for one in answer.ranking]
    return service.recorder.record(person.user, answer.live.version, item_ids)


async def _answers(service: Service, people: Sequence[Person], rules: Rules) -> list[Answer]:
    _check_size(len(people), rules)
    candidates = _candidates(rules)
    wishes = [_wish(service, person, rules, candidates) for person in people]
    answers = await asyncio.gather(*service.scorer.submit_all(wishes))
    rankings = await offload(partial(_rankings, answers), long=rules.k * len(answers) > MANY)
    for answer, ranking in zip(answers, rankings, strict=True):
        cold = not len(answer.history)
        service.measures.recommended(answer.live, [one.item_id for one in ranking], cold=cold)
    return answers


def _rankings(answers: Sequence[Answer]) -> list[Sequence[Recommendation]]:
    rankings = []
    for answer in answers:
        check_cancelled()
        rankings.append(answer.ranking)
    return rankings


def _check_size(people: int, rules: Rules) -> None:
    most = MOST_EXPLAINED if rules.explain else MOST_RANKED
    if people * rules.k > most:
        raise ConfigurationError(
            f"{people:,} rankings of {rules.k:,} items are over {most:,} in one answer: ask for less"
        )


def _check_pairs(answers: Sequence[Answer]) -> None:
    """Refuses explanations that would take seconds: each item explained is compared with each item of the history."""
    pairs = sum(len(answer.ranking) * len(set(answer.history.item_ids)) for answer in answers)
    if pairs > MAX_EXPLAINED_PAIRS:
        raise ConfigurationError(
            f"explaining this ranking takes {pairs:,} pairs of a ranked item and an item of the history, over the "
            f"limit of {MAX_EXPLAINED_PAIRS:,}: lower 'k', send a shorter history, or leave out 'explain'"
        )


def _candidates(rules: Rules) -> Candidates:
    chosen = Candidates(rules.only, rules.exclude, rules.categories)
    return EVERYTHING if chosen.all else chosen  # all who want everything share one, whoever asked


def _wish(service: Service, person: Person, rules: Rules, candidates: Candidates) -> Wish:
    _check(person)
    return Wish(
        user=person.user,
        history=None if person.history is None else history_of(person.history),
        profile=person.profile,
        query=person.query,
        k=rules.k,
        candidates=candidates,
        seen=rules.seen == "include",
        diversity=rules.diversity,
        deadline=monotonic() + service.settings.deadline,
    )


async def _known(service: Service, person: Person) -> tuple[History, Profile]:
    """Whose history and profile it is about."""
    _check(person)
    if person.user is None:
        return history_of(person.history or []), person.profile
    user = person.user
    known = await service.desk.run(lambda store: known_of(store, user))
    return known.history, {**known.profile, **person.profile}


def _check(person: Person) -> None:
    if person.user is not None and person.history is not None:
        raise ConfigurationError("a user or a history, not both: the user's history is in the store")
