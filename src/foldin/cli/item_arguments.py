"""Items as they are typed at the prompt, by id or by title, and their ids."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foldin.data.catalog import Catalog
    from foldin.data.item_names import ItemNames

__all__ = ["find_items", "find_known_items"]


def find_items(names: Sequence[str], catalog: Catalog) -> list[str]:
    """The ids of items that the catalogue must have.

    Raises:
        NotFoundError: no item is called so.
        DataError: a name that no item has could be no id either.
        ConfigurationError: several items have the title.
    """
    from foldin.data.identifiers import checked_id
    from foldin.data.item_names import ItemNames
    from foldin.errors import NotFoundError
    from foldin.wording import counted

    item_names, found = ItemNames(catalog), []
    for name in names:
        item_id = item_names.find(name)
        if item_id is None:
            checked_id(name, "item")
            raise NotFoundError(
                f"no item '{name}', by id or title, in the catalogue of {counted(len(catalog), 'item')}"
                f"{item_names.suggest(name)}"
            )
        found.append(item_id)
    return found


def find_known_items(lists: Sequence[str], catalog: Catalog, what: str = "unknown to the model") -> list[str]:
    """The ids of items; a name that no item has is kept as an id, and a note names it.

    `lists`: of names, as "A,B,C" or one a line; one with a comma in it is in quotation marks, or alone in its list.
    `what`: what the note says of them.

    Raises:
        DataError: a name that no item has could be no id either.
        ConfigurationError: several items have the title.
    """
    from foldin.cli.output import print_note
    from foldin.data.identifiers import checked_id
    from foldin.data.item_names import ItemNames

    item_names, ids, unknown = ItemNames(catalog), [], []
    for name in [name for listed in lists for name in _split_names(listed, item_names)]:
        item_id = item_names.find(name)
        if item_id is None:
            item_id = checked_id(name, "item")
            unknown.append(f"'{item_id}'{item_names.suggest(item_id)}")
        ids.append(item_id)
    if unknown:
        print_note(f"{what} and passed over: {', '.join(unknown)}")
    return ids


def _split_names(listed: str, item_names: ItemNames) -> list[str]:
    if not listed.strip() or item_names.find(listed) is not None:
        return [listed] if listed.strip() else []
    rows = csv.reader(listed.splitlines(), skipinitialspace=True)
    return [name.strip() for row in rows for name in row if name.strip()]
