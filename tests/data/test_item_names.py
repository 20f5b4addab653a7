from __future__ import annotations

import unicodedata

import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.item_names import ItemNames
from foldin.data.item_search import search_items, title_first
from foldin.errors import ConfigurationError


@pytest.fixture(scope="module")
def films() -> Catalog:
    titles = ["Star Wars (1977)", "Amélie (2001)", "Heat", "heat", "2", None, "Star Trek: The Wrath of Khan", "Wars"]
    genres = ["space", "romance", None, None, None, "star wars", "space", None]
    return Catalog(ids_of(["1", "2", "3", "4", "5", "6", "7", "8"]), {"title": ids_of(titles), "genre": ids_of(genres)})


@pytest.mark.parametrize(
    ("name", "item_id"),
    [
        ("2", "2"),  # an id before the title of another item
        ("star  WARS (1977) ", "1"),
        (unicodedata.normalize("NFD", "amélie (2001)"), "2"),
        ("Star Wars", None),  # a part of a title is none
        ("6", "6"),
        ("", None),
    ],
)
def test_an_id_wins_then_the_whole_of_a_title(films: Catalog, name: str, item_id: str | None) -> None:
    assert ItemNames(films).find(name) == item_id


def test_a_title_of_several_items_lists_their_ids(films: Catalog) -> None:
    with pytest.raises(ConfigurationError, match="2 items have the title 'HEAT': give the id, 3 or 4"):
        ItemNames(films).find("HEAT")


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("wars star", " (did you mean 'Star Wars (1977)'?)"),
        ("star", " (did you mean 'Star Wars (1977)' or 'Star Trek: The Wrath of Khan'?)"),
        ("Star Wors (1977)", " (did you mean 'Star Wars (1977)'?)"),
        (unicodedata.normalize("NFD", "2001 amélie"), " (did you mean 'Amélie (2001)'?)"),
        ("amelie (2001)", " (did you mean 'Amélie (2001)'?)"),
        ("nothing of the kind", ""),
        ("", ""),
    ],
)
def test_titles_that_may_have_been_meant(films: Catalog, name: str, suggested: str) -> None:
    assert ItemNames(films).suggest(name) == suggested


def test_a_search_finds_all_words_and_puts_titles_first(films: Catalog) -> None:
    found = search_items(films, "WARS star")
    assert found == [0, 5]
    assert title_first(films, "WARS star", found, events=[1, 0, 0, 0, 0, 9, 0, 0]) == [0, 5]
    assert title_first(films, "space", search_items(films, "space"), events=[1, 0, 0, 0, 0, 0, 5, 0]) == [6, 0]
    assert search_items(films, " ") == list(range(8))
