"""`foldin similar`: what goes with an item."""

from __future__ import annotations

from typing import Annotated

import typer

from foldin.cli.options import DEFAULT_FOLDER, HowMany, Json, WorkspaceFolder

__all__ = ["similar"]


def similar(
    item: Annotated[str, typer.Argument(help="The item, by its id or its title.")],
    k: HowMany = 10,
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    json: Json = False,
) -> None:
    """Show the items that go with an item: what the model makes of knowing it alone, or what resembles a new one.

    Example: foldin similar HOL-2002-01-CMP -k 5
    """
    from foldin.cli.item_arguments import find_items
    from foldin.cli.people import stored_catalog
    from foldin.cli.rankings import print_ranking
    from foldin.data.availability import unavailable
    from foldin.workspace import open_workspace

    opened = open_workspace(workspace)
    recommender = opened.current()
    (item_id,) = find_items([item], recommender.catalog)
    ranking = recommender.similar(item_id, k, exclude=unavailable(stored_catalog(opened)))
    title = recommender.catalog.title(int(recommender.catalog.indices([item_id])[0]))
    heading = f"Goes with {title}" if recommender.had(item_id) else f"Resembles {title} by its words"
    print_ranking(heading, ranking, recommender, as_json=json, one_term=True)
