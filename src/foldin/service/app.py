"""The application: routes behind a gate, and one form for whatever goes wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

import foldin
from foldin.errors import FoldinError
from foldin.service.bodies import Bodies, QuickRoute, StrictRoute
from foldin.service.description import EVERYWHERE, describe_when_asked
from foldin.service.gate import ForbiddenError, Gate
from foldin.service.heads import Heads
from foldin.service.logs import end_gathering
from foldin.service.page.rendering import as_asked
from foldin.service.problems import detail_of, faults_of, problem, problem_of, status_of
from foldin.service.routes.enter import enter_routes
from foldin.service.routes.events import event_routes
from foldin.service.routes.health import health_routes, measure_routes
from foldin.service.routes.items import item_routes, many_items_routes
from foldin.service.routes.jobs import job_routes
from foldin.service.routes.models import model_routes
from foldin.service.routes.page import page_routes
from foldin.service.routes.recommend import explain_routes, question_routes, recommend_routes
from foldin.service.routes.users import user_routes
from foldin.service.service import Service
from foldin.service.settings import Settings
from foldin.service.shortcut import Shortcut
from foldin.service.trail import METHODS, Trail
from foldin.service.troubles import Troubles
from foldin.service.turns import Admission, Turns

__all__ = ["create_app"]

NOWHERE = "there is nothing at this address"
NEW_KEY = "make one that has it with `foldin keys create NAME --scope SCOPE`; a key can have several scopes"

LONGEST_METHOD = 20
"""Letters of a method that an answer repeats."""

BULK = ("/v1/events", "/v1/items")
"""Where much comes in at once."""


def create_app(settings: Settings, *, on_shutdown: Callable[[], None] = lambda: None) -> FastAPI:
    """The service for a workspace, as an ASGI application; it is opened at startup and closed at shutdown.

    `on_shutdown`: called before it is closed.

    Raises:
        NotFoundError, ConfigurationError, StoreError: as from `Service`.
    """
    service = Service(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        on_shutdown()
        service.close()
        end_gathering()

    app = FastAPI(
        title="foldin",
        version=foldin.__version__,
        description=EVERYWHERE,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.router.route_class = StrictRoute
    routers = _routers(service)
    for router in routers:
        app.include_router(router)
    _tell_of_problems(app)
    quick = [route for router in routers for route in router.routes if isinstance(route, QuickRoute)]
    app.add_middleware(Shortcut, routes=quick, handlers=app.exception_handlers)
    app.add_middleware(Heads)
    admission = Admission(deadline=settings.deadline, patience=settings.patience, most=settings.most_requests)
    app.add_middleware(Turns, admission=admission)
    app.add_middleware(
        Bodies,
        most=settings.body,
        most_at=dict.fromkeys(BULK, settings.bulk_body),
        pause=settings.pause,
        has_room=admission.has_room,
    )
    app.add_middleware(
        Gate,
        keys=service.keys,
        auth=settings.auth,
        rate=settings.rate,
        burst=settings.burst,
        origins=settings.origins,
        host=settings.host,
    )
    if settings.origins:
        _allow(app, settings.origins)
    app.add_middleware(Trail, measures=service.measures)
    app.state.service = service
    describe_when_asked(app, routers)
    return app


def _routers(service: Service) -> tuple[APIRouter, ...]:
    return (
        recommend_routes(service),
        explain_routes(service),
        question_routes(service),
        event_routes(service),
        user_routes(service),
        item_routes(service),
        many_items_routes(service),
        model_routes(service),
        job_routes(service),
        measure_routes(service),
        page_routes(service),
        health_routes(service),
        enter_routes(service),
    )


def _allow(app: FastAPI, origins: Sequence[str]) -> None:
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Content-Encoding", "X-Request-ID"],
        expose_headers=["X-Request-ID", "Retry-After", "Location"],
        max_age=600,
    )


def _tell_of_problems(app: FastAPI) -> None:
    troubles = Troubles()

    @app.exception_handler(FoldinError)
    async def failed(request: Request, error: FoldinError) -> Response:
        if (status := status_of(error)) >= 500:
            troubles.tell(error, request.state.request_id, status)
        return as_asked(request.scope, problem_of(error, request.state.request_id))

    @app.exception_handler(ForbiddenError)
    async def refused(request: Request, error: ForbiddenError) -> Response:
        return as_asked(
            request.scope, problem(403, f"this key lacks the scope {error}: {NEW_KEY}", request.state.request_id)
        )

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        faults = faults_of(error.errors())
        return as_asked(request.scope, problem(422, detail_of(faults), request.state.request_id, faults))

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> Response:
        detail = NOWHERE if error.status_code == 404 and error.detail == "Not Found" else str(error.detail)
        allowed = _allowed(request) if error.status_code == 405 else None
        if allowed is not None:
            detail = f"not by {request.method[:LONGEST_METHOD]}: what is at this address takes {allowed}"
        response = as_asked(request.scope, problem(error.status_code, detail, request.state.request_id))
        response.headers.update(error.headers or {})
        if allowed is not None:
            response.headers["Allow"] = allowed
        return response


def _allowed(request: Request) -> str:
    """Methods of all routes at a path; the framework names those of the first route only."""
    scope, app = request.scope, request.app
    # a path that is described stands for itself: `rollback` in `/v1/models/rollback` is no model
    described = app.openapi()["paths"].get(scope["path"])
    if described is not None:
        return ", ".join(method for method in METHODS if _as_get(method).lower() in described)
    return ", ".join(method for method in METHODS if _leads_somewhere({**scope, "method": _as_get(method)}, app))


def _as_get(method: str) -> str:
    return "GET" if method == "HEAD" else method


def _leads_somewhere(scope: Scope, app: FastAPI) -> bool:
    return any(route.matches(scope)[0] == Match.FULL for route in app.routes)
