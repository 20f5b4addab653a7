"""What is picked by a few letters is found as by a look at every name, and others are answered meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from random import Random
from threading import get_ident
from typing import TypeVar, cast

import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.service.desk import Desk
from foldin.service.page.items import Items
from foldin.service.page.names import MANY, MOST, names_of
from foldin.service.page.people import People
from foldin.store.contract import Store
from tests.service.loops import completed

Result = TypeVar("Result")


class Told(str):
    """Letters that tell on which threads they were folded."""

    def __init__(self, _: str) -> None:
        self.folded: list[int] = []

    def casefold(self) -> str:
        self.folded.append(get_ident())
        return super().casefold()


class Someone:
    """A desk, and the store at it, which knows people only."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._ids = ids

    def user_ids(self) -> Sequence[str]:
        return self._ids

    async def run(self, work: Callable[[Store], Result]) -> Result:
        return work(cast("Store", self))


def found_slowly(text: str, names: Sequence[str]) -> list[int]:
    wanted = text.casefold().strip()
    held = [place for place, name in enumerate(names) if wanted in name.casefold()]
    held.sort(key=lambda place: (names[place].casefold() != wanted, not names[place].casefold().startswith(wanted)))
    return held[:MOST]


@pytest.mark.parametrize("letters", ["ab", "aB\n ", "abcß"])
def test_as_by_a_look_at_every_name(letters: str) -> None:
    random = Random(3)
    for count in (0, 1, 5, 200):
        names, others = (["".join(random.choices(letters, k=random.randrange(6))) for _ in range(count)] for _ in "ab")
        for text in ["", " ", "a", *names, *others]:
            assert names_of(names).found(text) == found_slowly(text, names)


def picked(pick: Callable[[str], Awaitable[Result]]) -> list[Result]:
    """What is found for some letters, none of which were looked for on the event loop."""
    letters = [Told("name1000"), Told("NAME100")]

    async def found() -> list[Result]:
        answers = [await pick(text) for text in letters]
        assert get_ident() not in {thread for text in letters for thread in text.folded}
        return answers

    return completed(found())


def test_each_of_many_people_is_folded_once() -> None:
    names = [Told(f"Name{number}") for number in range(MANY + 1)]
    people = People(cast("Desk", Someone(names)))
    assert picked(people.found) == [["Name1000"], ["Name100", "Name1000"]]
    assert {len(name.folded) for name in names} == {1}


def test_each_of_many_items_is_folded_once_for_a_model() -> None:
    ids, titles = ([Told(f"{of}{number}") for number in range(MANY + 1)] for of in ("item ", "Name"))
    catalogs = [Catalog(ids_of(ids), {"title": ids_of(titles)}), Catalog(ids_of(["i"]), {"title": ids_of(["NAME"])})]
    catalogs[0].item_ids[:] = ids  # a catalogue takes plain letters of ids
    items = Items()
    found = picked(lambda text: items.found(text, catalogs[0]))
    assert found == [[("item 1000", "Name1000")], [("item 100", "Name100"), ("item 1000", "Name1000")]]
    assert {len(name.folded) for name in (*ids, *titles)} == {1}
    assert completed(items.found("name", catalogs[1])) == [("i", "NAME")]
