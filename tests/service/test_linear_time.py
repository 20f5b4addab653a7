"""Work on what a client sends grows at most linearly with its size, whatever its shape.

CPU time at one size is compared with that at an eighth of it: 8 times as much is linear, 64 times is quadratic.
"""

from __future__ import annotations

import gc
import gzip
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from time import thread_time
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter
from starlette.datastructures import QueryParams

from foldin.coldstart.notices import cells_of, profile_notices, query_notices
from foldin.coldstart.words import words_of
from foldin.data.catalog import Catalog, ids_of
from foldin.data.cells import SEPARATORS, is_address, is_date, number_of, pieces_of, value_of
from foldin.data.feedback import Feedback, FeedbackRule
from foldin.data.identifiers import are_plain, checked_id
from foldin.data.interactions import History
from foldin.data.spelling import perhaps
from foldin.errors import DataError
from foldin.service.bodies import JSON, RefusedError, _check_query, _message, _unpacked
from foldin.service.histories import history_of, log_of
from foldin.service.hosts import host_of, is_own, netloc_of
from foldin.service.messages import (
    BatchRequest,
    Event,
    EventsRequest,
    ExplainRequest,
    HistoryEvent,
    ItemRequest,
    ItemsRequest,
    PartialEventsRequest,
    RecommendRequest,
    TrainRequest,
    UserRequest,
)
from foldin.service.page.drafts import Draft, read_draft, revised, settled
from foldin.service.page.names import names_of
from foldin.service.problems import detail_of, faults_of, problem
from foldin.service.shelf import _categories
from foldin.strict_json import parse_json

SIZES = (2**11, 2**14, 2**17)
"""Bytes or characters."""

LARGEST = (*SIZES, 2**20)
"""Those of a whole body."""

MAX_GROWTH = 24
"""Between linear, 8, and quadratic, 64."""

NEGLIGIBLE = 0.03
"""Seconds of CPU below which nothing is compared: a quadratic loop takes more for the larger size."""

TRIES = 4
"""Measurements of which the least counts: whatever else happens only adds to it."""

MARKS = "\u0300\u0316"
"""Two combining marks in the order that Unicode's normal forms reverse."""

