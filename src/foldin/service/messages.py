"""What may be asked and what is answered, as JSON: every field typed, bounded and described, and none besides these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from foldin.data.spelling import perhaps
from foldin.ranking.diversity import MOST_DIVERSE
from foldin.service.field_types import (
    AT_A_GLANCE,
    MOST_IDS,
    Amount,
    Attributes,
    Id,
    Ids,
    Kind,
    Moment,
    SearchQuery,
    Text,
    Whole,
)

__all__ = [
    "MAX_EXPLAINED_PAIRS",
    "Appended",
    "BatchRequest",
    "Event",
    "EventsRequest",
    "ExplainRequest",
    "Forgotten",
    "HistoryEvent",
    "Impression",
    "ItemEntry",
    "ItemRequest",
    "ItemResponse",
    "ItemsRequest",
    "ItemsStored",
    "JobResponse",
    "JobsResponse",
    "ModelResponse",
    "ModelsResponse",
    "PartialEventsRequest",
    "Person",
    "Problem",
    "RecommendRequest",
    "TrainRequest",
    "UserRequest",
    "UserResponse",
    "unknown_faults",
]

MOST_ITEMS = 1_000
MOST_EVENTS = 10_000
MOST_TOGETHER = 10_000
MOST_IN_BATCH = 256
MAX_EXPLAINED_PAIRS = 1_000_000
"""Pairs of a ranked item and an item of the history, over all rankings of a request with `explain`."""

FEW = 3
"""Unknown fields of which each is told by itself. A record of a fault takes over a kilobyte, and no body shall make
many: of a list, too, the first fault alone is told."""

LONGEST_NAME = 64
"""Letters of an unknown field that an answer repeats."""


class Message(BaseModel):
    """What all messages have in common: nothing is coerced, and nothing unknown is passed over."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, given: object) -> object:
        fields = cls.__pydantic_fields__
        if isinstance(given, dict) and not given.keys() <= fields.keys():
            faults = unknown_faults([str(name) for name in given if name not in fields], [*fields])
            raise ValidationError.from_exception_data(cls.__name__, faults)
        return given


def unknown_faults(unknown: Sequence[str], known: Sequence[str]) -> list[InitErrorDetails]:
    """A fault for each name that is none, with the names there are; one for all of them where they are many."""
    if len(unknown) > FEW:
        first = ", ".join(name[:LONGEST_NAME] for name in unknown[:FEW])
        problem = f"there are no such fields: {first} and {len(unknown) - FEW} more"
        return [{"type": _unknown(problem, known), "loc": (), "input": None}]
    return [
        {"type": _unknown(f"there is no such field{perhaps(name, known)}", known), "loc": (name,), "input": None}
        for name in unknown
    ]


def _unknown(problem: str, known: Sequence[str]) -> PydanticCustomError:
    fields = ", ".join(known) or "none"
    return PydanticCustomError(
        "extra_forbidden", "{problem}; those there are: {fields}", {"problem": problem, "fields": fields}
    )


class HistoryEvent(Message):
    """One event of a history that is sent along."""

    item: Id
    kind: Kind | None = None
    value: Amount | None = None
    time: Moment | None = None


class Person(Message):
    """Whom it is about: a user of the store, or a history sent along, and what is known of the person besides."""

    user: Id | None = Field(
        default=None, description="A user of the store; one of whom it knows nothing gets what fits the profile."
    )
    history: Annotated[list[Id | HistoryEvent], Field(max_length=MOST_IDS, fail_fast=True), AT_A_GLANCE] | None = Field(
        default=None, description="Instead of a user: item ids, or events with kind, value and time."
    )
    profile: Attributes = Field(
        default_factory=dict,
        description="Laid over the stored one; several values of an attribute are parted by |. An attribute that "
        "training never saw counts as a query.",
    )
    query: SearchQuery | None = None


class Rules(Message):
    """What a ranking may hold."""

    k: Annotated[int, Field(ge=1, le=MOST_ITEMS)] = Field(default=10, description="How many items.")
    only: Ids | None = Field(default=None, description="Choose from these.")
    exclude: Ids = Field(default_factory=list)
    categories: Annotated[list[Text], Field(max_length=64, fail_fast=True)] = Field(
        default_factory=list, description="Only items with one of these categories, topics, genres or tags."
    )
    seen: Literal["exclude", "include"] = "exclude"
    diversity: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0, description="From 0, the order of the scores, to 1, items as different by their words as can be."
    )
    explain: bool = Field(
        default=False,
        description="Whether each item says which items of the history it rests on. "
        f"Items ranked times items of the history are at most {MAX_EXPLAINED_PAIRS:,}.",
    )

    @model_validator(mode="after")
    def _check_diversity(self) -> Self:
        # as many items squared are compared
        if self.diversity and self.k > MOST_DIVERSE:
            raise ValueError(f"with diversity, k is at most {MOST_DIVERSE}")
        return self


class RecommendRequest(Person, Rules):
    """`POST /v1/recommend`."""


