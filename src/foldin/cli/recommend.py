"""`foldin recommend`: the best items for a person."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import DEFAULT_FOLDER, HistoryOption, Json, WorkspaceFolder
from foldin.errors import ConfigurationError

if TYPE_CHECKING:
    from foldin.workspace import Workspace

__all__ = ["recommend"]


def recommend(
    user: Annotated[str | None, typer.Argument(help="Whose recommendations; asked for in a terminal.")] = None,
    history: HistoryOption = None,
    everybody: Annotated[bool, typer.Option("--all", help="For every user with events; needs -o.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File for --all: .parquet, .csv or .jsonl.")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many items.")] = 10,
    seen: Annotated[bool, typer.Option("--seen", help="Items of the history may be recommended too.")] = False,
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    json: Json = False,
) -> None:
    """Recommend items for a user, for a history, or for everybody.

    Example: foldin recommend nle -k 5
    """
    from foldin.cli.histories import stored_history, typed_history
    from foldin.cli.rankings import print_ranking
    from foldin.workspace import open_workspace

    _check(user, history, everybody, output)
    opened = open_workspace(workspace)
    if everybody:
        _write_all(opened, output, k, seen, as_json=json)
        return
    recommender = opened.current()
    if history is not None:
        title, shown = "For this history", typed_history(history, recommender.catalog)
    else:
        name = user or _asked_for()
        title, shown = f"For {name}", stored_history(opened, name)
    ranking = recommender.recommend(shown, k=k, seen="include" if seen else "exclude")
    print_ranking(title, ranking, recommender, as_json=json)


def _check(user: str | None, history: str | None, everybody: bool, output: Path | None) -> None:
    if sum([user is not None, history is not None, everybody]) > 1:
        raise ConfigurationError("give one of: a user, --history, --all")
    if everybody != (output is not None):
        raise ConfigurationError("--all and -o FILE go together")


def _asked_for() -> str:
    if not sys.stdin.isatty():
        raise ConfigurationError("say for whom: a user, --history A,B,C or --all -o FILE")
    name: str = typer.prompt("Your name")
    return name.strip()


def _write_all(workspace: Workspace, output: Path | None, k: int, seen: bool, *, as_json: bool) -> None:
    from foldin.cli.output import print_json, print_line, progress
    from foldin.exporting import check_ending, write_rankings

    assert output is not None
    check_ending(output)
    with progress("reading the store") as tell, workspace.store() as store:
        recommender, log = workspace.current(), store.interactions()
        written = write_rankings(
            recommender,
            log,
            output,
            k=k,
            seen="include" if seen else "exclude",
            on_block=lambda users: tell(f"{users:,} users"),
        )
    if as_json:
        print_json({"file": str(output), "users": len(log.user_ids), "recommendations": written})
    else:
        print_line(f"Wrote {written:,} recommendations for {len(log.user_ids):,} users to {output}")
