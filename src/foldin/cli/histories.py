"""Whose history a command works with: a user's from the store, or one typed at the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foldin.data.catalog import Catalog
    from foldin.data.interactions import History
    from foldin.workspace import Workspace

__all__ = ["checked_ids", "note_unknown", "stored_history", "typed_history"]


def stored_history(workspace: Workspace, user: str) -> History:
    """The history of a user of the store.

    Raises:
        NotFoundError: there is no such user, or no store.
        DataError: no user can have such an id.
    """
    from foldin.data.identifiers import checked_id

    with workspace.store() as store:
        return store.history(checked_id(user, "user"))


def typed_history(text: str, catalog: Catalog) -> History:
    """The history "A,B,C"; a note names the items that the model does not know.

    Raises:
        DataError: no item can have such an id.
    """
    from foldin.data.interactions import History

    item_ids = checked_ids([part.strip() for part in text.split(",") if part.strip()])
    note_unknown(item_ids, catalog)
    return History.of(item_ids)


def checked_ids(item_ids: Sequence[str]) -> list[str]:
    """Item ids as they were typed, in the form in which ids are kept.

    Raises:
        DataError: no item can have such an id.
    """
    from foldin.data.identifiers import checked_id

    return [checked_id(item_id, "item") for item_id in item_ids]


def note_unknown(item_ids: Sequence[str], catalog: Catalog) -> None:
    """Says which of the items are not known to the model."""
    from foldin.cli.output import print_note

    unknown = [item for item, known in zip(item_ids, catalog.knows(item_ids), strict=True) if not known]
    if unknown:
        print_note(f"unknown to the model and passed over: {', '.join(unknown)}")
