"""The description of all routes (OpenAPI): what the framework gathers, and what it cannot know of gate and problems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from foldin.service.messages import Problem

__all__ = ["EVERYWHERE", "PROBLEMS", "complete_description"]

PROBLEM = "application/problem+json"

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in {
        400: "No gzip, though the request says so.",
        401: "No key, or one that is not valid.",
        403: "The key lacks the scope, or a page of another origin has sent it.",
        404: "No such user, item, model or job.",
        408: "Nothing more of the body came, or it came too slowly.",
        409: "It contradicts what is stored, or what is going on.",
        413: "The body is too large.",
        415: "The body does not say that it is JSON, or is neither plain nor gzip.",
        421: "A browser asks under a name that is none of the service's: start it with --origin.",
        422: "No JSON, or a field is missing, unknown or not as it should be.",
        429: "Too many requests or bodies at once with this key: come again after Retry-After seconds.",
        503: "Too busy, or the store is away: come again after Retry-After seconds.",
    }.items()
}
"""What can go wrong everywhere, for the framework."""

EVERYWHERE = """HEAD goes wherever GET does, and answers the same headers. A method that is none at a path is answered
405, and the header Allow names those that are. Neither stands with the routes, as a description has a place for what a
method answers, and none for methods that are not there."""
"""What is true of all routes."""

KEY = {"key": {"type": "http", "scheme": "bearer", "description": "A key of `foldin keys create`."}}
OPEN = "/health/"


def complete_description(app: FastAPI) -> None:
    """Says of which type problems are, and that all but health wants a key; once all routes are there."""
    described = app.openapi()
    described["components"]["securitySchemes"] = KEY
    for path, operation in _operations(described):
        operation["security"] = [] if path.startswith(OPEN) else [{"key": []}]
        for status, response in operation["responses"].items():
            if status in map(str, PROBLEMS) and "content" in response:
                response["content"] = {PROBLEM: response["content"].popitem()[1]}


def _operations(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for operation in methods.values():
            yield path, operation
