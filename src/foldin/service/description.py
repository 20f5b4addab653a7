"""The description of all routes (OpenAPI): what the framework gathers, and what it cannot know of gate and problems."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from foldin.service.gate import needs
from foldin.service.messages import Problem

__all__ = ["EVERYWHERE", "describe_when_asked"]

PROBLEM = "application/problem+json"

PLACE = "#/components/schemas/{model}"

FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")
"""What the framework would answer to a request that is not as it should be, were it not for `Problem`."""

PROBLEMS = {
    400: "No gzip, though the request says so.",
    401: "No key, or one that is not valid.",
    403: "The key lacks the scope that the route needs, or a page of another origin has sent it.",
    404: "No such user, item, model or job.",
    408: "Nothing more of the body came, or it came too slowly.",
    409: "It contradicts what is stored, or what is going on.",
    413: "The body is too large.",
    415: "The body does not say that it is JSON, or is neither plain nor gzip.",
    421: "A browser asks under a name that is none of the service's: start it with --origin.",
    422: "No JSON, or a field is missing, unknown or not as it should be.",
    431: "Address and headers of the request are over 16 KB.",
    429: "Too many requests or bodies at once with this key: come again after Retry-After seconds.",
    503: "Too busy, or the store is away: come again after Retry-After seconds.",
}
"""What can go wrong everywhere, by status. The framework is not given it: it would make types of it for every route."""

EVERYWHERE = """HEAD goes wherever GET does, and answers the same headers. A method that is none at a path is answered
405, and the header Allow names those that are. Neither stands with the routes, as a description has a place for what a
method answers, and none for methods that are not there."""
"""What is true of all routes."""

SCHEME = """A key of `foldin keys create`. Each operation names the scopes that allow it; `admin` allows all. Reasons
for a user of the store need the scope `people` as well."""

KEY = {"key": {"type": "http", "scheme": "bearer", "description": SCHEME}}


def describe_when_asked(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Has an application describe its routes once it is first asked to: that takes as long as all else at its start."""
    plain = app.openapi

    @cache
    def describe() -> dict[str, Any]:
        return _complete(plain(), routers)

    app.openapi = describe  # type: ignore[method-assign]  # as the framework's documentation advises


def _complete(described: dict[str, Any], routers: Sequence[APIRouter]) -> dict[str, Any]:
    """Adds the problems, and the scopes that each operation needs."""
    described["components"]["securitySchemes"] = KEY
    schema = Problem.model_json_schema(ref_template=PLACE)
    schemas = described["components"]["schemas"]
    schemas |= {**schema.pop("$defs", {}), Problem.__name__: schema}
    for name in FRAMEWORK_SCHEMAS:
        schemas.pop(name, None)
    scopes = {route.unique_id: _scopes_of(route) for route in _routes(routers)}
    for operation in _operations(described):
        operation["security"] = [{"key": [scope]} for scope in scopes.get(operation["operationId"], ())]
        operation["responses"].pop("422", None)
        operation["responses"] = _problems() | operation["responses"]
    return described


def _problems() -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": PLACE.format(model=Problem.__name__)}}}
    return {str(status): {"description": said, "content": content} for status, said in PROBLEMS.items()}


def _operations(described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in described["paths"].values():
        yield from methods.values()


def _routes(routers: Sequence[APIRouter]) -> Iterator[APIRoute]:
    for router in routers:
        yield from (route for route in router.routes if isinstance(route, APIRoute))


def _scopes_of(route: APIRoute) -> Sequence[str]:
    found = [one.dependency for one in route.dependencies]
    return [scope for needed in found if isinstance(needed, needs) for scope in needed.scopes]
