"""What is wrong with a message is said in words that help, whatever pydantic calls it."""

from __future__ import annotations

import re

import pytest
from pydantic import TypeAdapter, ValidationError

from foldin.service.field_types import MOST_IDS
from foldin.service.messages import BatchRequest, EventsRequest, ItemRequest, Message, RecommendRequest, TrainRequest
from foldin.service.problems import detail_of, faults_of

AS_TIME = "write date, time and offset, as 2026-03-01T12:00:00+01:00"
PYDANTIC = re.compile(r"\b[Ii]nput should|\bshould have|Field required|Value error|validation|dictionary")


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
        (RecommendRequest, {"user": 7}, "user: a text is wanted, in quotes"),
        (RecommendRequest, {"user": ""}, "user: it is too short: 1 or more letters are wanted"),
        (RecommendRequest, {"user": "u" * 257}, "user: it is too long: at most 256 letters are taken"),
        (RecommendRequest, {"user": "u "}, "user: the id begins or ends with a space: 'u '"),
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
    assert not PYDANTIC.search(words)
