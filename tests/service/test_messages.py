"""How much is said of a body that is no message: as much as somebody reads, however much is wrong with it."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from foldin.service.field_types import MOST_IDS
from foldin.service.messages import (
    BatchRequest,
    EventsRequest,
    HistoryEvent,
    ItemRequest,
    Message,
    PartialEventsRequest,
    RecommendRequest,
)
from foldin.service.problems import MOST_FAULTS

MODES: tuple[Literal["validation", "serialization"], ...] = ("validation", "serialization")

UNKNOWN: dict[str, object] = {f"unknown {number}": 1 for number in range(400)}

BODIES: dict[str, tuple[type[Message], dict[str, object]]] = {
    "unknown fields": (RecommendRequest, UNKNOWN),
    "unknown fields of events": (EventsRequest, {"events": [{"user": "u", "item": "i", **UNKNOWN}] * 1_000}),
    "events": (EventsRequest, {"events": [{"user": 1.5, "item": 1.5, "kind": 1, "value": "", "time": 1}] * 10_000}),
    "events that are none": (PartialEventsRequest, {"events": [1] * 10_000, "partial": True}),
    "histories": (BatchRequest, {"people": [{"history": [1.5] * 2_000}] * 256}),
    "items": (RecommendRequest, {"only": [1.5] * 10_000, "exclude": [1.5] * 10_000, "categories": [1] * 64}),
    "attributes": (ItemRequest, {"attributes": {str(number): 1 for number in range(100_000)}}),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_in_which_much_is_wrong_makes_few_faults(name: str) -> None:
    form, body = BODIES[name]
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(form).validate_python(body)
    assert refused.value.error_count() <= MOST_FAULTS


def test_unknown_fields_are_named_with_those_there_are() -> None:
    known = "those there are: events, partial"
    with pytest.raises(ValidationError) as refused:
        EventsRequest.model_validate({"evnets": [], "q": 3})
    assert [(fault["loc"], fault["msg"]) for fault in refused.value.errors()] == [
        (("evnets",), f"there is no such field (did you mean 'events'?); {known}"),
        (("q",), f"there is no such field; {known}"),
    ]
    with pytest.raises(ValidationError, match=f"no such fields: unknown 0, unknown 1, unknown 2 and 397 more; {known}"):
        EventsRequest.model_validate(UNKNOWN)


@pytest.mark.parametrize("field", ["history", "only", "exclude"])
@pytest.mark.parametrize("wrong", ["", " ", "a\nb", "x" * 257, "a\u200b", 7.0, True])
def test_one_wrong_id_among_good_ones_is_found(field: str, wrong: object) -> None:
    with pytest.raises(ValidationError) as refused:
        RecommendRequest.model_validate({field: ["a", "b c", wrong]})
    assert {fault["loc"][:2] for fault in refused.value.errors()} == {(field, 2)}


@pytest.mark.parametrize("field", ["history", "only", "exclude"])
def test_ids_are_kept_in_one_spelling_and_not_without_end(field: str) -> None:
    asked = RecommendRequest.model_validate({field: ["a", "e\u0301", " b ", 7]})
    assert getattr(asked, field) == ["a", "\u00e9", "b", "7"]
    assert getattr(RecommendRequest.model_validate({field: ["a"] * MOST_IDS}), field) == ["a"] * MOST_IDS
    with pytest.raises(ValidationError, match="at most 10000 items"):
        RecommendRequest.model_validate({field: ["a"] * (MOST_IDS + 1)})


def test_a_whole_number_is_its_digits_wherever_an_id_stands() -> None:
    event = EventsRequest.model_validate({"events": [{"user": 7, "item": 8, "event_id": 9}]}).events[0]
    assert (event.user, event.item, event.event_id) == ("7", "8", "9")
    asked = RecommendRequest.model_validate({"user": 7, "history": [{"item": 8}]})
    assert (asked.user, asked.history) == ("7", [HistoryEvent(item="8")])


def test_an_id_is_described_as_a_text_or_a_whole_number_and_answered_as_a_text() -> None:
    sent, answered = (HistoryEvent.model_json_schema(mode=mode)["properties"]["item"] for mode in MODES)
    assert [form["type"] for form in sent["anyOf"]] == ["string", "integer"]
    assert answered["type"] == "string"
