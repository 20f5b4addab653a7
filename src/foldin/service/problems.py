"""What went wrong, in one form for all routes (RFC 9457), and the status each of foldin's errors has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from itertools import islice
from random import choice
from typing import Any

from starlette.responses import Response

from foldin.errors import (
    BundleError,
    ConfigurationError,
    ConflictError,
    DataError,
    FoldinError,
    NotFoundError,
    ResourceError,
    StoreError,
    TrainingError,
    UnreadableError,
    WorkspaceError,
)
from foldin.service.busy import BusyError
from foldin.service.field_types import WRITTEN
from foldin.service.scoring import LateError

__all__ = ["MOST_FAULTS", "detail_of", "faults_of", "problem", "problem_of", "status_of"]

RETRY_AFTER = (1, 2, 3)
"""Seconds after which a request that was refused for want of room may come again; drawn, so that not all who were
refused at once come again at once."""

MOST_FAULTS = 20
"""Of a body, of which an answer tells."""

MOST_IN_DETAIL = 3

OBJECT = "a JSON object is wanted"
WHOLE = "a whole number is wanted, as 10"
BOOLEAN = "true or false is wanted"

WORDS: Mapping[str, str] = {
    "missing": "it is missing",
    "model_type": OBJECT,
    "model_attributes_type": OBJECT,
    "dict_type": OBJECT,
    "list_type": "a list is wanted, in square brackets",
    "string_type": "a text is wanted, in quotes",
    "string_unicode": "half of a surrogate pair stands in it, which is no text",
    "bool_type": f"{BOOLEAN}, without quotes",
    "bool_parsing": BOOLEAN,
    "float_type": "a number is wanted, without quotes",
    "int_type": f"{WHOLE}, without quotes",
    "int_parsing": WHOLE,
    "int_parsing_size": WHOLE,
    "finite_number": "a number is wanted that is not infinite",
    "greater_than_equal": "it is too small: {ge:.16g} or more is wanted",
    "less_than_equal": "it is too large: {le:.16g} or less is wanted",
    "less_than": "it is too large: less than {lt:.16g} is wanted",
    "string_too_short": "it is too short: {min_length:,} or more letters are wanted",
    "string_too_long": "it is too long: at most {max_length:,} letters are taken",
    "too_short": "{min_length:,} or more entries are wanted, and there are {actual_length:,}",
    "too_long": "at most {max_length:,} entries are taken, and there are {actual_length:,}",
    "literal_error": "{expected} is wanted",
    "timezone_aware": f"the offset is missing: {WRITTEN}",
    "datetime_parsing": f"there is no such day or time: {WRITTEN}",
    "datetime_from_date_parsing": f"there is no such day or time: {WRITTEN}",
    "value_error": "{error}",
    "json_invalid": "{error}",
}
"""What is said of the faults that pydantic finds, whose own words are about Python; by what it calls them."""

AWAY: Mapping[type[FoldinError], str] = {
    StoreError: "the store cannot be used now: try again, and if that does not help, see the service's log; "
    "an event that is sent again with its event id is stored once",
    WorkspaceError: "the workspace cannot be used just now, as where its disk is full: send it again",
    UnreadableError: "the model's files cannot be read just now: the service's log says why; ask again once they can",
}
"""What is said of what passes, instead of the error's own words: these may name machines and paths, which are nobody's
business outside."""

STATUS: Mapping[type[FoldinError], int] = {
    BusyError: 503,
    LateError: 503,
    ConflictError: 409,
    StoreError: 503,
    WorkspaceError: 503,
    NotFoundError: 404,
    DataError: 422,
    ConfigurationError: 422,
    BundleError: 409,
    UnreadableError: 503,
    ResourceError: 503,
    TrainingError: 500,
}


def status_of(error: FoldinError) -> int:
    """The status of an error: of the nearest of its classes that has one."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def problem_of(error: FoldinError, request_id: str | None = None) -> Response:
    """The answer that tells of an error."""
    status = status_of(error)
    away = next((said for kind, said in AWAY.items() if isinstance(error, kind)), None)
    return problem(status, str(error) if away is None or status != 503 else away, request_id)


def faults_of(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What is wrong with a message, as pydantic found it: each with its field, and in words."""
    return [{"field": _place(error["loc"]), "message": _message(error)} for error in errors[:MOST_FAULTS]]


def detail_of(faults: Sequence[Mapping[str, str]]) -> str:
    """The first faults of a message in a line."""
    lines = (f"{fault['field']}: {fault['message']}" if fault["field"] else fault["message"] for fault in faults)
    return "; ".join(islice(lines, MOST_IN_DETAIL))


def problem(
    status: int, detail: str, request_id: str | None = None, errors: Sequence[Mapping[str, str]] = ()
) -> Response:
    """A problem's answer; one that passes says when to come again."""
    content = {
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": list(errors),
        "request_id": request_id,
    }
    headers = {"Retry-After": str(choice(RETRY_AFTER))} if status in (429, 503) else {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="foldin"'
    return Response(json.dumps(content), status, headers, "application/problem+json")


def _message(error: Mapping[str, Any]) -> str:
    words = WORDS.get(error["type"])
    return str(error["msg"]) if words is None else words.format_map(error.get("ctx", {}))


def _place(parts: Sequence[object]) -> str:
    # the name pydantic gives a function says nothing to a client
    return ".".join(str(part)[:64] for part in parts if not str(part).startswith("function-"))
