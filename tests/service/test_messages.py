"""How much is said of a body that is no message: as much as somebody reads, however much is wrong with it."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from foldin.service.messages import (
    BatchRequest,
    EventsRequest,
    ItemRequest,
    Message,
    PartialEventsRequest,
    RecommendRequest,
)
from foldin.service.problems import MOST_FAULTS

UNKNOWN: dict[str, object] = {f"unknown {number}": 1 for number in range(400)}

BODIES: dict[str, tuple[type[Message], dict[str, object]]] = {
    "unknown fields": (RecommendRequest, UNKNOWN),
    "unknown fields of events": (EventsRequest, {"events": [{"user": "u", "item": "i", **UNKNOWN}] * 1_000}),
    "events": (EventsRequest, {"events": [{"user": 1, "item": 1, "kind": 1, "value": "", "time": 1}] * 10_000}),
    "events that are none": (PartialEventsRequest, {"events": [1] * 10_000, "partial": True}),
    "histories": (BatchRequest, {"people": [{"history": [1] * 2_000}] * 256}),
    "items": (RecommendRequest, {"only": [1] * 10_000, "exclude": [1] * 10_000, "categories": [1] * 64}),
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
