"""Odd ids, values and times are refused by name, or come back as they went in; what is refused leaves nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import NO_TIME
from foldin.data.profiles import Profiles
from foldin.errors import DataError
from foldin.store.contract import Batch, Store
from foldin.store.opening import open_store
from tests.faults.events import Event, events_of, log_of

TEXTS = {
    "NUL": "a\0b",
    "NUL alone": "\0",
    "a high surrogate": "\ud800",
    "a low surrogate": "x\udfff",
    "two surrogates the wrong way round": "\udc00\ud800",
    "empty": "",
    "blank": " ",
    "spaces around": " a ",
    "a tab": "a\tb",
    "line ends": "a\r\nb\n",
    "other line ends": "a\u2028b\x85",
    "control characters": "\x01\x1f\x7f",
    "zero width": "\u200b\ufeff",
    "right to left": "\u202eabc",
    "no character": "\ufffe\uffff",
    "the last character": "\U0010ffff",
    "composed": "é",
    "decomposed": "e\u0301",
    "emoji": "👩‍👩‍👧",
    "a number": "1",
    "a number with zeros": "01",
    "a number with a point": "1.0",
    "a large number": "9" * 40,
    "a path": "../../etc/passwd",
    "slashes": "a/b\\c",
    "quotes": "'\"`",
    "SQL": "'; DROP TABLE events; --",
    "placeholders": "%s %(a)s ? ?1 :a $1 {} {0}",
    "the null of COPY": "\\N",
    "the end of COPY": "\\.",
    "null": "null",
    "an array": "{a,NULL}",
    "JSON": '{"a": "\\u0000"}',
    "257 bytes": "x" * 257,
    "long": "".join(chr(0x4E00 + 7919 * place % 20000) for place in range(3000)),
}
VALUES = (0.0, 1.0, -1.0, 0.1, 16_777_217.0, 1e-45, -1e-45, 1.1754944e-38, 3.4028235e38, -3.4028235e38, np.inf, -np.inf)
TIMES = (NO_TIME + 1, -(2**53) - 1, -1, 0, 1, 2**53 + 1, 2**63 - 1)

EVERY = frozenset(TEXTS.values())
IMPOSSIBLE = {text for text in EVERY if re.search("[\ud800-\udfff]", text)}
NOT_EVERYWHERE = {TEXTS["NUL"], TEXTS["NUL alone"], TEXTS["long"]}
"""What fits into an attribute, and not into an id or an index."""
REFUSABLE = IMPOSSIBLE | NOT_EVERYWHERE

FIELDS = {"user", "item", "kind", "source", "event_id", "digest", "cursor", "attributes"}
CELL = ids_of(["x"])


@dataclass(frozen=True)
class Place:
    """Where a text may stand: the call that brings it there, for the n-th time, and how all are found again."""

    put: Callable[[Store, str, str], object]
    found: Callable[[Store], Iterable[object]]


def logged(source: str = "a", *, user: str = "ann", item: str = "x", kind: str | None = None) -> Batch:
    return Batch(log_of([(user, item, kind, 1.0, 1)]), source)


PLACES = {
    "a user": Place(
        lambda store, text, _: store.ingest([logged(user=text)]),
        lambda store: store.interactions().user_ids,
    ),
    "an item": Place(
        lambda store, text, _: store.ingest([logged(item=text)]),
        lambda store: store.interactions().item_ids,
    ),
    "a kind": Place(
        lambda store, text, _: store.ingest([logged(kind=text)]),
        lambda store: store.history("ann").kinds or (),
    ),
    "a source": Place(
        lambda store, text, _: store.ingest([logged(text)]),
        lambda store: store.sources(),
    ),
    "a cursor": Place(
        lambda store, text, number: store.ingest([replace(logged(number), cursor=text)]),
        lambda store: [store.cursor(source) for source in store.sources()],
    ),
    "a user with a profile": Place(
        lambda store, text, _: store.put_profiles(Profiles(ids_of([text]), {"role": CELL})),
        lambda store: store.profiles().user_ids,
    ),
    "an attribute of a user": Place(
        lambda store, text, number: store.put_profiles(Profiles(ids_of([number]), {"role": ids_of([text])})),
        lambda store: store.profiles().attributes["role"],
    ),
    "the name of an attribute": Place(
        lambda store, text, number: store.put_profiles(Profiles(ids_of([number]), {text: CELL})),
        lambda store: store.profiles().attributes,
    ),
    "an item of the catalogue": Place(
        lambda store, text, _: store.put_catalog(Catalog(ids_of([text]), {"title": CELL})),
        lambda store: store.catalog().item_ids,
    ),
    "an attribute of an item": Place(
        lambda store, text, number: store.put_catalog(Catalog(ids_of([number]), {"title": ids_of([text])})),
        lambda store: store.catalog().attributes["title"],
    ),
}
MARKS: dict[str, Callable[[str], Batch]] = {
    "an event id": lambda text: replace(logged(), event_ids=[text]),
    "a digest": lambda text: replace(logged(), digest=text),
}


def content(store: Store) -> object:
    return store.fingerprint(), store.summary(), dict(store.sources())


def refused(store: Store, text: str, call: Callable[[], object]) -> bool:
    """Whether a call with a text is refused, by the name of a field, and leaves the store as it was."""
    before = content(store) if text in REFUSABLE else None  # where no other may be refused, it takes too long to look
    try:
        call()
    except DataError as error:
        return names_a_field(error) and content(store) == before
    return False


def names_a_field(error: DataError) -> bool:
    return error.field in FIELDS and f"field '{error.field}': " in str(error)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_text_comes_back_as_it_was_or_is_refused(store: Store, place: Place) -> None:
    stored = {
        text
        for number, text in enumerate(TEXTS.values())
        if not refused(store, text, partial(place.put, store, text, f"number {number}"))
    }
    assert set(place.found(store)) == stored
    assert EVERY - REFUSABLE <= stored <= EVERY - IMPOSSIBLE


@pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS)
def test_a_mark_is_known_again_and_no_other_is_taken_for_it(store: Store, mark: Callable[[str], Batch]) -> None:
    marked = {text: mark(text) for text in TEXTS.values()}
    stored = {text for text, batch in marked.items() if not refused(store, text, partial(store.ingest, [batch]))}
    assert store.summary().events == len(stored)
    assert EVERY - REFUSABLE <= stored <= EVERY - IMPOSSIBLE
    assert [store.ingest([marked[text]]).known for text in sorted(stored)] == [1] * len(stored)


def test_append_refuses_one_batch_and_names_the_field(store: Store) -> None:
    for text in sorted({TEXTS["NUL"], *IMPOSSIBLE}):
        fields = {
            "user": logged(user=text),
            "item": logged(item=text),
            "kind": logged(kind=text),
            "source": logged(text),
        }
        before, refusals = content(store), store.append([*fields.values()])
        assert [error.field for error in refusals if isinstance(error, DataError)] == [*fields]
        assert content(store) == before


def test_values_come_back_as_they_were(store: Store) -> None:
    values = np.array(VALUES, dtype=np.float32)
    items = [f"item {number:02}" for number in range(len(VALUES))]
    store.ingest(
        [Batch(log_of([("ann", item, None, value, 1) for item, value in zip(items, VALUES, strict=True)]), "a")]
    )
    for told in (store.interactions().values, store.history("ann").values):
        np.testing.assert_array_equal(told, values, strict=True)


def test_minus_zero_is_zero(store: Store, new_url: Callable[[], str]) -> None:
    store.ingest([Batch(log_of([("ann", "x", None, -0.0, 1)]), "a")])
    with open_store(new_url(), create=True) as other:
        other.ingest([Batch(log_of([("ann", "x", None, 0.0, 1)]), "a")])
        assert store.fingerprint() == other.fingerprint()


def test_times_come_back_as_they_were(store: Store) -> None:
    store.ingest([Batch(log_of([("ann", "x", None, None, time) for time in TIMES]), "a")])
    for told in (store.interactions().times, store.history("ann").times):
        np.testing.assert_array_equal(told, np.array(TIMES, dtype=np.int64), strict=True)
    assert (store.summary().first_time, store.summary().last_time) == (TIMES[0], TIMES[-1])


def test_a_missing_value_is_no_zero_and_a_missing_time_no_beginning(store: Store) -> None:
    events: list[Event] = [("ann", "x", None, None, 5), ("ann", "y", "view", 0.0, None), ("ann", "z", None, None, None)]
    store.ingest([Batch(log_of(events), "a")])
    assert events_of(store.interactions()) == events
    assert (store.summary().first_time, store.summary().last_time) == (5, 5)