TEXTS: dict[str, Callable[[int], str]] = {
    "letters": lambda size: "a" * size,
    "letters beyond ASCII": lambda size: "é" * size,
    "unspaced script": lambda size: "日本" * (size // 2),
    "combining marks": lambda size: "a" + MARKS * (size // 2),
    "Tibetan vowel signs": lambda size: "\u0f73" * size,
    "digits": lambda size: "7" * size,
    "a number with a long fraction": lambda size: "0." + "0" * size + "1",
    "spaces": lambda size: "a" + " " * size + "b",
    "commas": lambda size: "," * size,
    "bars": lambda size: "a|" * (size // 2),
    "quotes": lambda size: "['" + "\"'" * (size // 2) + "]",
    "apostrophes": lambda size: "['" + "a'" * (size // 2) + '"]',
    "backslashes": lambda size: "\\" * size,
    "brackets": lambda size: "[" * size,
    "dates": lambda size: "2026-01-01T" * (size // 11),
    "hyphens": lambda size: "1-" * (size // 2),
    "addresses": lambda size: "a://" * (size // 4) + " ",
    "words": lambda size: " ".join(f"w{number}" for number in range(size // 7)),
    "percent signs": lambda size: "%" * size,
    "ampersands": lambda size: "&" * size,
    "colons": lambda size: ":" * size,
    "dots": lambda size: "1." * (size // 2),
}


def of_text(make: Callable[[int], str], change: Callable[[str], Any], size: int) -> Any:
    return change(make(size))


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


BODIES: dict[str, Callable[[int], str]] = {
    **{f"text of {name}": partial(of_text, make, quoted) for name, make in TEXTS.items()},
    "distinct keys": lambda size: "{" + ",".join(f'"k{number}":0' for number in range(size // 10)) + "}",
    "the last key twice": lambda size: (
        "{" + ",".join(f'"k{number}":0' for number in range(size // 10)) + ',"z":0,"z":0}'
    ),
    "all keys twice": lambda size: "{" + ",".join(f'"k{n}":0,"k{n}":0' for n in range(size // 20)) + "}",
    "one key": lambda size: "{" + ",".join(['"k":0'] * (size // 6)) + "}",
    "objects": lambda size: "[" + ",".join(['{"a":0}'] * (size // 8)) + "]",
    "nested lists": lambda size: "[" * (size // 2) + "]" * (size // 2),
    "nested objects": lambda size: '{"a":' * (size // 6) + "0" + "}" * (size // 6),
    "many nested lists": lambda size: "[" + ",".join(["[" * 30 + "]" * 30] * (size // 61)) + "]",
    "numbers": lambda size: "[" + ",".join(["0"] * (size // 2)) + "]",
    "long numbers": lambda size: "[" + ",".join(["7" * 4_000] * (size // 4_001)) + "]",
    "one number": lambda size: "7" * size,
    "one fraction": lambda size: "0." + "7" * size,
    "one exponent": lambda size: "1e" + "7" * size,
    "a fraction too large": lambda size: "7" * size + ".0",
    "surrogate pairs": lambda size: '"' + "\\ud83d\\ude00" * (size // 12) + '"',
    "half of a surrogate pair": lambda size: '"' + "a" * size + '\\ud83d"',
    "unclosed": lambda size: '["' * (size // 2),
    "line ends": lambda size: "[" + "\n" * size,
}

TEXT_PARSERS: dict[str, Callable[[str], object]] = {
    "checked_id": lambda text: checked_id(text, "item"),
    "are_plain": lambda text: are_plain([text]),
    "value_of": value_of,
    "number_of": number_of,
    "is_date": is_date,
    "is_address": is_address,
    "pieces_of": lambda text: [pieces_of(text, separator) for separator in (None, *SEPARATORS)],
    "words_of": words_of,
    "query_notices": lambda text: query_notices(text, None),
    "perhaps": lambda text: perhaps(text, [text[:-1] + "z", *(f"known {number}" for number in range(100))]),
    "profile_notices": lambda text: profile_notices(
        {"role": text}, {"role": [text[:-1] + "z", "admin"]}, lambda *_: bool(cells_of([{"role": text}])) and False
    ),
    "names": names_of([f"Item {number}" for number in range(100)]).found,
    "read_draft": lambda text: read_draft(f"user=u&profile.role={quote(text[:100])}&profile.about={text}".encode()),
    "read_draft of many fields": lambda text: read_draft(text.encode()),
    "query": lambda text: _check_query(QueryParams(text), {"k"}),
}

HEADER_PARSERS: dict[str, Callable[[str], object]] = {
    "host_of": lambda text: (host_of("//" + text), netloc_of(text)),
    "is_own": lambda text: is_own(text, ["foldin.example"]),
    "content type": lambda text: [JSON.match(start + text) for start in ("", "application/", "application/json")],
}

HEADERS = {name: make for name, make in TEXTS.items() if all(ord(letter) < 256 for letter in make(64))}
"""A header is decoded as Latin-1."""

RULE = FeedbackRule(Feedback())


def is_linear(work: Callable[[Any], object], make: Callable[[int], Any], sizes: tuple[int, ...] = SIZES) -> bool:
    before = None
    for size in sizes:
        spent = least(work, make(size), NEGLIGIBLE if before is None else max(NEGLIGIBLE, MAX_GROWTH * before))
        if before is not None and spent > max(NEGLIGIBLE, MAX_GROWTH * before):
            return False
        before = spent
    return True


def least(work: Callable[[Any], object], given: Any, enough: float) -> float:
    """The CPU time of some work, measured again as long as it is over `enough`."""
    spent = float("inf")
    for _ in range(TRIES):
        began = thread_time()
        with suppress(ValueError, DataError, RequestValidationError, RefusedError):
            work(given)
        spent = min(spent, thread_time() - began)
        if spent <= enough or spent > 4 * enough:  # so much more is no accident
            break
    return spent


@pytest.fixture(autouse=True, scope="module")
def _without_collections() -> Any:
    gc.disable()
    yield
    gc.enable()


def super_linear(
    work: Callable[[Any], object], shapes: Mapping[str, Callable[[int], Any]], sizes: tuple[int, ...] = SIZES
) -> list[str]:
    """The shapes for which the work grows more than linearly."""
    return [shape for shape, make in shapes.items() if not is_linear(work, make, sizes)]


def test_a_quadratic_loop_is_found() -> None:
    assert is_linear(lambda text: text.count("ab"), TEXTS["letters"])
    assert not is_linear(lambda text: [text.count("ab") for _ in range(len(text) // 64)], TEXTS["letters"])


def test_json_is_parsed_in_linear_time() -> None:
    assert super_linear(parse_json, BODIES) == []
    assert super_linear(parse_json, {name: BODIES[name] for name in BODIES if "keys" in name}, LARGEST) == []


@pytest.mark.parametrize("parser", TEXT_PARSERS)
def test_a_text_is_read_in_linear_time(parser: str) -> None:
    assert super_linear(TEXT_PARSERS[parser], TEXTS) == []


@pytest.mark.parametrize("parser", HEADER_PARSERS)
def test_a_header_is_read_in_linear_time(parser: str) -> None:
    assert super_linear(HEADER_PARSERS[parser], HEADERS) == []


def item_ids(size: int) -> list[str]:
    return [f"i{number}" for number in range(size // 8)]


VALUES: dict[str, Callable[[int], object]] = {
    "text": TEXTS["combining marks"],
    "spaces": TEXTS["spaces"],
    "ids": item_ids,
    "ids beyond ASCII": lambda size: [f"é{number}" for number in range(size // 8)],
    "a wrong id at the end": lambda size: [*item_ids(size), 7],
    "lists": lambda size: [[]] * (size // 4),
    "keys": lambda size: {f"k{number}": "v" for number in range(size // 12)},
    "keys of wrong values": lambda size: {f"k{number}": number for number in range(size // 12)},
    "events": lambda size: [{"user": "u", "item": f"i{number}"} for number in range(size // 30)],
    "dated items": lambda size: [{"item": f"i{n}", "time": "2026-03-01T12:00:00Z"} for n in range(size // 45)],
    "people": lambda size: [{"profile": {"role": "a|b"}}] * (size // 30),
    "entries": lambda size: [{"item": f"i{n}", "attributes": {"topic": "a|b"}} for n in range(size // 50)],
    "the same entry": lambda size: [{"item": "i1"}] * (size // 16),
    "unknown fields": lambda size: [{f"k{number}": 0 for number in range(size // 12)}],
}

FORMS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "recommend": (RecommendRequest, ("user", "history", "profile", "k", "only", "categories", "seen")),
    "batch": (BatchRequest, ("people", "exclude")),
    "explain": (ExplainRequest, ("item", "history")),
    "events": (EventsRequest, ("events",)),
    "partial events": (PartialEventsRequest, ("events",)),
    "event": (Event, ("user", "kind", "value", "time", "event_id")),
    "user": (UserRequest, ("profile",)),
    "item": (ItemRequest, ("attributes",)),
    "items": (ItemsRequest, ("items",)),
    "train": (TrainRequest, ("model", "seed")),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_message_is_validated_and_its_faults_are_described_in_linear_time(form: str) -> None:
    message, fields = FORMS[form]
    adapter = TypeAdapter(message)

    def answer(plain: object) -> None:
        try:
            _message(adapter, plain)
        except RequestValidationError as error:
            faults = faults_of(error.errors())
            problem(422, detail_of(faults), "id", faults)

    for field in fields:
        of_field = {
            name: lambda size, make=make, field=field: (
                {field: make(size), "user": "u", "item": "i"} if message is Event else {field: make(size)}
            )
            for name, make in VALUES.items()
        }
        assert super_linear(answer, of_field) == [], field
    unknown = {"unknown fields": lambda size: {f"k{number}": 0 for number in range(size // 12)}}
    assert super_linear(answer, unknown) == []


def fill(make: Callable[[int], object], field: str, size: int) -> dict[str, object]:
    return {field: make(size)}


def test_histories_and_events_become_columns_in_linear_time() -> None:
    now = datetime.now(UTC)
    kinds = {
        "plain": item_ids,
        "events": lambda size: [HistoryEvent(item=f"i{n}", kind=f"k{n}", value=n, time=now) for n in range(size // 64)],
    }
    assert super_linear(history_of, kinds) == []
    of_one = {"events": lambda size: [Event(user=f"u{n}", item=f"i{n}", time=now) for n in range(size // 64)]}
    assert super_linear(lambda events: log_of(events, now), of_one) == []


def test_a_draft_is_laid_over_a_history_in_linear_time() -> None:
    def make(size: int) -> tuple[History, Draft]:
        items = tuple(item_ids(size))
        return History(items), Draft("u", added=items[::2], removed=items[1::2])

    def lay(given: tuple[History, Draft]) -> None:
        revised(*given, RULE)
        settled(given[1], given[0], {})

    assert is_linear(lay, make)


@pytest.mark.parametrize("field", ["add", "remove", "added", "before", "profile.role", "profile.{}"])
def test_a_form_is_read_in_linear_time(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foldin.service.page.drafts.MOST_FIELDS", 2**20)

    def many(size: int) -> bytes:
        return ("&".join(f"{field.format(number)}=i{number}" for number in range(size // 16)) + "&user=u").encode()

    assert is_linear(read_draft, many)


def test_a_value_in_many_profiles_is_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def suggest(given: str, known: object) -> str:
        compared.append(given)
        return ""

    monkeypatch.setattr("foldin.coldstart.notices.perhaps", suggest)
    for _ in range(50):
        profile_notices({"role": "a value of no other test"}, {"role": ("admin",)}, lambda *_: False)
    assert compared == ["a value of no other test"]


def test_categories_take_memory_for_their_items_only() -> None:
    ids = ids_of(item_ids(2**13))
    catalog = Catalog(ids, {"topics": ids_of([f"{item}|{item} too" for item in ids])})
    categories = _categories(catalog, catalog)
    assert len(categories) == 2 * len(ids)
    assert sum(indices.nbytes for indices in categories.values()) < 16 * len(categories)


def test_gzip_is_unpacked_in_linear_time() -> None:
    shapes = {name: partial(of_text, make, lambda text: gzip.compress(text.encode())) for name, make in TEXTS.items()}
    assert super_linear(lambda body: _unpacked(body, 2**24), shapes) == []
