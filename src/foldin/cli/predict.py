"""`foldin predict`: the completed row of a history."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import DEFAULT_FOLDER, HistoryOption, Json, ProfileOption, WorkspaceFolder
from foldin.errors import ConfigurationError

if TYPE_CHECKING:
    from foldin.recommendation import Recommendation
    from foldin.recommender import Recommender

__all__ = ["predict"]

SHOWN = 20


def predict(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="USER [ITEM ...]", help="Whose row, and which items of it; all, if none is named."),
    ] = None,
    history: HistoryOption = None,
    profile: ProfileOption = None,
    k: Annotated[
        int | None, typer.Option("-k", min=1, help=f"How many items; {SHOWN} in a table, all in JSON, if not said.")
    ] = None,
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    json: Json = False,
) -> None:
    """Complete a history: a rating, probability or score for every item, also for those of the history.

    With --history or --profile no user is named, only items.

    Example: foldin predict nle HOL-2002-01-CMP HOL-2002-02-CMP
    """
    from foldin.cli.item_arguments import find_items
    from foldin.cli.output import print_json
    from foldin.cli.people import person_of
    from foldin.workspace import open_workspace

    user, items = _user_and_items(names or [], described=history is not None or profile is not None)
    opened = open_workspace(workspace)
    recommender = opened.current()
    person = person_of(opened, recommender, user=user, history=history, profile=profile)
    item_ids = find_items(items, recommender.catalog) or None
    row = _best_first(recommender.predict(person.history, item_ids, profile=person.profile))
    seen = set(person.history.item_ids)
    if json:
        print_json([{**asdict(one), "in_history": one.item_id in seen} for one in row[:k]])
    else:
        wanted = len(row) if items and k is None else k or SHOWN
        _print_row(f"The completed row of {person.name}", row, wanted, seen, recommender)


def _user_and_items(names: Sequence[str], *, described: bool) -> tuple[str | None, Sequence[str]]:
    if described:
        return None, names
    if not names:
        raise ConfigurationError("say whose row: a user, --history A,B,C or --profile role=admin")
    return names[0], names[1:]


def _best_first(row: Sequence[Recommendation]) -> Sequence[Recommendation]:
    # scores rank what will be chosen; of a row of ratings one wants the highest
    return sorted(row, key=lambda one: -(one.rating or 0)) if row and row[0].rating is not None else row


def _print_row(
    title: str, row: Sequence[Recommendation], wanted: int, seen: Collection[str], recommender: Recommender
) -> None:
    from foldin.cli.output import print_line
    from foldin.cli.rankings import print_ranking
    from foldin.wording import counted

    marks = {one.item_id: "yes" if one.item_id in seen else "" for one in row}
    print_ranking(title, row[:wanted], recommender, extra={"in history": marks})
    if wanted < len(row):
        print_line(f"{wanted:,} of {counted(len(row), 'item')}; -k shows more, --json all")
