from __future__ import annotations

import pytest

from foldin.coldstart.content import fit_content
from foldin.coldstart.stemming import UNSTEMMED, check_language, detect_language, languages, stems_of
from foldin.coldstart.words import words_of
from foldin.data.catalog import Catalog, ids_of
from foldin.errors import ConfigurationError


def test_forms_of_a_word_have_one_stem() -> None:
    assert stems_of(["networks", "networking", "network"], "english") == ["network"] * 3
    assert stems_of(["häuser", "haus"], "german") == ["haus"] * 2
    assert stems_of(["networks"], UNSTEMMED) == ["networks"]
    assert stems_of([], "english") == []


@pytest.mark.parametrize(
    ("language", "titles"),
    [
        ("english", ["The return of the networks", "Getting started with pivot tables"]),
        ("german", ["Der Weg zu den Netzen", "Einführung in die Tabellen und Diagramme"]),
        ("french", ["Les réseaux de la maison", "Créer un tableau avec des données"]),
        ("english", ["networks|storage", "clouds|de|replication", *["tags"] * 20]),
        ("english", []),
    ],
)
def test_the_language_is_that_of_most_stop_words(language: str, titles: list[str]) -> None:
    assert detect_language([words_of(title) for title in titles]) == language


def test_a_language_without_a_stemmer_is_refused() -> None:
    assert check_language("english") == "english"
    assert check_language("none") == UNSTEMMED
    assert "porter" not in languages()
    with pytest.raises(
        ConfigurationError, match=r"no language 'englisch' \(did you mean 'english'\?\); there are: arabic, .*none"
    ):
        check_language("englisch")


@pytest.mark.parametrize(("language", "items"), [(None, [0, 1]), ("english", [0, 1]), ("none", [0])])
def test_catalogue_and_queries_are_stemmed_alike(language: str | None, items: list[int]) -> None:
    titles = ids_of(["The network at home", "All of the networks", "Of clouds and the sea"])
    content = fit_content(Catalog(ids_of(["a", "b", "c"]), {"title": titles}), language)
    assert content is not None
    assert content.relevance([["network"]])[0].nonzero()[0].tolist() == items
    assert content.unmatched(["network", "clouds", "mountains"]) == ["mountains"]
