"""What is wrong with a message is said in words that help, whatever pydantic calls it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from foldin.service import messages
from foldin.service.field_types import MOST_IDS
from foldin.service.messages import BatchRequest, EventsRequest, ItemRequest, Message, RecommendRequest, TrainRequest
from foldin.service.problems import WORDS, detail_of, faults_of

AS_TIME = "write date, time and offset, as 2026-03-01T12:00:00+01:00"
PYDANTIC = re.compile(r"\b[Ii]nput should|\bshould have|Field required|Value error|validation|dictionary")

OWN = {"extra_forbidden"}
"""What is in the messages' own words from the start."""

OF_ADDRESSES = {"int_parsing", "int_parsing_size", "bool_parsing", "json_invalid"}
"""What can be wrong only with an address, or with a body before it is a message."""

TEXTS = ["", " ", "x", "x" * 3_000, "\ud800", "1", "true", "2026-03-01", "2026-03-01T12:00:00", "2026-13-01T12:00:00Z"]
TIMES = ["2026-03-01T25:00:00Z", "2026-03-01 noon", "0000-03-01T12:00:00Z", "9999-12-31T23:59:59Z"]
NUMBERS = [-1, 0, 1, 10**30, -(10**5_000), 0.5, -1e308, 1e308, float("inf"), float("nan")]
ONES: list[object] = [None, True, False, *TEXTS, *TIMES, *NUMBERS]
WRONG: list[object] = [
    *ONES,
    *([one] for one in ONES),
    *({"x": one} for one in ONES),
    *({text: "x"} for text in TEXTS),
    *([], {}, [[]], [{}]),
    *(["x"] * 10_001, [{}] * 10_001, dict.fromkeys(map(str, range(65)), "x")),
]
"""What JSON can hold that is wrong in one field or another, each in every way there is."""


def said(form: type[Message], body: object) -> str:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(form).validate_python(body)
    return detail_of(faults_of(refused.value.errors()))


def event(**fields: object) -> dict[str, object]:
    return {"events": [{"user": "u", "item": "i", **fields}]}


@pytest.mark.parametrize(
    ("form", "body", "words"),
    [
        (RecommendRequest, [], "a JSON object is wanted"),
        (RecommendRequest, {"profile": "lab"}, "profile: a JSON object is wanted"),
        (RecommendRequest, {"user": 7.0}, "user: a text is wanted, in quotes"),
        (RecommendRequest, {"user": True}, "user: a text is wanted, in quotes"),
        (RecommendRequest, {"user": ""}, "user: it is too short: 1 or more letters are wanted"),
        (RecommendRequest, {"user": "u" * 257}, "user: it is too long: at most 256 letters are taken"),
        (RecommendRequest, {"user": " "}, "user: the id is blank: ' '"),
        (RecommendRequest, {"only": "i"}, "only: a list is wanted, in square brackets"),
        (
            RecommendRequest,
            {"only": ["i"] * (MOST_IDS + 1)},
            "only: at most 10,000 entries are taken, and there are 10,001",
        ),
        (RecommendRequest, {"k": "10"}, "k: a whole number is wanted, as 10, without quotes"),
        (RecommendRequest, {"k": 0}, "k: it is too small: 1 or more is wanted"),
        (RecommendRequest, {"k": 1_001}, "k: it is too large: 1000 or less is wanted"),
        (RecommendRequest, {"diversity": 1.5}, "diversity: it is too large: 1 or less is wanted"),
        (RecommendRequest, {"diversity": 0.5, "k": 101}, "with diversity, k is at most 100"),
        (RecommendRequest, {"seen": "no"}, "seen: 'exclude' or 'include' is wanted"),
        (RecommendRequest, {"explain": 1}, "explain: true or false is wanted, without quotes"),
        (BatchRequest, {"people": []}, "people: 1 or more entries are wanted, and there are 0"),
        (EventsRequest, {}, "events: it is missing"),
        (EventsRequest, event(value="1"), "events.0.value: a number is wanted, without quotes"),
        (EventsRequest, event(value=float("inf")), "events.0.value: a number is wanted that is not infinite"),
        (EventsRequest, event(value=1e39), "events.0.value: it is too large: 3.4e+38 or less is wanted"),
        (EventsRequest, event(time="9:00"), f"events.0.time: {AS_TIME}"),
        (EventsRequest, event(time="2026-03-01T09:00:00"), f"events.0.time: the offset is missing: {AS_TIME}"),
        (EventsRequest, event(time="2026-02-30T09:00:00Z"), f"events.0.time: there is no such day or time: {AS_TIME}"),
        (EventsRequest, event(time="2026-03-01T09:00 noon"), f"events.0.time: there is no such day or time: {AS_TIME}"),
        (ItemRequest, {"attributes": {"title": 7}}, "attributes.title: a text is wanted, in quotes"),
        (TrainRequest, {"seed": 2**32}, "seed: it is too large: less than 4294967296 is wanted"),
    ],
)
def test_a_fault_says_what_is_wanted(form: type[Message], body: object, words: str) -> None:
    assert said(form, body) == words


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (int, "x", "a whole number is wanted, as 10"),
        (int, "9" * 5_000, "a whole number is wanted, as 10"),
        (bool, "perhaps", "true or false is wanted"),
    ],
)
def test_a_fault_of_an_address_says_what_is_wanted(kind: type, given: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(given)
    assert detail_of(faults_of(refused.value.errors())) == words


def test_there_are_words_for_every_kind_of_fault_that_a_message_can_have_and_for_no_other() -> None:
    faults = [fault for form in forms() for body in bodies(form) for fault in faults_in(form, body)]
    assert {fault["type"] for fault in faults} - OWN == WORDS.keys() - OF_ADDRESSES
    assert not [words for words in (detail_of(faults_of([fault])) for fault in faults) if PYDANTIC.search(words)]


def forms() -> set[type[BaseModel]]:
    """The messages that are asked for, and those within them."""
    asked = [getattr(messages, name) for name in messages.__all__ if name.endswith("Request")]
    return {found for form in asked for found in within(form)}


def within(kind: object) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        parts: Iterable[object] = (field.annotation for field in kind.model_fields.values())
    else:
        parts = get_args(kind)
    for part in parts:
        yield from within(part)


def bodies(form: type[BaseModel]) -> Iterator[object]:
    """Each wrong value in the place of the message, and of each of its fields."""
    for value in WRONG:
        yield value
        yield from ({name: value} for name in form.model_fields)


def faults_in(form: type[BaseModel], body: object) -> list[ErrorDetails]:
    found: list[ErrorDetails] = []
    for from_attributes in (False, True):  # events are read in the one way, all else in the other
        try:
            form.model_validate(body, from_attributes=from_attributes)
        except ValidationError as error:
            found += error.errors(include_url=False)
    return found
