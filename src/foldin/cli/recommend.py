"""`foldin recommend`: the best items for a person."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import DEFAULT_FOLDER, HistoryOption, Json, ProfileOption, WorkspaceFolder
from foldin.errors import ConfigurationError

if TYPE_CHECKING:
    from foldin.workspace import Workspace

__all__ = ["recommend"]


def recommend(
    user: Annotated[str | None, typer.Argument(help="Whose recommendations; asked for in a terminal.")] = None,
    history: HistoryOption = None,
    profile: ProfileOption = None,
    everybody: Annotated[bool, typer.Option("--all", help="For every user with events; needs -o.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File for --all: .parquet, .csv or .jsonl.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the file of --all if it is there already.")
    ] = False,
    k: Annotated[int, typer.Option("-k", min=1, help="How many items.")] = 10,
    seen: Annotated[bool, typer.Option("--seen", help="Items of the history may be recommended too.")] = False,
    diversity: Annotated[
        float, typer.Option(min=0, max=1, help="From 0, the order of the scores, to 1, as different as can be.")
    ] = 0,
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    json: Json = False,
) -> None:
    """Recommend items for a user, for a history, for a profile, or for everybody.

    Items that the catalogue hides, or that are not there yet or any more, are left out.

    Example: foldin recommend --profile role=admin,interests=networking
    """
    from foldin.cli.people import person_of, unavailable_now
    from foldin.cli.rankings import print_ranking
    from foldin.workspace import open_workspace

    _check(user, history, profile, everybody, output, diversity)
    _check_file(output, replace)
    opened = open_workspace(workspace)
    if everybody:
        _write_all(opened, output, k, seen, as_json=json)
        return
    recommender = opened.current()
    if user is None and history is None and profile is None:
        user = _asked_for()
    person = person_of(opened, recommender, user=user, history=history, profile=profile)
    ranking = recommender.recommend(
        person.history,
        profile=person.profile,
        k=k,
        exclude=unavailable_now(opened),
        seen="include" if seen else "exclude",
        diversity=diversity,
    )
    print_ranking(f"For {person.name}", ranking, recommender, as_json=json, known=recommender.knows(person.history))


def _check(
    user: str | None, history: str | None, profile: str | None, everybody: bool, output: Path | None, diversity: float
) -> None:
    if sum([user is not None, history is not None, everybody]) > 1 or (everybody and profile is not None):
        raise ConfigurationError("give one of: a user, --history, --all; --profile goes alone or with the first two")
    if everybody != (output is not None):
        raise ConfigurationError("--all and -o FILE go together")
    if everybody and diversity:
        raise ConfigurationError("--all ranks by the scores alone: leave --diversity out")


def _check_file(output: Path | None, replace: bool) -> None:
    if output is None and replace:
        raise ConfigurationError("--replace goes with --all -o FILE")
    if output is not None and output.exists() and not replace:
        raise ConfigurationError(f"{output} is there already: name another file, or allow it to be replaced: --replace")


def _asked_for() -> str:
    if not sys.stdin.isatty():
        raise ConfigurationError("say for whom: a user, --history A,B,C, --profile role=admin or --all -o FILE")
    name: str = typer.prompt("Your name")
    return name.strip()


def _write_all(workspace: Workspace, output: Path | None, k: int, seen: bool, *, as_json: bool) -> None:
    from foldin.cli.output import print_json, print_line, progress
    from foldin.data.availability import unavailable
    from foldin.exporting import check_ending, write_rankings
    from foldin.wording import counted

    assert output is not None
    check_ending(output)
    with progress("reading the store") as tell, workspace.store() as store:
        recommender, stored = workspace.current(), store.snapshot()
        written = write_rankings(
            recommender,
            stored.interactions,
            output,
            profiles=stored.profiles,
            exclude=unavailable(stored.catalog),
            k=k,
            seen="include" if seen else "exclude",
            on_block=lambda users: tell(counted(users, "user")),
        )
    users = len(stored.interactions.user_ids)
    if as_json:
        print_json({"file": str(output), "users": users, "recommendations": written})
    else:
        print_line(f"Wrote {counted(written, 'recommendation')} for {counted(users, 'user')} to {output}")
