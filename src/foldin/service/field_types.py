"""What a field of a message may hold: every type bounded, and nothing coerced."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticKnownError

from foldin.data.identifiers import are_plain, checked_id, kind_refusal
from foldin.errors import DataError

__all__ = [
    "AT_A_GLANCE",
    "MAX_QUERY_LENGTH",
    "MOST_IDS",
    "Amount",
    "Attributes",
    "Id",
    "Ids",
    "Kind",
    "Moment",
    "SearchQuery",
    "Text",
    "TextId",
    "WRITTEN",
    "Whole",
]

MOST_IDS = 10_000
MOST_ATTRIBUTES = 64

WRITTEN = "write date, time and offset, as 2026-03-01T12:00:00+01:00"
"""How a moment is."""


def _checked(text: str) -> str:
    try:
        return checked_id(text, "id")
    except DataError as error:
        raise ValueError(error.problem) from None


def _digits(given: object) -> object:
    # to Python, a boolean is a whole number
    return str(given) if type(given) is int else given


TextId: TypeAlias = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_checked)]
"""A user, item or event in a path or a query."""

Id: TypeAlias = Annotated[TextId, BeforeValidator(_digits, json_schema_input_type=TextId | int)]
"""A user, item or event: a text, or a whole number, which is its digits."""


def _glanced(given: object, each: ValidatorFunctionWrapHandler) -> object:
    if isinstance(given, list):
        if len(given) > MOST_IDS:  # before each of them is looked at
            lengths = {"field_type": "List", "max_length": MOST_IDS, "actual_length": len(given)}
            raise PydanticKnownError("too_long", lengths)
        # of most lists one look shows that all is well, which takes much less than a look at each of its ids
        if are_plain(given):
            return given
    return each(given)


AT_A_GLANCE = WrapValidator(_glanced)
"""For a list whose members may be ids."""

Ids: TypeAlias = Annotated[list[Id], Field(max_length=MOST_IDS, fail_fast=True), AT_A_GLANCE]

Text: TypeAlias = Annotated[str, StringConstraints(max_length=2_000)]

MAX_QUERY_LENGTH = 500

SearchQuery: TypeAlias = Annotated[
    str,
    Field(
        max_length=MAX_QUERY_LENGTH,
        description="What the person looks for, as `pivot tables`: the items that match come first. "
        "Where none does, `reason` says so, and the ranking is the same as without.",
    ),
]


def _few(given: object) -> object:
    # before each becomes a fault of its own
    if isinstance(given, dict) and len(given) > MOST_ATTRIBUTES:
        raise ValueError(f"there are {len(given):,} attributes, and at most {MOST_ATTRIBUTES} are taken")
    return given


Attributes: TypeAlias = Annotated[
    dict[Annotated[str, StringConstraints(min_length=1, max_length=64)], Text],
    Field(max_length=MOST_ATTRIBUTES),
    BeforeValidator(_few),
]
Amount: TypeAlias = Annotated[float, Field(allow_inf_nan=False, ge=-3.4e38, le=3.4e38)]


def _dated(given: object) -> object:
    # a number could be seconds or milliseconds, and is taken for either
    if isinstance(given, datetime) or (isinstance(given, str) and re.match(r"\d{4}-\d\d-\d\d[T ]", given, re.ASCII)):
        return given
    raise ValueError(WRITTEN)


def _happened(moment: datetime) -> datetime:
    if moment > datetime.now(UTC) + timedelta(days=1):
        raise ValueError("it lies in the future: an event is something that has happened")
    return moment


Moment: TypeAlias = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_dated), AfterValidator(_happened)]
"""ISO 8601 with an offset, as 2026-03-01T12:00:00+01:00; not after tomorrow."""


def _visible(kind: str) -> str:
    reason = kind_refusal(kind)
    if reason is not None:
        raise ValueError(reason)
    return kind


Kind: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_visible)]
"""What a user did, as `view`."""


def _boolean(given: object) -> object:
    # to Python, 0 and 0.0 are False
    if not isinstance(given, bool):
        raise ValueError("it is true or false")
    return given


Whole: TypeAlias = Annotated[Literal[False], BeforeValidator(_boolean)]