class BatchRequest(Rules):
    """`POST /v1/recommend/batch`: the same for many."""

    people: Annotated[list[Person], Field(min_length=1, max_length=MOST_IN_BATCH, fail_fast=True)]


class ExplainRequest(Person):
    """`POST /v1/explain`: why an item has its score."""

    item: Id


class Event(Message):
    """Something a user did. The same `event_id` twice is one event."""

    user: Id
    item: Id
    kind: Kind | None = None
    value: Amount | None = None
    time: Moment | None = Field(default=None, description="Now, where none is given.")
    event_id: Id | None = None
    recommendation_id: Id | None = Field(default=None, description="Of the answer it came from, where it came of one.")


class EventsRequest(Message):
    """`POST /v1/events`: all or nothing."""

    events: Annotated[list[Event], Field(min_length=1, max_length=MOST_EVENTS, fail_fast=True)]
    partial: Whole = False


class PartialEventsRequest(Message):
    """`POST /v1/events`, each event for itself: what can be stored is stored, and a code says of each what became."""

    events: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_EVENTS, fail_fast=True)] = Field(
        description="As in the other form; one that is none gets the code 422 and stops no other."
    )
    partial: Literal[True]


class Appended(Message):
    """What became of events. They are on disk, and the next recommendation knows them."""

    stored: int
    known: int = Field(description="Left out, as an event of that id is stored already.")
    forgotten: int = Field(description="Left out, as the user is forgotten.")
    codes: list[int] | None = Field(default=None, description="With `partial`, for each event: 200, 409 or 422.")
    reasons: list[str | None] | None = Field(
        default=None, description="With `partial`, for each event: why it was not stored, or null where it was."
    )


class UserRequest(Message):
    """`PUT /v1/users/{user}`: replaces the profile."""

    profile: Attributes


class Impression(Message):
    """A recommendation that a user was shown, and which of its items were clicked."""

    recommendation_id: str
    model: str
    time: datetime
    items: list[str]
    clicked: list[str]


class UserResponse(Message):
    """All that is kept of a user."""

    user: str
    profile: dict[str, str]
    history: list[HistoryEvent]
    shown: list[Impression] = Field(description="In the last 90 days, oldest first.")
    reason: str | None = Field(
        default=None, description="What of a profile that was just put says nothing to the model that answers."
    )


class ItemRequest(Message):
    """`PUT /v1/items/{item}`: replaces what the catalogue says of an item."""

    attributes: Attributes = Field(
        default_factory=dict,
        description="Such as title and topics; hidden, available_from and available_until say whether it can be had.",
    )


class ItemEntry(ItemRequest):
    """One of several items that are stored together."""

    item: Id


class ItemsRequest(Message):
    """`POST /v1/items`: all or nothing."""

    items: Annotated[list[ItemEntry], Field(min_length=1, max_length=MOST_TOGETHER, fail_fast=True)]

    @model_validator(mode="after")
    def _check_distinct(self) -> Self:
        counts = Counter(entry.item for entry in self.items)
        item, count = counts.most_common(1)[0]
        if count > 1:
            raise ValueError(f"item '{item}' stands there {count} times: send each once")
        return self


class ItemsStored(Message):
    """How many items the catalogue has taken; they are on disk, and the next recommendation knows them."""

    stored: int


class ItemResponse(Message):
    """An item of the catalogue, and whether it can be recommended now."""

    item: str
    title: str
    attributes: dict[str, str]
    available: bool
    in_model: bool


class Forgotten(Message):
    """What was erased with a user."""

    events: int
    profile: bool
    impressions: int = Field(description="Recommendations that the user was shown.")
    reason: str | None = Field(default=None, description="Why nothing was erased, where that is so.")


class ModelResponse(Message):
    """A bundle of the workspace."""

    name: str
    current: bool
    forgotten: int = Field(description="Users it learned from who have been forgotten since.")
    refused: str | None = Field(description="Why it cannot answer.")


class ModelsResponse(Message):
    """All bundles, and which of them answers here."""

    live: str | None
    models: list[ModelResponse]


class TrainRequest(Message):
    """`POST /v1/train`."""

    model: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None, description="popularity, ease, edlae or autoencoder; that of the bundle in use, if not said."
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(
        default=0, description="Decides who is held out, and how a network starts."
    )


class JobResponse(Message):
    """A training and what became of it."""

    id: int
    state: Literal["running", "done", "failed"]
    model: str | None = Field(
        description="As it was asked for, null for that of the bundle in use; what came out, once it is done."
    )
    seed: int
    started: str = Field(description="ISO 8601, UTC, as all times.")
    ended: str | None
    progress: str | None = Field(description="What it said last; `done` and the bundle, once it is done.")
    bundle: str | None = Field(description="What it made: the version that answers from then on.")
    error: str | None = Field(description="Why it made none.")


class JobsResponse(Message):
    """The last 100 trainings, oldest first."""

    jobs: list[JobResponse]


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] = Field(default_factory=list)
    request_id: str | None = None
