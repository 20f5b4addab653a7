"""`foldin embeddings`: the vectors of items and users, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foldin.cli.options import DEFAULT_FOLDER, Json, WorkspaceFolder

__all__ = ["embeddings"]


def embeddings(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the two files.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace files of these names that are in the folder already.")
    ] = False,
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    json: Json = False,
) -> None:
    """Write items.parquet and users.parquet: ids and their vectors, where the model has them.

    Example: foldin embeddings -o vectors
    """
    from dataclasses import asdict

    from foldin.cli.output import print_json, print_line, print_note, progress
    from foldin.exporting import write_embeddings
    from foldin.wording import counted
    from foldin.workspace import open_workspace

    opened = open_workspace(workspace)
    with progress("reading the store") as tell, opened.store() as store:
        recommender, log = opened.current(), store.interactions()
        written = write_embeddings(
            recommender, log, output, replace=replace, on_block=lambda users: tell(counted(users, "user"))
        )
    if written.unknown:
        print_note(f"{counted(written.unknown, 'user')} without a vector: the model knows no item of the history")
    if json:
        print_json({"folder": str(output), **asdict(written)})
        return
    for file, count in (("items.parquet", written.items), ("users.parquet", written.users)):
        print_line(f"Wrote {output / file}: {counted(count, 'vector')} of {counted(written.dimensions, 'number')}")
