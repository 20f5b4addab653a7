from __future__ import annotations

import pytest

from foldin.cli.item_arguments import find_known_items
from foldin.data.catalog import Catalog, ids_of

CATALOG = Catalog(ids_of(["Tyler, The Creator", "a", "b", 'x "y"', "-88"]))


@pytest.mark.parametrize(
    ("lists", "ids"),
    [
        (["Tyler, The Creator"], ["Tyler, The Creator"]),
        (['"Tyler, The Creator",a'], ["Tyler, The Creator", "a"]),
        (['a, "Tyler, The Creator" '], ["a", "Tyler, The Creator"]),
        (["Tyler, The Creator", "a,b"], ["Tyler, The Creator", "a", "b"]),
        (['x "y",-88'], ['x "y"', "-88"]),
        (["a,,b, "], ["a", "b"]),
        (["a\r\nb\r-88"], ["a", "b", "-88"]),
        ([""], []),
    ],
)
def test_items_with_commas_in_their_names_are_found(
    lists: list[str], ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert find_known_items(lists, CATALOG) == ids
    assert capsys.readouterr().err == ""


def test_a_note_quotes_what_it_takes_for_items(capsys: pytest.CaptureFixture[str]) -> None:
    assert find_known_items(["Tyler, The Painter"], CATALOG) == ["Tyler", "The Painter"]
    assert "passed over: 'Tyler', 'The Painter'" in capsys.readouterr().err
