from __future__ import annotations

import numpy as np
import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.errors import DataError, NotFoundError


@pytest.fixture
def catalog() -> Catalog:
    return Catalog(ids_of(["b", "a", "c"]), {"title": ids_of(["Bee", None, "Sea"]), "level": ids_of([None, "2", "1"])})


def test_ids_and_indices_are_one_another(catalog: Catalog) -> None:
    assert len(catalog) == 3
    assert catalog.indices(["c", "b", "c"]).tolist() == [2, 0, 2]
    assert catalog.ids(np.array([2, 0, 2])).tolist() == ["c", "b", "c"]
    assert catalog.indices([]).tolist() == []
    assert catalog.knows(["a", "z", "A"]).tolist() == [True, False, False]
    known, indices = catalog.known_indices(["c", "z", "b", "A"])
    assert (known.tolist(), indices.tolist()) == ([True, False, True, False], [2, 0])


def test_an_unknown_id_is_named(catalog: Catalog) -> None:
    with pytest.raises(NotFoundError, match="no item 'z' in the catalogue of 3 items"):
        catalog.indices(["a", "z"])


@pytest.mark.parametrize("index", [3, -1])
def test_an_index_out_of_range_is_an_error(catalog: Catalog, index: int) -> None:
    with pytest.raises(IndexError):
        catalog.ids(np.array([0, index]))


def test_only_known_attributes_are_told(catalog: Catalog) -> None:
    assert catalog.item(0) == {"title": "Bee"}
    assert catalog.item(1) == {"level": "2"}
    assert [catalog.title(index) for index in range(3)] == ["Bee", "a", "Sea"]


def test_extended_keeps_the_order_and_adds_the_rest_sorted(catalog: Catalog) -> None:
    longer = catalog.extended(ids_of(["z", "a", "d"]))
    assert longer.item_ids.tolist() == ["b", "a", "c", "d", "z"]
    assert longer.item(3) == {}
    assert longer.item(2) == {"title": "Sea", "level": "1"}
    assert catalog.extended(ids_of(["a"])) is catalog
    assert len(catalog) == 3


def test_an_id_twice_is_refused() -> None:
    with pytest.raises(DataError, match="twice in the catalogue"):
        Catalog(ids_of(["a", "b", "a"]))


def test_an_attribute_of_another_length_is_refused() -> None:
    with pytest.raises(DataError, match="field 'title': 1 cell for 2 items"):
        Catalog(ids_of(["a", "b"]), {"title": ids_of(["x"])})


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("Hidden", "hidden"),
        ("HIDDEN", "hidden"),
        ("Available Until", "available_until"),
        ("availableFrom", "available_from"),
        ("Title", "title"),
        ("Topics", "topics"),
        ("Hidden level", "Hidden level"),
    ],
)
def test_an_attribute_with_an_effect_is_told_without_case_and_signs(written: str, known: str) -> None:
    assert list(Catalog(ids_of(["a"]), {written: ids_of(["1"])}).attributes) == [known]


def test_two_attributes_that_would_be_the_same_are_refused() -> None:
    with pytest.raises(DataError, match="the attributes 'Title' and 'title' would both be the title: rename one"):
        Catalog.of_one("a", {"Title": "A", "title": "B"})
