"""`foldin items`: the catalogue, searched by words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import DEFAULT_FOLDER, HowMany, Json, WorkspaceFolder

if TYPE_CHECKING:
    from foldin.data.catalog import Catalog
    from foldin.data.interactions import Interactions

__all__ = ["items"]


def items(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORD ...]", help="What to look for; every item, if nothing is said.")
    ] = None,
    k: HowMany = 20,
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    json: Json = False,
) -> None:
    """Search the catalogue for items with all the words, first those that have them in their title.

    Example: foldin items network security
    """
    from foldin.cli.output import print_json, progress
    from foldin.data.item_search import search_items, title_first
    from foldin.workspace import open_workspace

    text = " ".join(words or [])
    with progress("reading the store"), open_workspace(workspace).store() as store:
        log, catalog = store.interactions(), store.catalog()
    catalog = catalog.extended(log.item_ids)
    events = _events(log, catalog)
    found = title_first(catalog, text, search_items(catalog, text), events)
    if json:
        print_json([_as_json(catalog, events, place) for place in found[:k]])
    else:
        _print(text, catalog, events, found, k)


def _events(log: Interactions, catalog: Catalog) -> list[int]:
    """How many events each item has, in the catalogue's order."""
    import numpy as np

    counts = np.zeros(len(catalog), dtype=np.int64)
    counts[catalog.indices(log.item_ids)] = np.bincount(log.item_codes, minlength=len(log.item_ids))
    events: list[int] = counts.tolist()
    return events


def _as_json(catalog: Catalog, events: list[int], place: int) -> dict[str, object]:
    item_id, title = str(catalog.item_ids[place]), catalog.title(place)
    return {"item_id": item_id, "title": title, "events": events[place], "item": catalog.item(place)}


def _print(text: str, catalog: Catalog, events: list[int], found: list[int], k: int) -> None:
    from foldin.cli.output import print_line, print_table
    from foldin.data.item_names import ItemNames
    from foldin.wording import counted

    if not found:
        print_line(f"No item has all words of '{text}'{ItemNames(catalog).suggest(text)}")
        return
    rows = [[str(catalog.item_ids[place]), catalog.title(place), f"{events[place]:,}"] for place in found[:k]]
    title = f"{counted(len(found), 'item')} with '{text}'" if text else counted(len(found), "item")
    print_table(title, ["item", "title", "events"], rows, numbers=["events"])
    if k < len(found):
        print_line(f"{k:,} of {counted(len(found), 'item')}; -k shows more")
